"""The background jobs of imports. Each is safe to run again."""

from datetime import timedelta

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, exists, func, select, update

from core.errors import Refused
from core.extensions import db
from core.imports import services
from core.imports.models import Import, ImportRow
from core.jobs.context import JobContext
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec, Register
from core.privacy.queries import rule_of
from core.programs.models import ProgramYear
from core.users.models import User


def read_import(context: JobContext, *, import_id: int) -> None:
    """Read and check an uploaded file."""
    one = db.session.get_one(Import, import_id)
    with force_locale(one.language):
        actor, register, program_year = _about(context, one)
        services.read_by_job(actor, one, register, program_year, context.progress)


def merge_import(context: JobContext, *, import_id: int) -> None:
    """Put the good rows into the register, as far as the user who asked for it still may."""
    one = db.session.get_one(Import, import_id)
    with force_locale(one.language):
        actor, register, program_year = _about(context, one)
        services.merge_by_job(actor, one, register, program_year, context.progress)


def clear_old(_context: JobContext) -> None:
    """Throw away what is left of old imports: rows and files that nobody dealt with, bad rows that nobody fetched."""
    old = Import.created_at < func.now() - timedelta(days=rule_of().import_days)
    waiting = Import.state.in_(("reading", "mapping", "staged"))
    db.session.execute(update(Import).where(old, waiting).values(state="cancelled"))
    mine = exists().where(Import.id == ImportRow.import_id, old, Import.state != "merging")
    db.session.execute(delete(ImportRow).where(mine))
    db.session.commit()
    kept = set(db.session.scalars(select(Import.id).where(Import.state.in_(("reading", "mapping")))))
    for file in services.file_of(0).parent.glob("*"):
        if not file.name.isdecimal() or int(file.name) not in kept:
            file.unlink(missing_ok=True)


def _about(context: JobContext, one: Import) -> tuple[User, Register, ProgramYear]:
    actor = context.actor
    if not isinstance(actor, User):
        raise Refused(_("A file is imported only for a user."))
    register = registry_of().registers.get(one.register)
    if register is None:
        raise Refused(_("The plugin of the register %(register)s is not loaded.", register=one.register))
    return actor, register, db.session.get_one(ProgramYear, one.program_year_id)


JOBS = [
    JobSpec(name="imports.read", title=_l("Read an uploaded file"), func=read_import, queue="bulk"),
    JobSpec(name="imports.merge", title=_l("Merge a file into a register"), func=merge_import, queue="bulk"),
    JobSpec(
        name="imports.clear",
        title=_l("Clear old imports"),
        sees_all="it clears the old imports of everybody",
        func=clear_old,
        schedule="40 2 * * *",
    ),
]
