"""The audit trail: who did what, when, to what."""

from flask import Blueprint, render_template, request

from core.audit.queries import Filter, page_of_lines
from core.users.access import scope_of
from core.web.guard import me, needs

PERMISSION = "audit.view"
blueprint = Blueprint("audit", __name__, url_prefix="/admin/audit", template_folder="templates")


@blueprint.get("/")
@needs(PERMISSION)
def index() -> str:
    """The newest lines of my scope, by object, action and author."""
    wanted = Filter(**{name: request.args.get(name, "").strip() for name in ("subject", "action", "actor")})
    before = request.args.get("before", type=int)
    rows, more = page_of_lines(scope_of(me(), PERMISSION), wanted, before=before)
    return render_template("audit/index.html", rows=rows, wanted=wanted, more=more, before=before)
