"""Income and spending (收支) by program, source, union and account, from the entries of the statutory book.

Income is what accounts beginning with 4 take in, spending what those with 5 give out, as the union accounting system of
2009 numbers them. Money that higher unions grant to lower ones is income of these (403) and spending of those (506), so
both stand in columns of their own and cancel out over the whole tree.

Entries name no source (docs/adr/0016); it follows from what an entry belongs to: the booking of an allotment, the run,
or the hold that it settled. A reversal has the source of what it undoes. What was posted by itself has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, Text, case, cast, column, func, select, table
from sqlalchemy.orm import aliased

from core.extensions import db
from core.ledger.balances import Asked
from core.ledger.chart import GRANTS_TO_LOWER, HIGHER_GRANTS, SPENDING, STATUTORY, chart
from core.ledger.models import RUNS, Account, Allotment, BudgetLine, Entry, Hold, Leg
from core.ledger.scope import VIEW
from core.ledger.titles import SOURCE_TITLES
from core.lists.types import Column
from core.org.models import Org
from core.org.scope import Scope
from core.org.titles import LEVEL_TITLES
from core.plugin.types import Report, ReportContext
from core.programs.models import ProgramYear

#: No report of a plugin is called so.
NAME = "income-and-spending"
INCOME = "4"
MEASURES = (
    Column(name="own_fen", title=_l("Own funds"), kind="yuan"),
    Column(name="granted_fen", title=_l("Grants from above"), kind="yuan"),
    Column(name="lost_fen", title=_l("Taken back from it"), kind="yuan"),
    Column(name="passed_down_fen", title=_l("Passed down"), kind="yuan"),
    Column(name="regained_fen", title=_l("Taken back by it"), kind="yuan"),
    Column(name="spent_fen", title=_l("Spent"), kind="yuan"),
    Column(name="left_fen", title=_l("Left over"), kind="yuan"),
)
#: Where nothing says of which source money was.
SOURCES = SOURCE_TITLES | {"none": _l("No source")}
# The ledger may know the table of runs by name, not by import.
_RUN = table("core_run", column("id", BigInteger), column("source", Text))


@dataclass(frozen=True)
class YearRow:
    """What came in and went out of one source in a program year (or in none); ``fen`` in the order of MEASURES."""

    program_year: ProgramYear | None
    source: str
    fen: Sequence[int]


def income_report(program_year: ProgramYear) -> Report:
    """The report as one of the program's: by union, level, source and account."""
    english = str(get_locale()) == "en"
    names = {
        code: f"{code} {title.name_en if english else title.name}"
        for (book, code), title in chart().items()
        if book == STATUTORY and code[0] in (INCOME, SPENDING)
    }
    return Report(
        code=f"ledger.{NAME}",
        program=program_year.program,
        title=_l("Income and spending"),
        permission=VIEW,
        columns=(
            Column(name="source", title=_l("Source of money"), kind="choice", choices=SOURCES),
            Column(name="level", title=_l("Level"), kind="choice", choices=LEVEL_TITLES),
            Column(name="account", title=_l("Account title"), kind="choice", choices=names),
            *MEASURES,
        ),
        select=_facts_of_year,
    )


def by_program(asked: Asked) -> list[YearRow]:
    """What came in and went out by program year and source, the newest year first."""
    within = [asked.scope.covers(Entry)]
    if asked.program_year is not None:
        within.append(Entry.program_year_id == asked.program_year.id)
    if asked.org is not None:
        within.append(Scope((asked.org.path,)).covers(Entry.org_path))
    if asked.months is not None:
        within += [Entry.effective_on >= asked.months.first, Entry.effective_on < asked.months.end]
    facts = income_facts(*within).subquery("facts")
    sums = [func.sum(facts.c[measure.name]) for measure in MEASURES]
    rows = db.session.execute(
        select(ProgramYear, facts.c.source, *sums)
        .select_from(facts)
        .outerjoin(ProgramYear, ProgramYear.id == facts.c.program_year_id)
        .group_by(ProgramYear.id, facts.c.source)
        .order_by(ProgramYear.year.desc().nulls_last(), ProgramYear.program, ProgramYear.org_path, facts.c.source)
    )
    return [YearRow(program_year, source, [int(fen) for fen in fens]) for program_year, source, *fens in rows]


def income_facts(*within: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """A row for each leg on an account of income or spending, with the columns of the report."""
    origin = aliased(Entry)
    bookings = _bookings()
    booking = func.regexp_replace(origin.key, ":[0-9]+$", "")
    run_id = case((origin.scope.in_(RUNS), cast(func.split_part(origin.key, ":", 1), BigInteger)))
    source = func.coalesce(bookings.c.source, _RUN.c.source, BudgetLine.source, "none").label("source")
    return (
        select(
            Entry.org_path,
            Entry.program_year_id,
            Org.level.label("level"),
            source,
            Account.code.label("account"),
            *_measures(),
        )
        .select_from(Leg)
        .join(Account, Account.id == Leg.account_id)
        .join(Entry, Entry.id == Leg.entry_id)
        .join(Org, Org.id == Entry.org_id)
        .join(origin, origin.id == func.coalesce(Entry.reverses, Entry.id))
        .outerjoin(bookings, (bookings.c.scope == origin.scope) & (bookings.c.key == booking))
        .outerjoin(_RUN, _RUN.c.id == run_id)
        .outerjoin(Hold, Hold.entry_id == origin.id)
        .outerjoin(BudgetLine, BudgetLine.id == Hold.budget_line_id)
        .where(Entry.book == STATUTORY, func.left(Account.code, 1).in_((INCOME, SPENDING)), *within)
    )


def _facts_of_year(context: ReportContext) -> Select[*tuple[Any, ...]]:
    return income_facts(Entry.program_year_id == context.program_year.id, context.scope.covers(Entry.org_path))


def _bookings() -> Subquery:
    """The source of each booking of money by ``scope`` and ``key``, as the entries of its unions begin theirs."""
    kind = case(
        (Allotment.takes_back.is_not(None), "taken_back"),
        (Allotment.from_org_id.is_(None), "own_funds"),
        else_="allotment",
    )
    key = func.concat(Allotment.program_year_id, ":", Allotment.key)
    return (
        select(kind.label("scope"), key.label("key"), Allotment.source.label("source")).distinct().subquery("bookings")
    )


def _measures() -> list[ColumnElement[Any]]:
    """What a leg counts for, in fen, in the order of MEASURES. Debits of income and credits of spending lessen them."""
    is_back = Entry.scope == "taken_back"
    is_income = func.left(Account.code, 1) == INCOME
    is_grant, is_passed = Account.code == HIGHER_GRANTS, Account.code == GRANTS_TO_LOWER
    fen = Leg.amount_fen
    return [
        case((is_income & ~is_grant & ~is_back, -fen), else_=0).label("own_fen"),
        case((is_grant & ~is_back, -fen), else_=0).label("granted_fen"),
        case((is_income & is_back, fen), else_=0).label("lost_fen"),
        case((is_passed & ~is_back, fen), else_=0).label("passed_down_fen"),
        case((is_passed & is_back, -fen), else_=0).label("regained_fen"),
        case((~is_income & ~is_passed, fen), else_=0).label("spent_fen"),
        (-fen).label("left_fen"),
    ]
