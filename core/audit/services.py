"""Writing the audit line, in the caller's transaction: no change without its line, no line without its change."""

from typing import Any, Protocol

from sqlalchemy import insert

from core.audit.models import AuditLine
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
# Built once, and past the unit of work: there is a line for every change, and nobody asks for it again.
_INSERT = insert(AuditLine.__table__)  # type: ignore[arg-type]  # the table of a model is one


def record(actor: Actor, action: str, subject: str, org_path: str, **data: Any) -> None:
    """Add a line ``actor action subject`` (``run.approve`` of ``run:42``); committed with the change itself."""
    line = {"user_id": actor.id, "actor": actor.name, "action": action, "object": subject}
    db.session.connection().execute(_INSERT, line | {"org_path": org_path, "data": data})
