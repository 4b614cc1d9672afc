"""Reading the audit trail: newest first, within the reader's scope."""

from dataclasses import dataclass

from sqlalchemy import select

from core.audit.models import AuditLine
from core.extensions import db
from core.org.scope import Scope

PAGE = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for; an empty text leaves it open. ``subject`` is ``run:42``, or ``run:`` for all runs."""

    subject: str = ""
    action: str = ""
    actor: str = ""


def page_of_lines(scope: Scope, wanted: Filter, *, before: int | None = None) -> tuple[list[AuditLine], int | None]:
    """Up to 50 lines with ids below ``before``, newest first, and the id to go on below (none at the end)."""
    query = select(AuditLine).where(scope.covers(AuditLine.org_path))
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
    lines = list(db.session.scalars(query.order_by(AuditLine.id.desc()).limit(PAGE + 1)))
    return lines[:PAGE], lines[PAGE - 1].id if len(lines) > PAGE else None
