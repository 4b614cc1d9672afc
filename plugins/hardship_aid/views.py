"""The blueprint of the plugin; its areas add their pages to it."""

from flask import Blueprint
from werkzeug.wrappers import Response

blueprint = Blueprint("hardship_aid", __name__, template_folder="templates")
Page = Response | str | tuple[str, int]
