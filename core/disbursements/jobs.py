"""The background jobs of a run. Each is safe to run again."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.config import settings_of
from core.disbursements import compute
from core.disbursements.banking import returns
from core.disbursements.banking.following import scheme_of
from core.disbursements.banking.writing import formats_of, write_bank_files
from core.disbursements.models import Run
from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.jobs.context import JobContext
from core.jobs.services import enqueue
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.programs.models import ProgramYear
from core.users.models import User


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


def fill_chunk(_context: JobContext, *, run_id: int, org_id: int) -> None:
    """Fill one chunk; whoever fills the last one finds all of them filled, and seals."""
    try:
        compute.fill(run_id, org_id)
        compute.seal(run_id)
    except ZhijiaError as error:
        compute.mark_failed(run_id, str(error))
        raise


def bank_files(context: JobContext, *, run_id: int) -> None:
    """Write the bank files, with progress by union."""
    settings = settings_of()
    formats = formats_of(db.session.get_one(ProgramYear, context.program_year_id))
    total = len(compute.chunk_totals(run_id)) * len(formats)
    written = write_bank_files(run_id, settings.files / "bank", settings.data_key)
    for done, code in enumerate(written, start=1):
        context.progress(done, total, code)


def take_in(context: JobContext, *, return_id: int) -> None:
    """Read a return file, and take its results over as far as whoever sent it still may."""
    actor = context.actor
    if not isinstance(actor, User):
        raise Refused(_("A return file is taken from a user only."))
    returns.take_in(actor, return_id, context.progress)


JOBS = [
    JobSpec(name="disbursements.compute", title=_l("Compute a run"), func=compute_run, queue="bulk"),
    JobSpec(name="disbursements.fill", title=_l("Fill a part of a run"), func=fill_chunk, queue="bulk"),
    JobSpec(name="disbursements.bank_files", title=_l("Write bank files"), func=bank_files, queue="money"),
    JobSpec(name="disbursements.take_in", title=_l("Read a return file"), func=take_in, queue="money"),
]
