"""The pages of the fund ledger: entries, one entry, the trial balance."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _

from core.errors import NotFound
from core.ledger.chart import STATUTORY, chart
from core.ledger.models import Account, Activity, Entry
from core.ledger.queries import PAGE, AccountBalance, balances, entries, find_entry, years_in
from core.ledger.scope import VIEW, BookScope, book_scope
from core.org.models import Org
from core.org.queries import visible
from core.programs.models import ProgramYear
from core.users.access import can_anywhere
from core.web.guard import me, needs

RECORD = "ledger.record"
blueprint = Blueprint("ledger", __name__, url_prefix="/ledger", template_folder="templates")


@dataclass(frozen=True)
class Filter:
    """What a page of a book is narrowed to, and the program years that it can be narrowed to."""

    years: list[tuple[ProgramYear, str]]
    program_year: ProgramYear | None
    org: Org | None

    @property
    def args(self) -> dict[str, str | int | None]:
        """The same as arguments of an address."""
        return {
            "program_year": self.program_year.id if self.program_year else None,
            "org": self.org.code if self.org else None,
        }


def wanted(book: type[Entry] | type[Activity], scope: BookScope) -> Filter:
    """The filter in the address. Raises :class:`NotFound` for what the reader may not see."""
    years = years_in(book, scope)
    number, code = request.args.get("program_year", type=int), request.args.get("org", "").strip()
    chosen = next((year for year, _sponsor in years if year.id == number), None)
    if number is not None and chosen is None:
        raise NotFound(_("The ledger has no lines of this program year, or none that you may see."))
    org = visible(scope.anywhere, code) if code else None
    if code and org is None:
        raise NotFound(_("There is no organisation with the code “%(code)s” here.", code=code))
    return Filter(years, chosen, org)


@blueprint.get("/")
@needs(VIEW)
def index() -> str:
    """The entries of the fund ledger, newest first."""
    scope = book_scope(me())
    only = wanted(Entry, scope)
    before = request.args.get("before", type=int)
    rows = entries(scope, program_year=only.program_year, org=only.org, before=before)
    shown = rows[:PAGE]
    return render_template(
        "ledger/index.html",
        only=only,
        rows=shown,
        total_fen=sum(row.amount_fen for row in shown),
        next=shown[-1].entry.id if len(rows) > PAGE else None,
        is_first=before is None,
    )


@blueprint.get("/entries/<int:entry_id>")
@needs(VIEW)
def entry(entry_id: int) -> str:
    """One entry with its legs and its place in the chain."""
    detail = find_entry(entry_id, book_scope(me()))
    total_fen = sum(leg.amount_fen for leg in detail.entry.legs if leg.amount_fen > 0)
    return render_template("ledger/entry.html", detail=detail, total_fen=total_fen)


@blueprint.get("/balances")
@needs(VIEW)
def trial_balance() -> str:
    """Debits and credits by account; they come to the same sum."""
    scope = book_scope(me())
    only = wanted(Entry, scope)
    rows = balances(scope, program_year=only.program_year, org=only.org)
    return render_template(
        "ledger/balances.html",
        only=only,
        rows=rows,
        debit_fen=sum(row.debit_fen for row in rows),
        credit_fen=sum(row.credit_fen for row in rows),
    )


def account_title(account: Account | AccountBalance) -> str:
    """The account's name as it was booked; in English as the chart translates it."""
    known = chart().get((STATUTORY, account.code))
    return known.name_en if known and str(get_locale()) == "en" else account.name


def may_record() -> bool:
    """Whether the reader may write lines of the work ledger somewhere."""
    return can_anywhere(me(), RECORD)


@blueprint.context_processor
def _helpers() -> dict[str, Any]:
    return {"account_title": account_title}
