"""The blueprint of the pages below ``/<year>/<sponsor>/hardship_aid/``; each area adds its own."""

from flask import Blueprint
from werkzeug.wrappers import Response

from plugins.hardship_aid.words import PROGRAM

blueprint = Blueprint(PROGRAM, __name__, template_folder="templates")
Page = Response | str | tuple[str, int]
