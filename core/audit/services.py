"""Writing the audit line, in the caller's transaction: no change without its line, no line without its change."""

from typing import Any, Protocol

from sqlalchemy import insert

from core.audit.models import AuditLine
from core.audit.origin import origin_now
from core.extensions import db


class Actor(Protocol):
    """Whoever acts: a user, or :data:`SYSTEM` for commands and jobs nobody asked for."""

    @property
    def id(self) -> int | None: ...
    @property
    def name(self) -> str: ...


class _System:
    id = None
    name = "system"


SYSTEM: Actor = _System()
# Built once, and past the unit of work: there is a line for every change, and nobody asks for it again. Inline, as
# asking back for its number would need a reader of the line: who acts may be out of reach of the union it is about.
_INSERT = insert(AuditLine.__table__).inline()  # type: ignore[arg-type]  # the table of a model is one


def record(actor: Actor, action: str, subject: str, org_path: str, **data: Any) -> None:
    """Add a line ``actor action subject`` (``run.approve`` of ``run:42``); committed with the change itself."""
    line = {"user_id": actor.id, "actor": actor.name, "action": action, "object": subject}
    place = {"org_path": org_path, "acting_path": getattr(actor, "org_path", None)}
    db.session.connection().execute(_INSERT, line | place | origin_now()._asdict() | {"data": data})


def look(actor: Actor, action: str, subject: str, org_path: str, **data: Any) -> None:
    """Add a line for something that was only looked at or taken, and commit it, before it is shown."""
    record(actor, action, subject, org_path, **data)
    db.session.commit()
