"""The pages of the tree of unions."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.org.queries import above, count_below, industry_of, page_below, page_found, page_of_members, tops, visible
from core.org.scope import Scope
from core.org.titles import KIND_TITLES, LEVEL_TITLES
from core.users.access import scope_of
from core.web.guard import found, me, needs

blueprint = Blueprint("org", __name__, url_prefix="/orgs", template_folder="templates")
TITLES = {"levels": LEVEL_TITLES, "kinds": KIND_TITLES}


def _scope() -> Scope:
    return scope_of(me(), "org.view")


@blueprint.get("")
@needs("org.view")
def index() -> str | Response:
    """What a search finds; without one, the top of what the user may see."""
    search, level = request.args.get("q", ""), request.args.get("level", "")
    level = level if level in LEVEL_TITLES else ""
    scope = _scope()
    if not (search.strip() or level):
        own = tops(scope)
        if len(own) == 1:
            return redirect(url_for("org.show", code=own[0].code))
        return render_template("org/index.html", tops=own, search="", level="", **TITLES)
    page = page_found(scope, search=search, level=level, after=request.args.get("after", ""))
    return render_template("org/index.html", page=page, search=search, level=level, **TITLES)


@blueprint.get("/<code>")
@needs("org.view")
def show(code: str) -> str:
    """One organisation, what is above and below it, and on the second axis who belongs to it."""
    scope = _scope()
    org = found(visible(scope, code))
    return render_template(
        "org/show.html",
        org=org,
        above=above(scope, org),
        counts=count_below(org.path),
        industry=industry_of(scope, org),
        page=page_below(scope, org, after=request.args.get("after", "")),
        members=page_of_members(scope, org, after=request.args.get("member", "")),
        search="",
        level="",
        **TITLES,
    )
