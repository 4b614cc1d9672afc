"""Reading both ledgers within a scope."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from core.errors import NotFound
from core.extensions import db
from core.ledger.models import BOOKINGS, Activity, ActivityTemplate, Allotment, Entry, Leg
from core.ledger.scope import BookScope
from core.org.models import Org
from core.org.scope import Scope
from core.programs.models import ProgramYear
from core.users.models import User

PAGE = 50


@dataclass(frozen=True)
class EntryRow:
    """One entry with the union that it belongs to and the sum of its debits."""

    entry: Entry
    org_name: str
    amount_fen: int


@dataclass(frozen=True)
class EntryDetail:
    """One entry with all that its page names; ``previous`` and ``next`` are ids in its book, within the scope."""

    entry: Entry
    org: Org
    program_year: ProgramYear | None
    poster: str | None
    reversed_by: int | None
    previous: int | None
    next: int | None


def entries(
    scope: BookScope, *, program_year: ProgramYear | None = None, org: Org | None = None, before: int | None = None
) -> list[EntryRow]:
    """A page of entries, newest first; ``before`` is the last one's id. One row more says that there is more."""
    debit = (
        select(func.sum(Leg.amount_fen)).where(Leg.entry_id == Entry.id, Leg.amount_fen > 0).correlate(Entry)
    ).scalar_subquery()
    query = select(Entry, Org.name, debit).join(Org, Org.id == Entry.org_id).where(scope.covers(Entry))
    if program_year is not None:
        query = query.where(Entry.program_year_id == program_year.id)
    if org is not None:
        query = query.where(Scope((org.path,)).covers(Entry.org_path))
    if before is not None:
        query = query.where(Entry.id < before)
    rows = db.session.execute(query.order_by(Entry.id.desc()).limit(PAGE + 1))
    return [EntryRow(entry, name, int(amount)) for entry, name, amount in rows]


def find_entry(entry_id: int, scope: BookScope) -> EntryDetail:
    """The entry with its legs, if it lies in the scope; else :class:`NotFound`."""
    reversal = select(Entry.id).where(Entry.reverses == entry_id).scalar_subquery()
    row = db.session.execute(
        select(Entry, Org, ProgramYear, User.name, reversal)
        .join(Org, Org.id == Entry.org_id)
        .outerjoin(ProgramYear, ProgramYear.id == Entry.program_year_id)
        .outerjoin(User, User.id == Entry.user_id)
        .where(Entry.id == entry_id, scope.covers(Entry))
        .options(selectinload(Entry.legs).joinedload(Leg.account))
    ).one_or_none()
    if row is None:
        raise NotFound(_("There is no such entry."))
    entry, org, program_year, poster, reversed_by = row
    same_book = select(Entry.id).where(Entry.book == entry.book, scope.covers(Entry)).limit(1)
    previous = db.session.scalar(same_book.where(Entry.seq < entry.seq).order_by(Entry.seq.desc()))
    following = db.session.scalar(same_book.where(Entry.seq > entry.seq).order_by(Entry.seq))
    return EntryDetail(entry, org, program_year, poster, reversed_by, previous, following)


@dataclass(frozen=True)
class Told:
    """One line of the work ledger with its form, union and program year, and the entry that it tells of, if any."""

    activity: Activity
    template: ActivityTemplate
    org: Org
    program_year: ProgramYear | None
    entry: Entry | None


def find_activity(activity_id: int, scope: BookScope) -> Told:
    """The line, if it lies in the scope; else :class:`NotFound`."""
    row = db.session.execute(
        select(Activity, ActivityTemplate, Org, ProgramYear, Entry)
        .join(ActivityTemplate, ActivityTemplate.code == Activity.template)
        .join(Org, Org.id == Activity.org_id)
        .outerjoin(ProgramYear, ProgramYear.id == Activity.program_year_id)
        .outerjoin(Entry, (Entry.id == Activity.entry_id) & scope.covers(Entry))
        .where(Activity.id == activity_id, scope.covers(Activity))
    ).one_or_none()
    if row is None:
        raise NotFound(_("There is no such line."))
    return Told(*row)


def told_of(entry: Entry, scope: BookScope) -> Sequence[Activity]:
    """The lines of the work ledger that tell of an entry, within the scope."""
    lines = select(Activity).where(Activity.entry_id == entry.id, scope.covers(Activity))
    return db.session.scalars(lines.order_by(Activity.id)).all()


def booking_of(entry: Entry) -> int | None:
    """The id of the booking that the entry belongs to, if money was booked: that of the first of its rows.

    Entries of givers and receivers are called ``year:key:union``.
    """
    if entry.scope not in BOOKINGS:
        return None
    key = entry.key.removeprefix(f"{entry.program_year_id}:").removesuffix(f":{entry.org_id}")
    rows = (Allotment.program_year_id == entry.program_year_id, Allotment.key == key)
    given = select(func.min(func.coalesce(Allotment.takes_back, Allotment.id)))
    return db.session.scalars(given.where(*rows)).one()


def years_in(book: type[Entry] | type[Activity], scope: BookScope) -> list[tuple[ProgramYear, str]]:
    """The program years that have lines in a book within the scope, with their sponsors' names, newest first."""
    lines = select(book.id).where(book.program_year_id == ProgramYear.id, scope.covers(book))
    rows = db.session.execute(
        select(ProgramYear, Org.name)
        .join(Org, Org.id == ProgramYear.org_id)
        .where(lines.exists())
        .order_by(ProgramYear.year.desc(), ProgramYear.program, ProgramYear.org_path)
    )
    return list(rows)


def templates() -> Sequence[ActivityTemplate]:
    """The forms of the work ledger, newest first."""
    return db.session.scalars(select(ActivityTemplate).order_by(ActivityTemplate.first_year.desc())).all()


def template_of_year(year: int) -> ActivityTemplate:
    """The form that is valid in a year: the newest that had begun by then. :class:`NotFound` if there is none."""
    found = db.session.scalars(
        select(ActivityTemplate)
        .where(ActivityTemplate.first_year <= year)
        .order_by(ActivityTemplate.first_year.desc())
        .limit(1)
    ).first()
    if found is None:
        raise NotFound(_("No form of the work ledger is valid in %(year)s.", year=year))
    return found


def find_template(code: str) -> ActivityTemplate:
    """The form of the work ledger with this code; :class:`NotFound` if there is none."""
    found = next((template for template in templates() if template.code == code), None)
    if found is None:
        raise NotFound(_("There is no such form of the work ledger."))
    return found
