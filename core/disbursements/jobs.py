"""The background jobs of a run. Each is safe to run again."""

from datetime import timedelta

import structlog
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.config import settings_of
from core.disbursements import compute, services
from core.disbursements.banking import returns
from core.disbursements.banking.following import scheme_of
from core.disbursements.banking.writing import write_bank_files
from core.disbursements.models import Run
from core.disbursements.verify_all import verify_all
from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.jobs.context import JobContext
from core.jobs.services import enqueue
from core.keys.queries import file_keys
from core.org.queries import root_path
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.tasks.kinds import TaskKind
from core.tasks.services import notify
from core.users.access import today, users_holding
from core.users.models import Grant, User

FOUND = TaskKind(
    code="runs.verified", title=_l("The nightly check of the books found %(count)s things"), endpoint="jobs.show"
)
log = structlog.get_logger()


def compute_run(context: JobContext, *, run_id: int) -> None:
    """Reserve, then hand each chunk to whichever worker is free."""
    run = db.session.get_one(Run, run_id)
    try:
        scheme = registry_of().schemes.get(run.scheme)
        if scheme is None:
            raise Refused(_("The plugin of the scheme %(scheme)s is not loaded.", scheme=run.scheme))
        org_ids = compute.reserve(run_id, scheme_of(run, scheme))
    except ZhijiaError as error:
        compute.mark_failed(run_id, str(error))
        raise
    for org_id in org_ids:
        enqueue(
            "disbursements.fill",
            context.actor,
            run.org_path,
            program_year_id=run.program_year_id,
            key=f"run:{run_id}:{org_id}",
            args={"run_id": run_id, "org_id": org_id},
        )
    db.session.commit()


def fill_chunk(context: JobContext, *, run_id: int, org_id: int) -> None:
    """Fill one chunk; whoever fills the last one finds all of them filled, and seals."""
    try:
        if not compute.fill(run_id, org_id):
            services.enqueue_computing(context.actor, db.session.get_one(Run, run_id))
            db.session.commit()
            return
        compute.seal(run_id)
    except ZhijiaError as error:
        compute.mark_failed(run_id, str(error))
        raise


def bank_files(context: JobContext, *, run_id: int) -> None:
    """Write the bank files, with progress by union."""
    settings = settings_of()
    total = len(compute.chunk_totals(run_id))
    written = write_bank_files(run_id, settings.files / "bank", file_keys())
    for done, code in enumerate(written, start=1):
        context.progress(done, total, code)


def take_in(context: JobContext, *, return_id: int) -> None:
    """Read a return file, and take its results over as far as whoever sent it still may."""
    actor = context.actor
    if not isinstance(actor, User):
        raise Refused(_("A return file is taken from a user only."))
    returns.take_in(actor, return_id, context.progress)


def verify(context: JobContext) -> None:
    """Recompute everything; whatever is found fails the job, stands in its log, and is told to who watches."""
    settings = settings_of()
    count, first = 0, ""
    # A day is missed when no clock ran; of yesterday there must be heads.
    for finding in verify_all(settings.heads_url, expected=today() - timedelta(days=1)):
        count += 1
        first = first or finding.sentence
        log.error("verify", area=finding.area, finding=finding.sentence)
    if not count:
        return
    watching = users_holding("audit.view", None).where(Grant.org_path == root_path())
    notify(FOUND, watching, "verify", data={"count": count}, address={"job_id": context.job_id})
    db.session.commit()
    raise ZhijiaError(_("Verifying found %(count)s things, the first: %(first)s", count=count, first=first))


JOBS = [
    JobSpec(
        name="disbursements.compute",
        title=_l("Compute a run"),
        sees_all="a run pays whoever is on the list, wherever they are on file",
        func=compute_run,
        queue="bulk",
    ),
    JobSpec(
        name="disbursements.fill",
        title=_l("Fill a part of a run"),
        sees_all="a run pays whoever is on the list, wherever they are on file",
        func=fill_chunk,
        queue="bulk",
    ),
    JobSpec(
        name="disbursements.bank_files",
        title=_l("Write bank files"),
        sees_all="a bank file holds what was submitted, wherever the payees are on file now",
        func=bank_files,
        queue="money",
    ),
    JobSpec(
        name="disbursements.take_in",
        title=_l("Read a return file"),
        sees_all="what the bank returns is about every payee of the run",
        func=take_in,
        queue="money",
    ),
    JobSpec(
        name="disbursements.verify",
        title=_l("Verify the books"),
        sees_all="verifying looks at every row about money",
        func=verify,
        queue="bulk",
        schedule="40 2 * * *",
    ),
]
