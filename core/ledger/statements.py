"""The books as tables: the same rows on a page, on paper and in a file, with their totals and units."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import IO, Any

from flask_babel import get_locale
from flask_babel import gettext as _

from core.audit.services import record
from core.exports.writing import write_list
from core.extensions import db
from core.ledger.balances import AccountRow, Asked, CodeRow, Move, Sums
from core.ledger.income import MEASURES, SOURCES, YearRow
from core.ledger.models import Account, Book
from core.ledger.titles import account_name
from core.lists.columns import cell, headings
from core.lists.types import Column
from core.org.models import Org
from core.programs.queries import title_of
from core.users.access import today
from core.users.models import User

#: Kinds of files that a statement can be taken as.
KINDS = ("xlsx", "csv")


@dataclass(frozen=True)
class Statement:
    """A table. ``name`` says on record what it is; ``facts`` are (term, value) and say of what it is.

    ``totals`` are as long as ``columns``, or none.
    """

    name: str
    title: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    totals: Sequence[Any] = field(default=())


def download(actor: User, statement: Statement, kind: str, target: IO[bytes]) -> None:
    """Write the statement as one of :data:`KINDS`, totals and facts below the rows. That it was taken is on record."""
    lines: Iterable[Sequence[Any]] = chain(statement.rows, [statement.totals] if statement.totals else [])
    cells: Iterator[Sequence[str | int | Decimal]] = (
        [cell(column, value) for column, value in zip(statement.columns, line, strict=True)] for line in lines
    )
    write_list(target, kind, headings(statement.columns), chain(cells, statement.facts), statement.title)
    rows = len(statement.rows)
    record(actor, "ledger.download", f"statement:{statement.name}", actor.org_path, kind=kind, rows=rows)
    db.session.commit()


def of_codes(asked: Asked, book: Book, rows: Sequence[CodeRow]) -> Statement:
    """The trial balance (试算平衡表): each balance on the side where it stands; both sides come to the same."""
    columns = _two_sided(asked)
    lines: list[list[Any]] = [
        [row.code, account_name(book.code, row.code, row.name), *_on_both_sides(asked, row.sums)] for row in rows
    ]
    sums = [sum(line[at] or 0 for line in lines) for at in range(2, len(columns) + 2)]
    return Statement(
        name="balances",
        title=_("Trial balance"),
        facts=facts_of(asked, book),
        columns=[_text("code", _("Account code")), _text("name", _("Account title")), *columns],
        rows=lines,
        totals=["", _("Together"), *sums] if lines else (),
    )


def of_accounts(asked: Asked, book: Book, total: CodeRow, rows: Sequence[AccountRow]) -> Statement:
    """One account code by union. ``total`` is over all of them, also those that are not among ``rows``."""
    side = rows[0].account.side if rows else 1
    return Statement(
        name="accounts",
        title=_("Account %(code)s by union", code=total.code),
        facts=[*_account_facts(book, total.code, total.name, side), *facts_of(asked, book)],
        columns=[_text("org_code", _("Code of the union")), _text("org", _("Union")), *_one_sided(asked)],
        rows=[[row.org.code, row.org.name, *_on_one_side(asked, row.sums, side)] for row in rows],
        totals=["", _("Together"), *_on_one_side(asked, total.sums, side)],
    )


def of_account(
    asked: Asked, book: Book, account: Account, org: Org, sums: Sums, moves: Sequence[Move], *, is_first: bool
) -> Statement:
    """An account sheet (科目明细账): what was held before, each entry with what was held after it, and the sums."""
    side = account.side
    rows: list[list[Any]] = [
        [
            move.entry.effective_on,
            str(move.entry.seq),
            f"{move.entry.title}　{move.entry.description}".rstrip("　"),
            move.debit_fen or None,
            move.credit_fen or None,
            side * move.held_fen,
        ]
        for move in moves
    ]
    if asked.months and is_first:
        rows.insert(0, [asked.months.first, "", _("Opening balance"), None, None, side * sums.opening_fen])
    return Statement(
        name=f"account:{account.id}",
        title=_("Account sheet"),
        facts=[
            (_("Union"), org.name),
            *_account_facts(book, account.code, account.name, side),
            *facts_of(asked, book),
        ],
        columns=[
            Column(name="day", title=_("Day"), kind="day"),
            _text("entry", _("Entry number")),
            _text("summary", _("Summary")),
            _yuan("debit", _("Debits")),
            _yuan("credit", _("Credits")),
            _yuan("held", _("Balance")),
        ],
        rows=rows,
        totals=[None, "", _("Together"), sums.debit_fen, sums.credit_fen, side * sums.closing_fen],
    )


def of_income(asked: Asked, book: Book, rows: Sequence[YearRow]) -> Statement:
    """Income and spending (收支表) by program year and source."""
    locale = str(get_locale())
    lines: list[list[Any]] = [
        [
            f"{row.program_year.year} · {title_of(row.program_year, locale)}" if row.program_year else _("No program"),
            row.source,
            *row.fen,
        ]
        for row in rows
    ]
    sums = [sum(line[at] for line in lines) for at in range(2, len(MEASURES) + 2)]
    return Statement(
        name="income",
        title=_("Income and spending"),
        facts=facts_of(asked, book),
        columns=[
            _text("program_year", _("Program year")),
            Column(name="source", title=_("Source of money"), kind="choice", choices=SOURCES),
            *MEASURES,
        ],
        rows=lines,
        totals=[_("Together"), None, *sums] if lines else (),
    )


def facts_of(asked: Asked, book: Book) -> list[tuple[str, str]]:
    """Of what a statement is: book, months, program year, union, unit, and the day on which it was made."""
    locale = str(get_locale())
    months = asked.months
    found = [(_("Account book"), book_title(book))]
    if months:
        found.append(
            (_("Months"), _("%(first)s to %(last)s", first=f"{months.first:%Y-%m}", last=f"{months.last:%Y-%m}"))
        )
    if asked.program_year:
        found.append((_("Program year"), f"{asked.program_year.year} · {title_of(asked.program_year, locale)}"))
    if asked.org:
        found.append((_("Unions"), _("%(org)s and the unions below it", org=asked.org.name)))
    return [*found, (_("Unit"), _("yuan")), (_("Made on"), today().isoformat())]


def book_title(book: Book) -> str:
    """The book as people call it."""
    return str(book.title.get(str(get_locale())) or book.title["zh"])


def _account_facts(book: Book, code: str, name: str, side: int) -> list[tuple[str, str]]:
    return [
        (_("Account title"), f"{code} {account_name(book.code, code, name)}"),
        (_("Balance stands on"), _("Debit") if side > 0 else _("Credit")),
    ]


def _text(name: str, title: str) -> Column:
    return Column(name=name, title=title)


def _yuan(name: str, title: str) -> Column:
    return Column(name=name, title=title, kind="yuan")


def _has_moves(asked: Asked) -> bool:
    """Whether the turnover is known: kept balances do not tell it."""
    return asked.months is not None or not asked.is_whole


def _two_sided(asked: Asked) -> list[Column]:
    opening = [_yuan("opening_debit", _("Opening debit")), _yuan("opening_credit", _("Opening credit"))]
    moves = [_yuan("debit", _("Debits")), _yuan("credit", _("Credits"))]
    closing = [_yuan("closing_debit", _("Balance debit")), _yuan("closing_credit", _("Balance credit"))]
    return [*(opening if asked.months else []), *(moves if _has_moves(asked) else []), *closing]


def _on_both_sides(asked: Asked, sums: Sums) -> list[int]:
    opening = [max(sums.opening_fen, 0), max(-sums.opening_fen, 0)]
    closing = [max(sums.closing_fen, 0), max(-sums.closing_fen, 0)]
    moves = [sums.debit_fen, sums.credit_fen]
    return [*(opening if asked.months else []), *(moves if _has_moves(asked) else []), *closing]


def _one_sided(asked: Asked) -> list[Column]:
    opening, closing = _yuan("opening", _("Opening balance")), _yuan("closing", _("Balance"))
    moves = [_yuan("debit", _("Debits")), _yuan("credit", _("Credits"))]
    return [*([opening] if asked.months else []), *(moves if _has_moves(asked) else []), closing]


def _on_one_side(asked: Asked, sums: Sums, side: int) -> list[int]:
    opening, closing = side * sums.opening_fen, side * sums.closing_fen
    moves = [sums.debit_fen, sums.credit_fen]
    return [*([opening] if asked.months else []), *(moves if _has_moves(asked) else []), closing]
