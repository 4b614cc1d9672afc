"""The pages of the fund ledger: entries and one entry."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import NotFound
from core.ledger.closing import CLOSE, whole_tree
from core.ledger.models import RUNS, Account, Activity, Entry
from core.ledger.queries import PAGE, booking_of, entries, find_entry, told_of, years_in
from core.ledger.scope import VIEW, BookScope, book_scope
from core.ledger.titles import account_name
from core.org.models import Org
from core.org.queries import visible
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.queries import may_see, sponsor_code
from core.users.access import can, can_anywhere
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
    scope = book_scope(me())
    detail = find_entry(entry_id, scope)
    total_fen = sum(leg.amount_fen for leg in detail.entry.legs if leg.amount_fen > 0)
    return render_template(
        "ledger/entry.html",
        detail=detail,
        total_fen=total_fen,
        told=told_of(detail.entry, scope),
        origin=origin_of(detail.entry, detail.program_year),
    )


def origin_of(entry: Entry, program_year: ProgramYear | None) -> tuple[str, str] | None:
    """Title and address of what the entry belongs to, if the reader may open it: a run, a booking, a plugin's page."""
    if program_year is None:
        return None
    place: dict[str, Any] = {
        "year": program_year.year,
        "sponsor": sponsor_code(program_year),
        "program": program_year.program,
    }
    if entry.scope in RUNS and can_anywhere(me(), "run.view", program_year.program):
        return _("Run"), url_for("runs.show", run_id=entry.key.partition(":")[0], **place)
    if endpoint := _page_of_kind(entry, program_year):
        return _("Record of the program"), url_for(endpoint, entry_id=entry.id, **place)
    booking_id = booking_of(entry)
    return (_("Booking"), url_for("budget.booking", booking_id=booking_id, **place)) if booking_id else None


def _page_of_kind(entry: Entry, program_year: ProgramYear) -> str | None:
    """The page that the plugin has for such entries, if it has one."""
    kind = registry_of().entry_kinds.get(entry.kind)
    if kind is None or kind.endpoint not in current_app.view_functions or not may_see(me(), program_year):
        return None
    return kind.endpoint if current_app.url_map.is_endpoint_expecting(kind.endpoint, "entry_id") else None


def account_title(account: Account) -> str:
    """The account's name in the reader's language."""
    return account_name(account.book, account.code, account.name)


def may_record() -> bool:
    """Whether the reader may write lines of the work ledger somewhere."""
    return can_anywhere(me(), RECORD)


def may_close() -> bool:
    """Whether the reader may close the books."""
    return can_anywhere(me(), CLOSE) and can(me(), CLOSE, whole_tree())


@blueprint.context_processor
def _helpers() -> dict[str, Any]:
    return {"account_title": account_title, "may_close_books": may_close}
