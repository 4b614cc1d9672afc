"""The pages of summer below ``/<year>/<sponsor>/summer_coolness/``: visits, and the stock of goods."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from core.api import needs
from plugins.four_seasons.stock.views import add_pages as add_stock
from plugins.four_seasons.summer.registers import POSTS
from plugins.four_seasons.visits.views import add_pages as add_visits
from plugins.four_seasons.words import VIEW

blueprint = Blueprint("four_seasons_summer", __name__, template_folder="../templates")
add_visits(blueprint)
add_stock(blueprint)


@blueprint.get("/posts")
@needs(VIEW)
def posts() -> Response:
    """The way from the figures of the year to the posts."""
    return redirect(url_for("registers.index", name=POSTS.name))
