"""Reading the audit trail: newest first, within the reader's scope."""

from dataclasses import dataclass

from sqlalchemy import select

from core.audit.models import AuditLine
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope

PAGE = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for; an empty text leaves it open. ``subject`` is ``run:42``, or ``run:`` for all runs."""

    subject: str = ""
    action: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line, and the name of the org that it is about (none when that is no longer there)."""

    line: AuditLine
    org: str | None


def page_of_lines(scope: Scope, wanted: Filter, *, before: int | None = None) -> tuple[list[Row], int | None]:
    """Up to 50 lines with ids below ``before``, newest first, and the id to go on below (none at the end)."""
    query = (
        select(AuditLine, Org.name)
        .outerjoin(Org, Org.path == AuditLine.org_path)
        .where(scope.covers(AuditLine.org_path))
    )
    if before is not None:
        query = query.where(AuditLine.id < before)
    if wanted.subject.endswith(":"):
        query = query.where(AuditLine.object.startswith(wanted.subject, autoescape=True))
    elif wanted.subject:
        query = query.where(AuditLine.object == wanted.subject)
    if wanted.action:
        query = query.where(AuditLine.action.startswith(wanted.action, autoescape=True))
    if wanted.actor:
        query = query.where(AuditLine.actor == wanted.actor)
    rows = [Row(line, org) for line, org in db.session.execute(query.order_by(AuditLine.id.desc()).limit(PAGE + 1))]
    return rows[:PAGE], rows[PAGE - 1].line.id if len(rows) > PAGE else None
