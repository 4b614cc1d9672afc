"""Reading budgets: lines, bookings, and among whom a union can share its money out. Nothing here writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, Subquery, case, func, select
from sqlalchemy.orm import aliased

from core.extensions import db
from core.ledger.models import UNION_FUNDS, Allotment, BudgetLine, Entry
from core.ledger.titles import SOURCE_TITLES
from core.org.models import LEVELS, Org
from core.org.scope import Scope, lies_below, subtree
from core.people.models import Person
from core.programs.models import ProgramYear

PAGE = 50


@dataclass(frozen=True)
class BudgetRow:
    """One union's budget line of one source in a program year. What was passed down to lower unions counts as used."""

    line_id: int
    org: Org
    source: str
    allotted_fen: int
    held_fen: int
    used_fen: int
    passed_down_fen: int

    @property
    def spent_fen(self) -> int:
        """What the union itself has spent."""
        return self.used_fen - self.passed_down_fen

    @property
    def free_fen(self) -> int:
        """What may still be spent."""
        return self.allotted_fen - self.held_fen - self.used_fen


@dataclass(frozen=True)
class BookingRow:
    """One allotment, one booking of own funds (no giver), or what was taken back, over the receivers in the scope.

    ``id`` is that of the first of its rows; ``taken_back_fen`` what was taken back of it since.
    """

    id: int
    key: str
    giver: str | None
    source: str
    receivers: int
    amount_fen: int
    taken_back_fen: int
    is_taking_back: bool
    effective_on: date
    description: str


@dataclass(frozen=True)
class Given:
    """What one union was given by one booking, and what was taken back of it since."""

    allotment: Allotment
    org: Org
    taken_back_fen: int

    @property
    def left_fen(self) -> int:
        """What it still has of it, spent or not."""
        return self.allotment.amount_fen - self.taken_back_fen


def passed_down(program_year_id: int) -> Subquery:
    """Giver (``from_org_id``) and ``source`` -> ``fen`` given to lower unions and not taken back."""
    fen = case((Allotment.takes_back.is_(None), Allotment.amount_fen), else_=-Allotment.amount_fen)
    return (
        select(Allotment.from_org_id, Allotment.source, func.sum(fen).label("fen"))
        .where(Allotment.program_year_id == program_year_id, Allotment.from_org_id.is_not(None))
        .group_by(Allotment.from_org_id, Allotment.source)
        .subquery()
    )


def budgets_of(program_year: ProgramYear, scope: Scope, *, source: str | None = None) -> list[BudgetRow]:
    """The budget lines of a program year within the scope, by union code; ``source`` picks the lines of one source."""
    passed = passed_down(program_year.id)
    query = (
        select(Org, BudgetLine, func.coalesce(passed.c.fen, 0))
        .join(BudgetLine, BudgetLine.org_id == Org.id)
        .outerjoin(passed, (passed.c.from_org_id == BudgetLine.org_id) & (passed.c.source == BudgetLine.source))
        .where(BudgetLine.program_year_id == program_year.id, scope.covers(BudgetLine.org_path))
        .order_by(Org.code, BudgetLine.source)
    )
    if source is not None:
        query = query.where(BudgetLine.source == source)
    return [
        BudgetRow(line.id, org, line.source, line.allotted_fen, line.held_fen, line.used_fen, int(fen))
        for org, line, fen in db.session.execute(query)
    ]


def bookings_of(program_year: ProgramYear, scope: Scope, *, before: int | None = None) -> list[BookingRow]:
    """A page of bookings, newest first; ``before`` is the last one's id. One row more says that there is more."""
    giver = aliased(Org)
    first, taken = func.min(Allotment.id), _taken(program_year.id)
    query = (
        select(
            first,
            Allotment.key,
            giver.name,
            Allotment.source,
            func.count(),
            func.sum(Allotment.amount_fen),
            func.coalesce(func.sum(taken.c.fen), 0),
            func.bool_or(Allotment.takes_back.is_not(None)),
            func.min(Entry.effective_on),
            func.min(Entry.description),
        )
        .join(Entry, Entry.id == Allotment.entry_id)
        .outerjoin(giver, giver.id == Allotment.from_org_id)
        .outerjoin(taken, taken.c.takes_back == Allotment.id)
        .where(Allotment.program_year_id == program_year.id, scope.covers(Allotment.org_path))
        .group_by(Allotment.key, giver.id, Allotment.source)
        .order_by(first.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.having(first < before)
    return [
        BookingRow(row[0], row[1], row[2], row[3], row[4], int(row[5]), int(row[6]), *row[7:])
        for row in db.session.execute(query)
    ]


def find_booking(program_year: ProgramYear, scope: Scope, booking_id: int) -> tuple[Allotment, Org | None] | None:
    """One row of a booking of this year that gave money, and who gave it, if its receiver lies in the scope."""
    giver = aliased(Org)
    row = db.session.execute(
        select(Allotment, giver)
        .outerjoin(giver, giver.id == Allotment.from_org_id)
        .where(
            Allotment.id == booking_id,
            Allotment.program_year_id == program_year.id,
            Allotment.takes_back.is_(None),
            scope.covers(Allotment.org_path),
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


def allotments_of(program_year: ProgramYear, scope: Scope, *, key: str | None = None) -> list[Given]:
    """What unions were given for a program year, within the scope, by union code; ``key`` picks one booking."""
    taken = _taken(program_year.id)
    query = (
        select(Allotment, Org, func.coalesce(taken.c.fen, 0))
        .join(Org, Org.id == Allotment.org_id)
        .outerjoin(taken, taken.c.takes_back == Allotment.id)
        .where(
            Allotment.program_year_id == program_year.id,
            Allotment.takes_back.is_(None),
            scope.covers(Allotment.org_path),
        )
        .order_by(Org.code, Allotment.id)
    )
    if key is not None:
        query = query.where(Allotment.key == key)
    return [Given(allotment, org, int(fen)) for allotment, org, fen in db.session.execute(query)]


def taken_back_of(program_year: ProgramYear, scope: Scope, key: str) -> list[tuple[Allotment, Org, Entry]]:
    """What was taken back of a booking within the scope, newest first: row, union and its entry."""
    given = select(Allotment.id).where(Allotment.program_year_id == program_year.id, Allotment.key == key)
    rows = db.session.execute(
        select(Allotment, Org, Entry)
        .join(Org, Org.id == Allotment.org_id)
        .join(Entry, Entry.id == Allotment.entry_id)
        .where(Allotment.takes_back.in_(given), scope.covers(Allotment.org_path))
        .order_by(Allotment.id.desc())
    )
    return [(row[0], row[1], row[2]) for row in rows]


def sources_in(program_year: ProgramYear) -> dict[str, str]:
    """The sources that have money in the year, with their titles; union funds always."""
    found = set(
        db.session.scalars(
            select(BudgetLine.source)
            .where(BudgetLine.program_year_id == program_year.id, BudgetLine.allotted_fen > 0)
            .distinct()
        )
    )
    return {source: str(title) for source, title in SOURCE_TITLES.items() if source in found | {UNION_FUNDS}}


def free_of(program_year: ProgramYear, org_ids: Iterable[int]) -> dict[tuple[int, str], int]:
    """(Org id, source) -> fen that is free on that line."""
    rows = db.session.execute(
        select(
            BudgetLine.org_id,
            BudgetLine.source,
            BudgetLine.allotted_fen - BudgetLine.held_fen - BudgetLine.used_fen,
        ).where(BudgetLine.program_year_id == program_year.id, BudgetLine.org_id.in_(list(org_ids)))
    )
    return {(org_id, source): int(free) for org_id, source, free in rows}


def first_giver(program_year: ProgramYear, scope: Scope) -> Org | None:
    """The highest union within the scope that has money in the year; of several the first by path."""
    return db.session.scalars(
        select(Org)
        .join(BudgetLine, BudgetLine.org_id == Org.id)
        .where(BudgetLine.program_year_id == program_year.id, scope.covers(BudgetLine.org_path))
        .order_by(func.length(Org.path), Org.path)
        .limit(1)
    ).first()


def levels_below(giver: Org) -> list[str]:
    """The levels below that of a union, from the top down."""
    return list(LEVELS[LEVELS.index(giver.level) + 1 :])


def receivers_of(giver: Org, level: str, limit: int) -> Sequence[Org]:
    """The active unions directly below, or of a level below, by code; one more than ``limit`` says that it is more."""
    where = (Org.level == level) & subtree(Org.path, giver.path) if level else Org.parent_id == giver.id
    query = select(Org).where(where, Org.active, Org.id != giver.id).order_by(Org.code)
    return db.session.scalars(query.limit(limit + 1)).all()


def people_below(orgs: Iterable[Org]) -> dict[int, int]:
    """Org id -> the number of active people on file at it and below it."""
    counted = (
        select(func.count())
        .select_from(Person)
        .where(lies_below(Person.org_path, Org.path), Person.active)
        .correlate(Org)
        .scalar_subquery()
    )
    return dict(db.session.execute(select(Org.id, counted).where(Org.id.in_([org.id for org in orgs]))).all())


def by_codes(codes: Iterable[str]) -> dict[str, Org]:
    """Unions by their codes, in whatever scope; who asks checks where they lie."""
    return {org.code: org for org in db.session.scalars(select(Org).where(Org.code.in_(list(codes))))}


def budget_facts(program_year_id: int, within: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    """A row for each budget line with the columns of the report of levels; ``funds_fen`` counts passed money once."""
    passed = passed_down(program_year_id)
    down = func.coalesce(passed.c.fen, 0)
    return (
        select(
            BudgetLine.org_path,
            Org.level.label("level"),
            BudgetLine.source,
            (BudgetLine.allotted_fen - down).label("funds_fen"),
            BudgetLine.allotted_fen.label("allotted_fen"),
            down.label("passed_down_fen"),
            BudgetLine.held_fen.label("held_fen"),
            (BudgetLine.used_fen - down).label("spent_fen"),
            (BudgetLine.allotted_fen - BudgetLine.held_fen - BudgetLine.used_fen).label("free_fen"),
        )
        .join(Org, Org.id == BudgetLine.org_id)
        .outerjoin(passed, (passed.c.from_org_id == BudgetLine.org_id) & (passed.c.source == BudgetLine.source))
        .where(BudgetLine.program_year_id == program_year_id, within)
    )


def _taken(program_year_id: int) -> Subquery:
    """Allotment (``takes_back``) -> ``fen`` taken back of it."""
    return (
        select(Allotment.takes_back, func.sum(Allotment.amount_fen).label("fen"))
        .where(Allotment.program_year_id == program_year_id, Allotment.takes_back.is_not(None))
        .group_by(Allotment.takes_back)
        .subquery("taken")
    )
