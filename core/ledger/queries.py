"""Reading both ledgers within a scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from core.errors import NotFound
from core.extensions import db
from core.ledger.models import Account, Activity, ActivityTemplate, Allotment, BudgetLine, Entry, Leg
from core.org.models import Org
from core.org.scope import Scope
from core.programs.models import ProgramYear

PAGE = 50


@dataclass(frozen=True)
class AccountBalance:
    """One account code over every union in the scope: debits and credits, both positive fen."""

    code: str
    name: str
    debit_fen: int
    credit_fen: int


@dataclass(frozen=True)
class BudgetRow:
    """One union's budget line in a program year."""

    org: Org
    allotted_fen: int
    held_fen: int
    used_fen: int

    @property
    def free_fen(self) -> int:
        """What may still be spent."""
        return self.allotted_fen - self.held_fen - self.used_fen


@dataclass(frozen=True)
class EntryRow:
    """One entry with the union that it belongs to and the sum of its debits."""

    entry: Entry
    org_name: str
    amount_fen: int


def entries(
    scope: Scope, *, program_year: ProgramYear | None = None, org: Org | None = None, before: int | None = None
) -> list[EntryRow]:
    """A page of entries, newest first; ``before`` is the last one's id. One row more says that there is more."""
    debit = (
        select(func.sum(Leg.amount_fen)).where(Leg.entry_id == Entry.id, Leg.amount_fen > 0).correlate(Entry)
    ).scalar_subquery()
    query = select(Entry, Org.name, debit).join(Org, Org.id == Entry.org_id).where(scope.covers(Entry.org_path))
    if program_year is not None:
        query = query.where(Entry.program_year_id == program_year.id)
    if org is not None:
        query = query.where(Scope((org.path,)).covers(Entry.org_path))
    if before is not None:
        query = query.where(Entry.id < before)
    rows = db.session.execute(query.order_by(Entry.id.desc()).limit(PAGE + 1))
    return [EntryRow(entry, name, int(amount)) for entry, name, amount in rows]


def find_entry(entry_id: int, scope: Scope) -> Entry:
    """The entry with its legs, if it lies in the scope; else :class:`NotFound`."""
    entry = db.session.scalars(
        select(Entry)
        .where(Entry.id == entry_id, scope.covers(Entry.org_path))
        .options(selectinload(Entry.legs).joinedload(Leg.account))
    ).first()
    if entry is None:
        raise NotFound(_("There is no such entry."))
    return entry


def balances(scope: Scope, *, program_year: ProgramYear | None = None) -> list[AccountBalance]:
    """The trial balance by account code; debits and credits come to the same sum."""
    debit = func.coalesce(func.sum(Leg.amount_fen).filter(Leg.amount_fen > 0), 0)
    credit = func.coalesce(-func.sum(Leg.amount_fen).filter(Leg.amount_fen < 0), 0)
    query = (
        select(Account.code, func.min(Account.name), debit, credit)
        .join(Leg, Leg.account_id == Account.id)
        .where(scope.covers(Account.org_path))
        .group_by(Account.code)
        .order_by(Account.code)
    )
    if program_year is not None:
        query = query.join(Entry, Entry.id == Leg.entry_id).where(Entry.program_year_id == program_year.id)
    return [AccountBalance(code, name, int(dr), int(cr)) for code, name, dr, cr in db.session.execute(query)]


def budgets_of(program_year: ProgramYear, scope: Scope) -> list[BudgetRow]:
    """The budget lines of a program year within the scope, by union code."""
    rows = db.session.execute(
        select(Org, BudgetLine)
        .join(BudgetLine, BudgetLine.org_id == Org.id)
        .where(BudgetLine.program_year_id == program_year.id, scope.covers(BudgetLine.org_path))
        .order_by(Org.code)
    )
    return [BudgetRow(org, line.allotted_fen, line.held_fen, line.used_fen) for org, line in rows]


def allotments_of(program_year: ProgramYear, scope: Scope, *, key: str | None = None) -> list[tuple[Allotment, Org]]:
    """What unions were given for a program year, within the scope, by union code; ``key`` picks one booking."""
    query = (
        select(Allotment, Org)
        .join(Org, Org.id == Allotment.org_id)
        .where(Allotment.program_year_id == program_year.id, scope.covers(Allotment.org_path))
        .order_by(Org.code, Allotment.id)
    )
    if key is not None:
        query = query.where(Allotment.key == key)
    return list(db.session.execute(query))


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


def activities(
    scope: Scope,
    template: ActivityTemplate,
    *,
    program_year: ProgramYear | None = None,
    before: int | None = None,
    since: date | None = None,
) -> list[tuple[Activity, str]]:
    """A page of the work ledger with the unions' names, newest first, in the columns of one form."""
    query = (
        select(Activity, Org.name)
        .join(Org, Org.id == Activity.org_id)
        .where(Activity.template == template.code, scope.covers(Activity.org_path))
    )
    if program_year is not None:
        query = query.where(Activity.program_year_id == program_year.id)
    if before is not None:
        query = query.where(Activity.id < before)
    if since is not None:
        query = query.where(Activity.held_on >= since)
    return list(db.session.execute(query.order_by(Activity.id.desc()).limit(PAGE + 1)))
