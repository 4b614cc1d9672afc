"""The pages of the background jobs: what waits, how far it is, what went wrong and what to do about it."""

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.jobs import queries, services
from core.jobs.models import STATES
from core.jobs.queries import VIEW, JobRow
from core.users.access import can, can_anywhere
from core.users.models import User
from core.web.guard import found, me, needs
from core.web.home import Panel, WaitingItem, provide_panel, provide_waiting

RETRY = "job.retry"
blueprint = Blueprint("jobs", __name__, url_prefix="/jobs", template_folder="templates")


def _may_retry(row: JobRow) -> bool:
    program = row.program_year.program if row.program_year else None
    return can(me(), RETRY, row.job.org_path, program)


def _is_fragment() -> bool:
    """Whether htmx asks for the moving part of the page only."""
    return request.headers.get("HX-Request") == "true"


@blueprint.get("/")
@needs(VIEW)
def index() -> str:
    """The newest jobs of my scope, all or in one state. Reads itself again while something is at work."""
    state = request.args.get("state", "")
    states = (state,) if state in STATES else ()
    before = request.args.get("before", type=int)
    rows, more = queries.page_of(me(), states, before=before)
    template = "jobs/_list.html" if _is_fragment() else "jobs/index.html"
    return render_template(
        template,
        rows=rows,
        more=more,
        before=before,
        state=state if states else None,
        states=STATES,
        counts=queries.counts(me()),
    )


@blueprint.get("/<int:job_id>")
@needs(VIEW)
def show(job_id: int) -> str:
    """One job: how far it is, or why it failed; the traceback only for those who may retry it."""
    row = found(queries.find(me(), job_id))
    template = "jobs/_job.html" if _is_fragment() else "jobs/show.html"
    return render_template(template, row=row, job=row.job, may_retry=_may_retry(row))


@blueprint.post("/<int:job_id>/retry")
@needs(RETRY)
def retry(job_id: int) -> Response:
    """Queue a failed job again."""
    services.retry(me(), found(queries.find(me(), job_id)).job)
    flash(_("The job waits for a worker again."), "success")
    return redirect(url_for("jobs.show", job_id=job_id))


@blueprint.post("/<int:job_id>/cancel")
@needs(RETRY)
def cancel(job_id: int) -> Response:
    """Take back a job that still waits."""
    services.cancel(me(), found(queries.find(me(), job_id)).job)
    flash(_("The job was cancelled."), "success")
    return redirect(url_for("jobs.show", job_id=job_id))


def _waiting(user: User) -> list[WaitingItem]:
    """On the home page: the failed jobs that the user may retry."""
    if not can_anywhere(user, RETRY):
        return []
    count, since = queries.failed_for(user, RETRY)
    return [WaitingItem(title=_("Failed jobs"), url=url_for("jobs.index", state="failed"), count=count, since=since)]


def _at_work(user: User) -> Panel | None:
    """On the home page: the newest jobs of the user's scope that wait or run, while there are any."""
    rows, _more = queries.page_of(user, ("queued", "running"))
    return Panel(template="jobs/_at_work.html", context={"rows": rows[:5]}) if rows else None


def init_app(app: Flask) -> None:
    """Bring what is at work to the home page, and failed jobs to that of those who may retry them."""
    provide_waiting(app, _waiting)
    provide_panel(app, _at_work, weight=50)
