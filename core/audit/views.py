"""The pages of the audit trail: who did what, when, to what, from where."""

from typing import Any

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.audit.links import link_of
from core.audit.listing import AUDIT
from core.audit.queries import line_of, seal_of
from core.lists.views import Frame, Shown, change_list, show_list
from core.users.access import scope_of
from core.web.guard import found, me, needs

PERMISSION = "audit.view"
blueprint = Blueprint("audit", __name__, url_prefix="/admin/audit", template_folder="templates")


def _list() -> dict[str, Any]:
    """What :func:`show_list` and :func:`change_list` want."""
    return {
        "template": "audit/index.html",
        "listing": AUDIT,
        "scope": scope_of(me(), PERMISSION),
        "frame": Frame(
            index=url_for(".index"),
            change=url_for(".view"),
            link=lambda line: url_for(".show", line_id=line.id),
            exported_as={"list": AUDIT.code},
            empty=(_("No line found."), _("Search for something else.")),
        ),
    }


@blueprint.get("/")
@needs(PERMISSION)
def index() -> Shown:
    """The lines of my scope, newest first."""
    return show_list(**_list())


@blueprint.post("/view")
@needs(PERMISSION)
def view() -> Shown | Response:
    """What the reader chooses for the list: columns, saved filters."""
    return change_list(**_list())


@blueprint.get("/<int:line_id>")
@needs(PERMISSION)
def show(line_id: int) -> str:
    """One line, with all that it says, and the block that it is sealed in."""
    one = found(line_of(scope_of(me(), PERMISSION), line_id))
    return render_template("audit/show.html", one=one, link=link_of(me(), one), seal=seal_of(one.line))
