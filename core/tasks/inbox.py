"""The inbox of a user: what they were told, the newest first."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.programs.models import ProgramYear
from core.tasks import queries, services
from core.tasks.kinds import title_of, url_of
from core.tasks.models import Message
from core.tasks.queries import PAGE
from core.web.guard import found, me

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox", template_folder="templates")


@blueprint.get("/")
def index() -> str:
    """My messages."""
    before = request.args.get("before", type=int)
    rows = queries.page_of_messages(me(), before=before if before is not None and 0 < before < 2**63 else None)
    return render_template(
        "tasks/inbox.html",
        rows=[(message, title_of(message.kind, message.data), _url(message, year)) for message, year in rows[:PAGE]],
        is_first=before is None,
        next_before=rows[PAGE - 1][0].id if len(rows) > PAGE else None,
    )


@blueprint.post("/<int:message_id>")
def follow(message_id: int) -> Response:
    """Mark a message as read, and go where it leads."""
    message, year = found(queries.find_message(me(), message_id))
    target = _url(message, year)
    services.mark_read(me(), message_id)
    return redirect(target or url_for(".index"))


@blueprint.post("/read")
def read_all() -> Response:
    """Mark all as read."""
    services.mark_read(me())
    flash(_("All messages are marked as read."), "success")
    return redirect(url_for(".index"))


def _url(message: Message, year: ProgramYear | None) -> str | None:
    """Where the message leads: nowhere while its program year is off."""
    return url_of(message.kind, message.address, year) if year is None or year.enabled else None
