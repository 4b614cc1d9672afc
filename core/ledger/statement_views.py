"""The pages that add up the fund ledger, each as a file too: trial balance, an account by union, an account sheet."""

import io
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from core.errors import ZhijiaError
from core.ledger import balances, statements
from core.ledger.balances import Asked
from core.ledger.closing import CLOSE, close_account
from core.ledger.forms import BookForm
from core.ledger.income import NAME, by_program
from core.ledger.models import Account, Book, Entry
from core.ledger.scope import VIEW, book_scope
from core.ledger.statements import Statement
from core.ledger.views import Filter, blueprint, wanted
from core.lists.columns import headings, shown
from core.org.models import Org
from core.org.queries import by_code
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code
from core.users.access import can
from core.web.filters import address
from core.web.forms import options
from core.web.guard import found, me, needs

#: Lines of an account sheet that is shown as a whole, to print it.
PRINTED = 5_000
KIND = f"<any({', '.join(statements.KINDS)}):kind>"
Page = str | tuple[str, int]


@dataclass(frozen=True)
class Look:
    """What the address asks for: the book, the months in ``form`` and the other filters."""

    form: BookForm
    only: Filter
    book: Book
    asked: Asked


def _look() -> Look:
    """What is wrong with the months is in the form. Raises :class:`core.errors.NotFound` for what one may not see."""
    form, books = BookForm(request.args), balances.books()
    form.book.choices = options({book.code: statements.book_title(book) for book in books})
    scope = book_scope(me())
    only = wanted(Entry, scope)
    months = form.months if form.validate() else None
    book = next((book for book in books if book.code == form.book.data), books[0])
    return Look(form, only, book, Asked(scope, book.code, months, only.program_year, only.org))


@blueprint.get("/balances")
@needs(VIEW)
def trial_balance() -> Page:
    """What the accounts of a book hold by code, and what moved on them; both sides come to the same sum."""
    look = _look()
    rows = [] if look.form.errors else balances.trial_balance(look.asked)
    statement = statements.of_codes(look.asked, look.book, rows)
    links = [_with_look(url_for(".accounts", code=row.code)) for row in rows]
    return _page("ledger/balances.html", look, statement, links=links)


@blueprint.get(f"/balances.{KIND}")
@needs(VIEW)
def download_balances(kind: str) -> Response:
    """The trial balance as a file."""
    look = _sound()
    return _file(statements.of_codes(look.asked, look.book, balances.trial_balance(look.asked)), kind)


@blueprint.get("/balances/<code>")
@needs(VIEW)
def accounts(code: str) -> Page:
    """One account of the chart by union."""
    look = _look()
    total = _total_of(look, code)
    after = by_code(request.args.get("after", "")) if "after" in request.args else None
    rows = balances.accounts_of_code(look.asked, code, after.path if after else "")
    listed = rows[: balances.PAGE]
    return _page(
        "ledger/accounts.html",
        look,
        statements.of_accounts(look.asked, look.book, total, listed),
        links=[_with_look(url_for(".account", account_id=row.account.id)) for row in listed],
        code=code,
        is_first=after is None,
        next=listed[-1].org.code if len(rows) > len(listed) else None,
    )


@blueprint.get(f"/balances/<code>.{KIND}")
@needs(VIEW)
def download_accounts(code: str, kind: str) -> Response:
    """One account of the chart by union as a file, all of it."""
    look = _sound()
    rows = balances.accounts_of_code(look.asked, code, limit=None)
    return _file(statements.of_accounts(look.asked, look.book, _total_of(look, code), rows), kind)


@blueprint.get("/accounts/<int:account_id>")
@needs(VIEW)
def account(account_id: int) -> Page:
    """The account sheet of one union."""
    return _sheet_page(account_id)


@blueprint.get(f"/accounts/<int:account_id>.{KIND}")
@needs(VIEW)
def download_account(account_id: int, kind: str) -> Response:
    """The account sheet as a file, all of it."""
    look, one, org = _account(_sound(), account_id)
    moves = balances.moves_of(look.asked, one, limit=None)
    sums = balances.sums_of(look.asked, one)
    return _file(statements.of_account(look.asked, look.book, one, org, sums, moves, is_first=True), kind)


@blueprint.post("/accounts/<int:account_id>/close")
@needs(CLOSE)
def shut_account(account_id: int) -> Page | AnyResponse:
    """Close the account, which must be empty."""
    _asked, one, _org = _account(_look(), account_id)
    try:
        close_account(me(), one.id)
    except ZhijiaError as error:
        return _sheet_page(account_id, str(error)), error.status
    flash(_("The account is closed; it takes no more entries."), "success")
    return redirect(url_for(".account", account_id=one.id))


@blueprint.get("/income")
@needs(VIEW)
def income() -> Page:
    """Income and spending by program year and source; each leads to the report of its year."""
    look = _look()
    rows = [] if look.form.errors else by_program(look.asked)
    links = [_report_of(row.program_year) if row.program_year else None for row in rows]
    return _page("ledger/income.html", look, statements.of_income(look.asked, balances.books()[0], rows), links=links)


@blueprint.get(f"/income.{KIND}")
@needs(VIEW)
def download_income(kind: str) -> Response:
    """Income and spending as a file."""
    look = _sound()
    return _file(statements.of_income(look.asked, balances.books()[0], by_program(look.asked)), kind)


def _report_of(program_year: ProgramYear) -> str:
    place: dict[str, Any] = {"sponsor": sponsor_code(program_year), "program": program_year.program}
    return url_for("reports.show", name=NAME, year=program_year.year, by=["org_path", "source"], **place)


def _sheet_page(account_id: int, problem: str = "") -> str:
    look, one, org = _account(_look(), account_id)
    after, is_printed = request.args.get("after", type=int), "all" in request.args
    limit = PRINTED if is_printed else balances.PAGE
    moves = balances.moves_of(look.asked, one, after, limit + 1)
    listed, sums = moves[:limit], balances.sums_of(look.asked, one)
    statement = statements.of_account(look.asked, look.book, one, org, sums, listed, is_first=after is None)
    links: list[str | None] = [url_for(".entry", entry_id=move.entry.id) for move in listed]
    return render_template(
        "ledger/account.html",
        look=look,
        statement=statement,
        links=[*[None] * (len(statement.rows) - len(links)), *links],
        account=one,
        org=org,
        sums=sums,
        problem=problem,
        may_close=one.closed_on is None and can(me(), CLOSE, one.org_path),
        is_first=after is None,
        next=listed[-1].entry.id if len(moves) > limit else None,
        with_look=_with_look,
        headings=headings,
        shown=shown,
    )


def _account(look: Look, account_id: int) -> tuple[Look, Account, Org]:
    """The account in its own book, whatever book the address names."""
    one, org = found(balances.find_account(look.asked.scope, account_id))
    book = next(book for book in balances.books() if book.code == one.book)
    asked = Asked(look.asked.scope, one.book, look.asked.months, look.asked.program_year)
    return Look(look.form, look.only, book, asked), one, org


def _total_of(look: Look, code: str) -> balances.CodeRow:
    return found(next((row for row in balances.trial_balance(look.asked) if row.code == code), None))


def _sound() -> Look:
    """Raises :class:`ZhijiaError` where the address asks for months that there are not."""
    look = _look()
    for field in look.form:
        if field.errors:
            raise ZhijiaError(str(field.errors[0]))
    return look


def _page(template: str, look: Look, statement: Statement, **values: object) -> Page:
    page = render_template(
        template, look=look, statement=statement, with_look=_with_look, headings=headings, shown=shown, **values
    )
    return page, 400 if look.form.errors else 200


def _with_look(base: str, **more: str | int | None) -> str:
    """An address with the same book, months and filters."""
    names = ("book", "first", "last", "program_year", "org")
    return address(base, {name: request.args.get(name) for name in names} | more)


def _file(statement: Statement, kind: str) -> Response:
    target = io.BytesIO()
    statements.download(me(), statement, kind, target)
    target.seek(0)
    name = f"{statement.title}-{statement.facts[-1][1]}.{kind}"
    return send_file(target, as_attachment=True, download_name=name, max_age=0)
