"""Reading the audit trail within the reader's scope: one line, its block, and who looked at somebody."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Text, any_, cast, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from core.audit.actions import LOOKS, SEARCHED
from core.audit.models import AuditLine, AuditSeal
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.programs.models import ProgramYear
from core.wall import beyond_scope

LATEST = 50
_ACTING = aliased(Org)


@dataclass(frozen=True, slots=True)
class Found:
    """A line; the names of the union that it is about and of the one that its author acted for, none where they are
    gone or never were; its program year.
    """

    line: AuditLine
    org: str | None
    acting: str | None
    program_year: ProgramYear | None


def line_of(scope: Scope, line_id: int) -> Found | None:
    """One line, or none out of scope."""
    row = db.session.execute(
        select(AuditLine, Org.name, _ACTING.name, ProgramYear)
        .outerjoin(Org, Org.path == AuditLine.org_path)
        .outerjoin(_ACTING, _ACTING.path == AuditLine.acting_path)
        .outerjoin(ProgramYear, ProgramYear.id == AuditLine.program_year_id)
        .where(AuditLine.id == line_id, scope.covers(AuditLine.org_path))
    ).one_or_none()
    return Found(*row) if row is not None else None


@beyond_scope("audit.seal_of")  # a block holds the lines of all unions; of it only its number and time are told
def seal_of(line: AuditLine) -> tuple[int, datetime] | None:
    """Number and time of the block that the line is sealed in; none while it waits for it."""
    query = select(AuditSeal.no, AuditSeal.sealed_at).where(
        AuditSeal.last_id >= line.id, AuditSeal.lines.contains(cast(line.id, BigInteger))
    )
    row = db.session.execute(query.order_by(AuditSeal.no).limit(1)).one_or_none()
    return (row.no, row.sealed_at) if row is not None else None


def looks_at(scope: Scope, person_id: int, actions: Collection[str] = LOOKS | SEARCHED) -> Sequence[AuditLine]:
    """Who looked at a person's file or searched for their number (or only did one of ``actions``), newest first; the
    latest fifty in scope.
    """
    about = (AuditLine.object == f"person:{person_id}") & (
        AuditLine.action == any_(literal(sorted(actions), ARRAY(Text)))
    )
    query = select(AuditLine).where(about, scope.covers(AuditLine.org_path))
    return db.session.scalars(query.order_by(AuditLine.id.desc()).limit(LATEST)).all()
