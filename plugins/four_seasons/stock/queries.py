"""Reading the stock. Every list keeps to a scope; nothing here writes."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, Select, cast, func, literal, null, or_, select, union_all

from core.api import Entry, Org, Person, ProgramYear, Scope, User, db
from plugins.four_seasons.stock.models import Lot
from plugins.four_seasons.visits.models import Visit

#: Lots, or movements of one, on a page.
PAGE = 50


@dataclass(frozen=True)
class LotRow:
    """A lot with its union, and who wrote it down."""

    lot: Lot
    org: Org
    writer: str

    @property
    def given(self) -> int:
        """How many were given out."""
        return self.lot.quantity - self.lot.remaining


@dataclass(frozen=True)
class Movement:
    """What came into a lot (positive) or left it on a day: ``what`` is bought, given, put_back or undone.

    ``visit_id`` and ``whom`` are those of the visit, if it was one.
    """

    day: date
    what: str
    quantity: int
    visit_id: int | None
    whom: str


def lots_of(program_year: ProgramYear, scope: Scope, *, before: int | None = None) -> list[LotRow]:
    """A page of lots, newest first; ``before`` is the last one's id. One row more says that there is more."""
    query = _lots(program_year, scope).order_by(Lot.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Lot.id < before)
    return [LotRow(*row) for row in db.session.execute(query)]


def find_lot(
    program_year: ProgramYear, scope: Scope, *, lot_id: int | None = None, entry_id: int | None = None
) -> LotRow | None:
    """One lot in the scope, by its number or by the entry that spent or undid it."""
    entry = or_(Lot.entry_id == entry_id, Lot.reversal_id == entry_id)
    query = _lots(program_year, scope).where(Lot.id == lot_id if lot_id is not None else entry)
    row = db.session.execute(query).one_or_none()
    return LotRow(*row) if row else None


def worth_of(program_year: ProgramYear, scope: Scope) -> tuple[int, int]:
    """Fen that lots which stand cost, and what is left of them is worth."""
    bought, left = db.session.execute(
        select(
            func.coalesce(func.sum(Lot.quantity * Lot.price_fen), 0),
            func.coalesce(func.sum(Lot.remaining * Lot.price_fen), 0),
        ).where(Lot.program_year_id == program_year.id, Lot.reversal_id.is_(None), scope.covers(Lot.org_path))
    ).one()
    return int(bought), int(left)


def movements_of(lot: Lot, *, page: int = 1) -> list[Movement]:
    """A page of what came in and left, newest first; one row more says that there is more."""
    own, visited = (Lot.id == lot.id,), (Visit.lot_id == lot.id,)
    no_visit, nobody = cast(null(), BigInteger), literal("")
    undone = select(Entry.effective_on, literal("undone"), -Lot.quantity, no_visit, nobody, literal(3))
    whom = func.coalesce(Person.name, Visit.unit)
    back = select(Visit.undone_on, literal("put_back"), Visit.quantity, Visit.id, whom, literal(2))
    given = select(Visit.visited_on, literal("given"), -Visit.quantity, Visit.id, whom, literal(1))
    bought = select(Lot.bought_on.label("day"), literal("bought"), Lot.quantity, no_visit.label("visit_id"), nobody)
    rows = union_all(
        bought.add_columns(literal(0).label("place")).where(*own),
        given.outerjoin(Person, Person.id == Visit.person_id).where(*visited),
        back.outerjoin(Person, Person.id == Visit.person_id).where(*visited, Visit.undone_on.is_not(None)),
        undone.join(Entry, Entry.id == Lot.reversal_id).where(*own),
    ).subquery()
    query = select(rows).order_by(rows.c.day.desc(), rows.c.place.desc(), rows.c.visit_id.desc())
    found = db.session.execute(query.offset((page - 1) * PAGE).limit(PAGE + 1))
    return [Movement(*row[:5]) for row in found]


def _lots(program_year: ProgramYear, scope: Scope) -> Select[Lot, Org, str]:
    return (
        select(Lot, Org, func.coalesce(User.name, ""))
        .join(Org, Org.id == Lot.org_id)
        .outerjoin(User, User.id == Lot.user_id)
        .where(Lot.program_year_id == program_year.id, scope.covers(Lot.org_path))
    )
