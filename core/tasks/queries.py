"""Reading tasks and messages: what waits for a user, what is overdue below them, what they were told.

A task waits for the people of its own union who hold the permission *there*, not for everybody above; those above see
it in the list of what is overdue. What belongs to a year that is off or closed for good waits for nobody.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, func, or_, select, true, tuple_, union_all, values
from sqlalchemy import column as named
from sqlalchemy.dialects.postgresql import distinct_on

from core.extensions import db
from core.org.models import Org
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.tasks.models import Mail, Message, Task
from core.users.access import can_anywhere, permission_of, posts_of, scope_of, today, users_holding
from core.users.models import Grant, User
from core.users.roles import PERMISSIONS

PAGE = 50
#: Counts end here: a menu says “999+”.
MOST = 1000
SUPERVISE = "task.supervise"
#: Stands for no last day in the address of a page.
NEVER = date(9999, 12, 31)
#: Tasks and messages of program years that are on, or of none.
YEAR_RUNS = or_(ProgramYear.id.is_(None), ProgramYear.enabled & ProgramYear.closed_at.is_(None))


@dataclass(frozen=True, slots=True)
class TaskRow:
    """An open task with its union and its program year, if it belongs to one."""

    task: Task
    org: Org
    program_year: ProgramYear | None


def _mine(user: User) -> list[ColumnElement[bool]]:
    """The open tasks that wait for ``user``, as conditions that exclude each other: by name, then for each union.

    Conditions on :class:`Task`, outer joined with its program year. One for each union, as the database then finds the
    most urgent in the order of an index, however much waits there.
    """
    posts: dict[int, list[ColumnElement[bool]]] = defaultdict(list)
    for grant, codes in posts_of(user):
        of_program = true() if grant.program is None else ProgramYear.program == grant.program
        posts[grant.org_id].append(Task.permission.in_(codes) & of_program)
    whose = [Task.user_id == user.id] + [(Task.org_id == org_id) & or_(*held) for org_id, held in posts.items()]
    running = and_(Task.done_at.is_(None), Task.not_user_id.is_distinct_from(user.id), YEAR_RUNS)
    return [condition & running for condition in whose]


def mine(user: User) -> ColumnElement[bool]:
    """The open tasks that wait for ``user``, as one condition."""
    return or_(*_mine(user))


def _supervised(user: User) -> ColumnElement[bool]:
    """The tasks of the unions that ``user`` supervises, for each program in which they do."""
    singled_out = {grant.program for grant in user.grants if grant.program is not None}
    scopes = [scope_of(user, SUPERVISE).covers(Task.org_path)]
    scopes += [
        (ProgramYear.program == program) & scope_of(user, SUPERVISE, program).covers(Task.org_path)
        for program in sorted(singled_out)
    ]
    return or_(*scopes)


def _overdue_below(user: User) -> ColumnElement[bool]:
    """The overdue tasks of the unions that ``user`` supervises."""
    return and_(Task.done_at.is_(None), Task.due_on < today(), _supervised(user), YEAR_RUNS)


def page_of_mine(
    user: User, *, program: str = "", after: tuple[date, int] | None = None, limit: int = PAGE
) -> list[TaskRow]:
    """What waits for ``user``, the most urgent first, and one row more than ``limit`` if there are more."""
    return _page(_mine(user), program, after, limit)


def page_of_overdue(user: User, *, program: str = "", after: tuple[date, int] | None = None) -> list[TaskRow]:
    """What is overdue in the unions that ``user`` supervises, the longest overdue first; one row more than a page."""
    return _page([_overdue_below(user)], program, after, PAGE)


def count_mine(user: User) -> int:
    """How much waits for ``user``, at most :data:`MOST`."""
    return _count(mine(user))


def count_overdue(user: User) -> int:
    """How much is overdue in the unions that ``user`` supervises, at most :data:`MOST`."""
    return _count(_overdue_below(user)) if can_anywhere(user, SUPERVISE) else 0


def count_my_overdue(user: User) -> int:
    """How much of what waits for ``user`` is overdue, at most :data:`MOST`."""
    return _count(mine(user) & (Task.due_on < today()))


def find_overdue(user: User, task_id: int) -> TaskRow | None:
    """One overdue task of the unions that ``user`` supervises."""
    rows = _rows(_overdue_below(user) & (Task.id == task_id))
    return next(iter(_read(rows)), None)


def place_of(row: TaskRow) -> tuple[date, int]:
    """Where a list goes on after this row."""
    return row.task.due_on or NEVER, row.task.id


def _rows(condition: ColumnElement[bool]) -> Select[Task, Org, ProgramYear]:
    query = select(Task, Org, ProgramYear).join(Org, Org.id == Task.org_id)
    return query.outerjoin(ProgramYear, ProgramYear.id == Task.program_year_id).where(condition)


def _read(query: Select[Task, Org, ProgramYear]) -> list[TaskRow]:
    return [TaskRow(task, org, year) for task, org, year in db.session.execute(query)]


def _page(
    conditions: list[ColumnElement[bool]], program: str, after: tuple[date, int] | None, limit: int
) -> list[TaskRow]:
    """The first of what any of these conditions finds, by last day; each looks in the order of an index."""
    more = [true() if after is None else _behind(*after)]
    if program:
        more.append(ProgramYear.program == program)
    firsts = [
        select(Task.id)
        .outerjoin(ProgramYear, ProgramYear.id == Task.program_year_id)
        .where(condition, *more)
        .order_by(Task.due_on, Task.id)
        .limit(limit + 1)
        for condition in conditions
    ]
    found = union_all(*firsts).subquery()
    return _read(_rows(Task.id.in_(select(found.c.id))).order_by(Task.due_on, Task.id).limit(limit + 1))


def _behind(day: date, number: int) -> ColumnElement[bool]:
    """Behind a place of a list by last day, in which tasks without one come last."""
    if day == NEVER:
        return Task.due_on.is_(None) & (Task.id > number)
    return or_(tuple_(Task.due_on, Task.id) > (day, number), Task.due_on.is_(None))


def _count(condition: ColumnElement[bool]) -> int:
    found = select(Task.id).outerjoin(ProgramYear, ProgramYear.id == Task.program_year_id).where(condition)
    return db.session.scalars(select(func.count()).select_from(found.limit(MOST).subquery())).one()


def programs_of_mine(user: User) -> list[ProgramYear]:
    """A program year of each program from which something waits for ``user``, for a filter."""
    return _programs(mine(user))


def programs_of_overdue(user: User) -> list[ProgramYear]:
    """A program year of each program with something overdue that ``user`` supervises, for a filter."""
    return _programs(_overdue_below(user))


def _programs(condition: ColumnElement[bool]) -> list[ProgramYear]:
    query = select(ProgramYear).join(Task, Task.program_year_id == ProgramYear.id).where(condition)
    return list(db.session.scalars(query.ext(distinct_on(ProgramYear.program)).order_by(ProgramYear.program)))


def holders(permission: str, org_id: int, program: str | None = None) -> Select[int]:
    """The ids of the users who hold ``permission`` at this union itself, for ``program`` or for every one."""
    return users_holding(permission, program).where(Grant.org_id == org_id).distinct()


def _counts(program: Any) -> ColumnElement[bool]:
    """Whether a grant counts today, for a program given as a column."""
    return or_(Grant.program.is_(None), Grant.program == program) & (Grant.until.is_(None) | (Grant.until >= today()))


def doers(tasks: Any) -> Select[int, int]:
    """``user_id, task_id`` of everybody for whom a task of the subquery ``tasks`` waits; its year is not looked at.

    ``tasks`` has the columns ``id, org_id, permission, user_id, not_user_id, program_year_id``.
    """
    role_of = _roles()
    by_permission = (
        select(User.id.label("user_id"), tasks.c.id.label("task_id"))
        .select_from(tasks)
        .join(role_of, role_of.c.permission == tasks.c.permission)
        .join(Grant, (Grant.org_id == tasks.c.org_id) & (Grant.role == role_of.c.role))
        .join(User, User.id == Grant.user_id)
        .outerjoin(ProgramYear, ProgramYear.id == tasks.c.program_year_id)
        .where(User.active, _counts(ProgramYear.program), tasks.c.not_user_id.is_distinct_from(User.id))
    )
    by_name = (
        select(User.id.label("user_id"), tasks.c.id.label("task_id"))
        .select_from(tasks)
        .join(User, User.id == tasks.c.user_id)
        .where(User.active, tasks.c.not_user_id.is_distinct_from(User.id))
    )
    both = by_permission.union(by_name).subquery()
    return select(both.c.user_id, both.c.task_id)


def supervisors(tasks: Any) -> Select[int, int]:
    """``user_id, task_id``: who is to know of each task of the subquery, as :func:`supervising` says."""
    return supervising(
        select(tasks.c.id.label("task_id"), Org.path, ProgramYear.program)
        .select_from(tasks)
        .join(Org, Org.id == tasks.c.org_id)
        .outerjoin(ProgramYear, ProgramYear.id == tasks.c.program_year_id)
    )


def supervising(places: Select[int, str, Any], permission: str | None = None) -> Select[int, int]:
    """``user_id, task_id``: who supervises at the nearest union above each place that has a supervisor; at the root
    above nobody, its own. ``places`` selects ``task_id, path, program``.

    A supervisor also holds ``permission``, if one is given.
    """
    lain = places.subquery()
    roles = {role for item in PERMISSIONS if item.code == SUPERVISE for role in item.roles}
    if permission is not None:
        known = permission_of(permission)
        roles &= set(known.roles if known else ())
    above = func.starts_with(lain.c.path, Grant.org_path) & (Grant.org_path != lain.c.path)
    is_root = func.length(lain.c.path) - func.length(func.replace(lain.c.path, "/", "")) == 2  # "/61/"
    near = func.rank().over(partition_by=lain.c.task_id, order_by=func.length(Grant.org_path).desc())
    found = (
        select(User.id.label("user_id"), lain.c.task_id, near.label("distance"))
        .select_from(lain)
        .join(Grant, Grant.role.in_(sorted(roles)) & (above | (is_root & (Grant.org_path == lain.c.path))))
        .join(User, User.id == Grant.user_id)
        .where(User.active, _counts(lain.c.program))
        .subquery()
    )
    return select(found.c.user_id, found.c.task_id).where(found.c.distance == 1).distinct()


def left_undone(tasks: Any) -> Select[int]:
    """The ids of those tasks of the subquery that nobody may do: nobody at the union holds what is asked for."""
    able = doers(tasks).subquery()
    return select(tasks.c.id).where(tasks.c.id.not_in(select(able.c.task_id)))


def open_now(*conditions: ColumnElement[bool]) -> Any:
    """The open tasks of years that are on, under conditions, as :func:`doers` takes them."""
    columns = (Task.id, Task.org_id, Task.permission, Task.user_id, Task.not_user_id, Task.program_year_id)
    tasks = select(*columns).outerjoin(ProgramYear, ProgramYear.id == Task.program_year_id)
    return tasks.where(Task.done_at.is_(None), YEAR_RUNS, *conditions).subquery()


def undone_below(user: User, *, program: str = "", limit: int) -> list[Any]:
    """What waits in the unions that ``user`` supervises for a permission that nobody there holds, the oldest first.

    ``Org, ProgramYear, permission, count, overdue, oldest_due`` a row; without a permission it waits for one user.
    """
    below = _supervised(user)
    stuck = left_undone(open_now(below, *([ProgramYear.program == program] if program else [])))
    late = func.count().filter(Task.due_on < today())
    query = (
        select(Org, ProgramYear, Task.permission, func.count(), late, func.min(Task.due_on))
        .select_from(Task)
        .join(Org, Org.id == Task.org_id)
        .outerjoin(ProgramYear, ProgramYear.id == Task.program_year_id)
        .where(Task.id.in_(stuck))
        .group_by(Org.id, ProgramYear.id, Task.permission)
        .order_by(func.min(Task.due_on), Org.path)
    )
    return list(db.session.execute(query.limit(limit)))


def _roles() -> Any:
    """Which role holds which permission, as a table that a statement can join."""
    pairs = [(item.code, role) for item in [*PERMISSIONS, *registry_of().permissions.values()] for role in item.roles]
    return values(named("permission", String), named("role", String), name="held").data(pairs)


def page_of_messages(user: User, *, before: int | None = None) -> list[tuple[Message, ProgramYear | None]]:
    """The inbox of ``user``, the newest first, before the message with this id; one row more than a page."""
    query = select(Message, ProgramYear).outerjoin(ProgramYear, ProgramYear.id == Message.program_year_id)
    query = query.where(Message.user_id == user.id)
    if before is not None:
        query = query.where(Message.id < before)
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(Message.id.desc()).limit(PAGE + 1))]


def count_unread(user: User) -> int:
    """How many messages ``user`` has not read, at most :data:`MOST`."""
    unread = select(Message.id).where(Message.user_id == user.id, Message.read_at.is_(None)).limit(MOST)
    return db.session.scalars(select(func.count()).select_from(unread.subquery())).one()


def find_message(user: User, message_id: int) -> tuple[Message, ProgramYear | None] | None:
    """A message of this user."""
    query = select(Message, ProgramYear).outerjoin(ProgramYear, ProgramYear.id == Message.program_year_id)
    row = db.session.execute(query.where(Message.id == message_id, Message.user_id == user.id)).one_or_none()
    return (row[0], row[1]) if row else None


def still_owed(most_attempts: int) -> ColumnElement[bool]:
    """Mails that were not given up: not refused too often, and not older than a day."""
    return (Mail.attempts < most_attempts) & (Mail.created_at > func.now() - timedelta(days=1))


def owed_mails(most_attempts: int) -> list[int]:
    """The ids of mails that are not sent and were not given up, the oldest first."""
    owed = select(Mail.id).where(Mail.sent_at.is_(None), still_owed(most_attempts))
    return list(db.session.scalars(owed.order_by(Mail.id)))
