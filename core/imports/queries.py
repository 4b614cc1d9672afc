"""Reading imports. Every list keeps to a scope; nothing here writes."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Select, select

from core.extensions import db
from core.imports.models import Import, ImportMapping, ImportRow
from core.jobs.models import Job
from core.org.models import Org
from core.org.scope import Scope
from core.plugin.types import Register
from core.programs.models import ProgramYear

PAGE = 50


def imports_of(register: Register, program_year: ProgramYear, scope: Scope) -> Sequence[Import]:
    """The last imports of the register in this year, the newest first."""
    return db.session.scalars(_of(register, program_year, scope).order_by(Import.id.desc()).limit(PAGE)).all()


def find_import(register: Register, program_year: ProgramYear, scope: Scope, import_id: int) -> Import | None:
    """One import of the register in this year, if in the scope."""
    if import_id >= 2**63:  # the database could not even be asked
        return None
    return db.session.scalars(_of(register, program_year, scope).where(Import.id == import_id)).one_or_none()


def same_file(upload: Import) -> Import | None:
    """The last import of the very same file into the same register and year that was not given up."""
    same = (
        (Import.digest == upload.digest)
        & (Import.register == upload.register)
        & (Import.program_year_id == upload.program_year_id)
        & (Import.id < upload.id)
        & Import.state.not_in(("cancelled", "failed", "undone"))
    )
    return db.session.scalars(select(Import).where(same).order_by(Import.id.desc()).limit(1)).first()


def remembered(user_id: int, register: Register) -> Mapping[str, str]:
    """What the user said before about headings of this register."""
    found = db.session.get(ImportMapping, (user_id, register.code))
    return found.columns if found else {}


def rows_of(upload: Import, *, bad: bool, after: int = 0, limit: int = PAGE) -> Sequence[ImportRow]:
    """Bad rows, or good ones, by line, from beyond ``after`` on."""
    kind = ImportRow.errors != [] if bad else (ImportRow.errors == []) & ~ImportRow.there
    query = select(ImportRow).where(ImportRow.import_id == upload.id, ImportRow.line > after, kind)
    return db.session.scalars(query.order_by(ImportRow.line).limit(limit)).all()


def alike_rows(upload: Import, *, after: int = 0, limit: int = PAGE) -> Sequence[ImportRow]:
    """Good rows that could be the same as entries that are there, by line, from beyond ``after`` on."""
    alike = (ImportRow.errors == []) & ~ImportRow.there & ImportRow.alike
    query = select(ImportRow).where(ImportRow.import_id == upload.id, ImportRow.line > after, alike)
    return db.session.scalars(query.order_by(ImportRow.line).limit(limit)).all()


def work_of(upload: Import) -> Job | None:
    """The last job of the import, to show how far it is."""
    keys = [f"import:{upload.id}:read", f"import:{upload.id}:merge"]
    return db.session.scalars(select(Job).where(Job.key.in_(keys)).order_by(Job.id.desc()).limit(1)).first()


def is_at_work(upload: Import) -> bool:
    """Whether a worker has it, or is asked to take it."""
    job = work_of(upload)
    return job is not None and job.state in ("queued", "running")


def uploader_org(scope: Scope, own_path: str) -> Org:
    """The union that an upload belongs to: the user's own, or the first that they may edit."""
    path = own_path if scope.includes(own_path) else scope.paths[0]
    return db.session.scalars(select(Org).where(Org.path == path)).one()


def _of(register: Register, program_year: ProgramYear, scope: Scope) -> Select[Import]:
    return select(Import).where(
        Import.register == register.code,
        Import.program_year_id == program_year.id,
        scope.covers(Import.org_path),
    )
