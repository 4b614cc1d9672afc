"""Opening and finishing tasks, telling users something, and what users do with both.

Opening, finishing and telling are part of somebody else's change: they write in the caller's transaction, and the
caller commits and leaves the audit line. Each is one statement, however many rows there are.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CursorResult, Select, String, delete, func, literal, select, update
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import JSONB, insert

from core.audit.services import Actor, record
from core.errors import Refused
from core.extensions import db
from core.tasks.kinds import TaskKind
from core.tasks.models import Message, Task
from core.tasks.queries import TaskRow, doers
from core.users.access import today
from core.users.models import User
from core.wall import beyond_scope

URGED = TaskKind(code="tasks.urged", title=_l("You are urged to do what is overdue: %(task)s"), endpoint="tasks.index")
#: The columns of a message in the order in which a SELECT gives them.
MESSAGE = ("user_id", "kind", "subject", "data", "address", "program_year_id", "key")
#: What a SELECT of tasks must and may name.
NEEDED = {"subject", "org_id", "org_path"}
ALLOWED = NEEDED | {"data", "address", "program_year_id", "permission", "user_id", "not_user_id", "due_on"}


@beyond_scope("tasks.open")
def open_task(
    kind: TaskKind,
    subject: str,
    org_id: int,
    org_path: str,
    *,
    permission: str | None = None,
    user_id: int | None = None,
    program_year_id: int | None = None,
    due_on: date | None = None,
    not_user_id: int | None = None,
    data: Mapping[str, Any] | None = None,
    address: Mapping[str, Any] | None = None,
) -> None:
    """Let something wait for those who hold ``permission`` at the union ``org_id``, or for the user ``user_id``.

    ``due_on`` is the last day in time (see ``add_working_days``); ``not_user_id`` never sees it. ``data`` are the
    values of the kind's title and ``address`` those of its page: JSON values, never personal data. Does nothing while
    the same kind waits for the same people about the same ``subject``. In the caller's transaction.
    """
    row = {
        "kind": kind.code,
        "subject": subject,
        "org_id": org_id,
        "org_path": org_path,
        "permission": permission,
        "user_id": user_id,
        "program_year_id": program_year_id,
        "due_on": due_on,
        "not_user_id": not_user_id,
        "data": _json_only(data or {}),
        "address": _json_only(address or {}),
    }
    db.session.execute(insert(Task).values(row).on_conflict_do_nothing())


@beyond_scope("tasks.open")
def open_tasks(kind: TaskKind, rows: Select[*tuple[Any, ...]]) -> int:
    """A task for each row of a SELECT, as :func:`open_task` would open it; returns how many are new.

    The SELECT labels ``subject, org_id, org_path`` and any of ``permission, user_id, program_year_id, due_on,
    not_user_id, data, address``. Raises :class:`ValueError` for other columns.
    """
    source = rows.subquery()
    names = list(source.c.keys())
    if not NEEDED <= set(names) <= ALLOWED:
        raise ValueError(f"A SELECT of tasks names {', '.join(sorted(NEEDED))} and nothing beyond {sorted(ALLOWED)}.")
    picked = select(literal(kind.code), *(source.c[name] for name in names))
    return _count(insert(Task).from_select(["kind", *names], picked).on_conflict_do_nothing())


@beyond_scope("tasks.finish")
def finish_tasks(
    actor: Actor, subjects: str | Select[str], kinds: Iterable[TaskKind] = (), *, user_id: int | None = None
) -> int:
    """Take what waits about a subject, or about each of a SELECT, from everybody's list; returns how many there were.

    Of these ``kinds`` only if any are given, and only what waits for the user ``user_id`` if one is given.
    """
    about = Task.subject == subjects if isinstance(subjects, str) else Task.subject.in_(subjects)
    change = update(Task).where(Task.done_at.is_(None), about)
    if codes := [kind.code for kind in kinds]:
        change = change.where(Task.kind.in_(codes))
    if user_id is not None:
        change = change.where(Task.user_id == user_id)
    return _count(change.values(done_at=func.now(), done_by=actor.id))


@beyond_scope("tasks.notify")
def notify(
    kind: TaskKind,
    users: Iterable[int] | Select[int],
    subject: str,
    *,
    program_year_id: int | None = None,
    data: Mapping[str, Any] | None = None,
    address: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> int:
    """Put a message into the inbox of each of these users (ids, or a SELECT of ids); returns how many got it.

    With a ``key`` nobody gets the same message twice while it is kept (90 days after it was read). Users whose account
    is closed get none.
    """
    chosen = User.id.in_(users if isinstance(users, Select) else list(users))
    picked = select(
        User.id,
        literal(kind.code),
        literal(subject),
        literal(_json_only(data or {}), JSONB),
        literal(_json_only(address or {}), JSONB),
        as_type(literal(program_year_id), Message.program_year_id.type),
        as_type(literal(key), String),
    ).where(User.active, chosen)
    return _count(insert(Message).from_select(MESSAGE, picked).on_conflict_do_nothing())


@beyond_scope("tasks.notify")
def tell_anew(
    kind: TaskKind,
    people: Select[int, Any],
    subject: str,
    day: date,
    *,
    program_year_id: int | None = None,
    address: Mapping[str, Any] | None = None,
) -> int:
    """Put a message about a subject into the inbox of each user of ``people``; returns how many got it.

    The SELECT labels ``user_id`` and ``data``, the values of the kind's title. Once a day (Asia/Shanghai); what an
    earlier one said that is not read yet is out of date and goes. In the caller's transaction.
    """
    key = f"{kind.code}:{subject}:{day.isoformat()}"
    old = (Message.kind == kind.code, Message.subject == subject, Message.key != key, Message.read_at.is_(None))
    db.session.execute(delete(Message).where(*old), execution_options={"synchronize_session": False})
    told = people.subquery()
    values = select(
        told.c.user_id,
        literal(kind.code),
        literal(subject),
        told.c.data,
        literal(_json_only(address or {}), JSONB),
        as_type(literal(program_year_id), Message.program_year_id.type),
        literal(key),
    )
    return _count(insert(Message).from_select(MESSAGE, values).on_conflict_do_nothing())


def mark_read(user: User, message_id: int | None = None) -> int:
    """Mark one message of the user as read, or all of them; returns how many were not read before."""
    change = update(Message).where(Message.user_id == user.id, Message.read_at.is_(None))
    if message_id is not None:
        change = change.where(Message.id == message_id)
    count = _count(change.values(read_at=func.now()))
    db.session.commit()
    return count


@beyond_scope("tasks.urge")
def urge(actor: User, row: TaskRow) -> None:
    """Tell those for whom an overdue task waits that it is urgent (催办), once a day; found in the scope of the actor.

    Raises :class:`Refused` when it was urged today already, and when nobody at the union could do it.
    """
    task, day = row.task, today()
    wanted = doers(select(Task).where(Task.id == task.id).subquery()).subquery()
    told = notify(
        URGED,
        select(wanted.c.user_id),
        task.subject,
        program_year_id=task.program_year_id,
        data={"task": {"kind": task.kind, "data": task.data}},
        key=f"urge:{task.id}:{day.isoformat()}",
    )
    if not told:
        raise Refused(_("Nobody was told: it was urged today already, or nobody at this union holds the permission."))
    record(actor, "task.urge", task.subject, task.org_path, kind=task.kind, told=told)
    db.session.commit()


def _count(statement: Any) -> int:
    options = {"preserve_rowcount": True, "synchronize_session": False}
    result = db.session.execute(statement, execution_options=options)
    assert isinstance(result, CursorResult)  # noqa: S101  # what INSERT and UPDATE give
    return result.rowcount


def _json_only(values: Mapping[str, Any]) -> dict[str, Any]:
    plain = dict(values)
    if json.loads(json.dumps(plain)) != plain:
        raise TypeError("The values of a task must be JSON values that stay the same when read back.")
    return plain
