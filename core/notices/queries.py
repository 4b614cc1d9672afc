"""Reading notices: those that concern a reader's unions, their lines, the objections; and what these hold back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, exists, func, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from core.extensions import db
from core.lists.types import Column
from core.notices.models import Notice, NoticeLine, Objection
from core.notices.snapshot import shown_values
from core.org.models import Org
from core.org.scope import Scope, subtree
from core.people.models import Person
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.users.access import scope_of, today
from core.users.models import User

PAGE = 50
#: A day of the row, such as that of its application.
Since: TypeAlias = ColumnElement[date] | InstrumentedAttribute[date]
#: Lines that are printed in one piece, some 170 sheets; a browser gives up at a hundred thousand.
PART = 5_000


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Notices with the names of the unions that issue them; ``next_before`` is where the next page begins."""

    rows: Sequence[tuple[Notice, str]]
    next_before: int | None


def notices_of(program_year: ProgramYear, name: str, scope: Scope, before: int | None = None) -> NoticePage:
    """A page of the notices of a register that unions of the scope or above it issued, newest first."""
    query = _notices(program_year, name, scope).order_by(Notice.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Notice.id < before)
    rows = [(notice, org) for notice, org in db.session.execute(query)]
    return NoticePage(rows[:PAGE], rows[PAGE - 1][0].id if len(rows) > PAGE else None)


def find_notice(program_year: ProgramYear, name: str, notice_id: int, scope: Scope) -> tuple[Notice, str] | None:
    """One notice and the name of the union that issues it, if the reader's unions lie in its line."""
    if notice_id >= 2**63:  # the database could not even be asked
        return None
    row = db.session.execute(_notices(program_year, name, scope).where(Notice.id == notice_id)).one_or_none()
    return (row[0], row[1]) if row else None


def page_of(notice: Notice, scope: Scope, after: tuple[str, int] | None = None, size: int = PAGE) -> list[NoticeLine]:
    """A page of the lines in the order of the tree, one more than ``size`` if there is a next page."""
    query = _lines(notice, scope).limit(size + 1)
    if after is not None:
        query = query.where(tuple_(NoticeLine.org_path, NoticeLine.id) > after)
    return list(db.session.scalars(query))


def count_lines(notice: Notice, scope: Scope) -> int:
    """How many lines the reader may see."""
    return db.session.scalars(select(func.count()).select_from(_lines(notice, scope).subquery())).one()


def part_of(notice: Notice, scope: Scope, part: int) -> Sequence[NoticeLine]:
    """The lines of one part, counted from 1, of what is too long to be printed in one piece."""
    return db.session.scalars(_lines(notice, scope).offset((part - 1) * PART).limit(PART)).all()


def find_line(notice: Notice, line_id: int, scope: Scope) -> NoticeLine | None:
    """One line of the notice."""
    if line_id >= 2**63:
        return None
    return db.session.scalars(_lines(notice, scope).where(NoticeLine.id == line_id)).one_or_none()


def lines_of_row(register: Register, row_id: int) -> Sequence[tuple[Notice, NoticeLine]]:
    """Every notice that an entry stood under, newest first."""
    rows = db.session.execute(
        select(Notice, NoticeLine)
        .join(NoticeLine, NoticeLine.notice_id == Notice.id)
        .where(Notice.register == register.code, NoticeLine.row_id == row_id)
        .order_by(Notice.id.desc())
    )
    return [(notice, line) for notice, line in rows]


def objections_to(line: NoticeLine) -> Sequence[Objection]:
    """The objections to a line, in the order in which they were recorded."""
    return db.session.scalars(select(Objection).where(Objection.notice_line_id == line.id).order_by(Objection.id)).all()


def find_objection(line: NoticeLine, objection_id: int) -> Objection | None:
    """One objection to the line."""
    return next((one for one in objections_to(line) if one.id == objection_id), None)


def open_objections(
    program_year: ProgramYear | None = None,
) -> Sequence[tuple[ProgramYear, Notice, NoticeLine, Objection]]:
    """Every objection that nobody decided on yet, oldest first; there are few. Of one year, or of all that are on."""
    which = ProgramYear.enabled if program_year is None else ProgramYear.id == program_year.id
    rows = db.session.execute(
        select(ProgramYear, Notice, NoticeLine, Objection)
        .join(Notice, Notice.program_year_id == ProgramYear.id)
        .join(NoticeLine, NoticeLine.notice_id == Notice.id)
        .join(Objection, Objection.notice_line_id == NoticeLine.id)
        .where(Objection.upheld.is_(None), which)
        .order_by(Objection.id)
    )
    return [(year, notice, line, objection) for year, notice, line, objection in rows]


def handling_scope(user: User, program: str) -> Scope:
    """Where the user records objections or decides on them, and so may know of them."""
    scopes = [scope_of(user, code, program) for code in ("notice.object", "notice.decide")]
    return Scope.of(path for scope in scopes for path in scope.paths)


def preview_of(register: Register, rows: Select[int], columns: Sequence[Column], limit: int) -> Sequence[Row[Any, Any]]:
    """``org_path, shown`` of the first rows, as the notice would show them."""
    return db.session.execute(
        shown_lines(register, rows)
        .with_only_columns(register.model.org_path, shown_values(register, columns).label("shown"))
        .order_by(register.model.org_path, register.model.id)
        .limit(limit)
    ).all()


def shown_lines(register: Register, rows: Select[int]) -> Select[Any]:
    """The chosen rows, joined with all that a line shows."""
    model = register.model
    query: Select[Any] = select(model.id).select_from(model).join(Org, Org.id == model.org_id)
    if register.of_people:
        query = query.join(Person, Person.id == model.person_id)
    return query.where(model.id.in_(rows))


def count_of(rows: Select[int]) -> int:
    """How many rows were chosen."""
    return db.session.execute(select(func.count()).select_from(rows.subquery())).scalar_one()


def reach_of(org: Org) -> Scope:
    """The unions that a union can speak for: those below it, and an industry union's members wherever they lie."""
    members = select(Org.path).where(subtree(Org.industry_path, org.path))
    return Scope.of([org.path, *db.session.scalars(members)])


def running_with(register: Register, rows: Select[int]) -> tuple[Notice, int] | None:
    """A notice that runs and shows one of the rows, and how many of them; none if there is no such notice."""
    query = (
        select(Notice, func.count())
        .join(NoticeLine, NoticeLine.notice_id == Notice.id)
        .where(Notice.register == register.code, _runs(), NoticeLine.row_id.in_(rows))
        .group_by(Notice.id)
        .order_by(Notice.id)
        .limit(1)
    )
    row = db.session.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def under_objection(register: str, model: type[Any], since: Since | None = None) -> ColumnElement[bool]:
    """Whether a row of the register with this code stands under an objection that is open or was upheld.

    For the ``WHERE`` or the ``exclude_reason`` of a scheme, and for a flow: such an entry is not paid. A rule of public
    notices: record the objection, keep the entry out of payment until it is decided. ``since`` is as for
    :func:`was_announced`.
    """
    return exists().where(
        NoticeLine.row_id == model.id,
        NoticeLine.held,
        NoticeLine.notice_id == Notice.id,
        Notice.register == register,
        true() if since is None else Notice.posted_on >= since,
    )


def was_announced(register: str, model: type[Any], since: Since | None = None) -> ColumnElement[bool]:
    """Whether a row of the register with this code stood under a notice that has ended and was not withdrawn.

    ``since`` is the day, a column of the row, before which no notice counts: that of a new application.
    """
    return exists().where(
        NoticeLine.row_id == model.id,
        NoticeLine.notice_id == Notice.id,
        Notice.register == register,
        Notice.ends_on < today(),
        Notice.withdrawn_on.is_(None),
        true() if since is None else Notice.posted_on >= since,
    )


def _runs(day: date | None = None) -> ColumnElement[bool]:
    return (Notice.ends_on >= (day or today())) & Notice.withdrawn_on.is_(None)


def running_in(program_year: ProgramYear) -> Sequence[Notice]:
    """The notices of a program year that run today."""
    query = select(Notice).where(Notice.program_year_id == program_year.id, _runs())
    return db.session.scalars(query.order_by(Notice.id)).all()


def _notices(program_year: ProgramYear, name: str, scope: Scope) -> Select[Notice, str]:
    query = select(Notice, Org.name).join(Org, Org.id == Notice.org_id)
    return query.where(
        Notice.program_year_id == program_year.id,
        func.split_part(Notice.register, ".", 2) == name,  # by its name: reads without the plugin as well
        scope.meets(Notice.org_path),
    )


def _lines(notice: Notice, scope: Scope) -> Select[NoticeLine]:
    """The lines of unions in the reader's line: the reader's own, those below and those above."""
    return (
        select(NoticeLine)
        .where(NoticeLine.notice_id == notice.id, scope.meets(NoticeLine.org_path))
        .order_by(NoticeLine.org_path, NoticeLine.id)
    )
