"""The accounts that a posting moves, read under the head of their book, so that nobody else can move them meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert, select

from core.errors import Refused
from core.extensions import db
from core.ledger.chart import chart
from core.ledger.models import Account, Book
from core.money import yuan
from core.org.models import Org

#: Org id, book, code.
AccountKey = tuple[int, str, str]


@dataclass(frozen=True)
class KeptAccount:
    """An account with what it holds, in fen; ``floor_fen`` is counted on its own side."""

    id: int
    side: int
    is_closed: bool
    floor_fen: int | None
    posted_fen: int


Accounts = dict[AccountKey, KeptAccount]


def accounts_of(paths: Mapping[AccountKey, str]) -> Accounts:
    """The accounts, made after the chart where they are missing; ``paths`` has the path of each account's union."""
    found = _find(list(paths))
    missing = sorted(set(paths) - set(found))
    if missing:
        db.session.execute(insert(Account).values([_new(key, paths[key]) for key in missing]))
        found |= _find(missing)
    return found


def refuse_closed(accounts: Accounts) -> None:
    """Raises :class:`Refused` naming an account that takes no more entries."""
    for (_org, book, code), account in accounts.items():
        if account.is_closed:
            raise Refused(_("The account %(account)s is closed.", account=_said(book, code)))


def refuse_breaches(accounts: Accounts, moved: Mapping[AccountKey, int]) -> None:
    """Raises :class:`Refused` naming the first account that would fall below its floor, its union, and what lacks.

    ``moved`` is what would be added to each, debits minus credits in fen. The database refuses the same.
    """
    for (org_id, book, code), fen in sorted(moved.items()):
        account = accounts[org_id, book, code]
        if account.floor_fen is None:
            continue
        lacking = account.floor_fen - account.side * (account.posted_fen + fen)
        if lacking > 0:
            raise Refused(
                _(
                    "%(org)s lacks %(amount)s yuan on the account %(account)s.",
                    org=db.session.get_one(Org, org_id).name,
                    amount=yuan(lacking),
                    account=_said(book, code),
                )
            )


_FIND = """
SELECT account.org_id, account.book, account.code, account.id, account.side, account.closed_on IS NOT NULL,
       kept.floor_fen, kept.posted_fen
  FROM unnest(%(orgs)s::bigint[], %(books)s::text[], %(codes)s::text[]) AS wanted (org_id, book, code)
  JOIN core_account account USING (org_id, book, code)
  JOIN core_account_balance kept ON kept.account_id = account.id
"""


def _find(keys: Sequence[AccountKey]) -> Accounts:
    wanted = dict(zip(("orgs", "books", "codes"), map(list, zip(*keys, strict=True)), strict=True))
    rows = db.session.connection().exec_driver_sql(_FIND, wanted)
    return {
        (org_id, book, code): KeptAccount(account_id, side, is_closed, floor_fen, posted_fen)
        for org_id, book, code, account_id, side, is_closed, floor_fen, posted_fen in rows
    }


def _new(key: AccountKey, org_path: str) -> dict[str, Any]:
    org_id, book, code = key
    title = chart()[book, code]
    return {
        "book": book,
        "org_id": org_id,
        "org_path": org_path,
        "code": code,
        "name": title.name,
        "currency": select(Book.currency).where(Book.code == book).scalar_subquery(),
        "side": title.side,
        "floor_fen": title.floor_fen,
    }


def _said(book: str, code: str) -> str:
    return f"{code} {chart()[book, code].name}"
