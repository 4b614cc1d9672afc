"""The pages of the tree of unions."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.lists.views import Frame, Shown, change_list, show_list
from core.org.listing import ORGS
from core.org.queries import above, count_below, industry_of, page_below, page_of_members, tops, visible
from core.org.scope import Scope
from core.org.titles import KIND_TITLES, LEVEL_TITLES
from core.users.access import scope_of
from core.web.guard import found, me, needs

blueprint = Blueprint("org", __name__, url_prefix="/orgs", template_folder="templates")
TITLES = {"levels": LEVEL_TITLES, "kinds": KIND_TITLES}


def _scope() -> Scope:
    return scope_of(me(), "org.view")


def _list() -> dict[str, Any]:
    """What :func:`show_list` and :func:`change_list` want."""
    return {
        "template": "lists/page.html",
        "listing": ORGS,
        "scope": _scope(),
        "frame": Frame(
            index=url_for("org.listing"),
            change=url_for("org.view"),
            link=lambda line: url_for("org.show", code=line.org_path.split("/")[-2]),
            exported_as={"list": ORGS.code},
            empty=(
                _("No organisations yet"),
                _("The administrator loads them from a file of administrative divisions."),
            ),
        ),
    }


@blueprint.get("")
@needs("org.view")
def index() -> str | Response:
    """The top of what the user may see."""
    own = tops(_scope())
    if len(own) == 1:
        return redirect(url_for("org.show", code=own[0].code))
    return render_template("org/index.html", tops=own, **TITLES)


@blueprint.get("/list")
@needs("org.view")
def listing() -> Shown:
    """Every union that the user may see, as a list to be searched."""
    return show_list(**_list())


@blueprint.post("/list/view")
@needs("org.view")
def view() -> Shown | Response:
    """What the reader chooses for the list: columns, saved filters."""
    return change_list(**_list())


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
        **TITLES,
    )
