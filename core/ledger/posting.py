"""Posting to the fund ledger: idempotent by ``(scope, key)``, balanced, chained, in an open period, above the floor.

Each entry's digest covers the digest before it and the entry's whole content, so that a change of any of them shows
from there on. The lock on the chain head puts all postings of a book in one order, and so keeps the balances that are
read under it. Everybody locks in one order: the key, the hold, budget lines by id, the period, the head, and under it
the balances by id (docs/adr/0014).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.orm import make_transient_to_detached

from core.audit.services import Actor
from core.errors import Refused
from core.extensions import db
from core.ledger.accounts import AccountKey, Accounts, accounts_of, refuse_breaches, refuse_closed
from core.ledger.chart import STATUTORY, chart
from core.ledger.keys import key_used
from core.ledger.models import Account, Book, Entry, Leg
from core.money import LARGEST_FEN
from core.users.access import today

FIRST = hashlib.sha256(b"zhijia").digest()
#: What an entry is kept in unless it says otherwise.
CURRENCY = "CNY"


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One entry to post, all of it in the accounts of one union.

    ``legs`` are (account code, fen of ``currency``): debit positive, credit negative, together zero. ``effective_on``
    lies in an open period; a fact that came too late for its own is dated in this one, with ``happened_on`` as its day.
    ``basis_digest`` seals what the entry sums up. ``reverses`` is the id of the entry that it undoes.
    """

    scope: str
    key: str
    kind: str
    title: str
    description: str
    org_id: int
    org_path: str
    program_year_id: int | None
    effective_on: date
    legs: Sequence[tuple[str, int]]
    happened_on: date | None = None
    basis_digest: bytes | None = None
    reverses: int | None = None
    book: str = STATUTORY
    currency: str = CURRENCY

    @property
    def spent_fen(self) -> int:
        """The sum of its debits."""
        return sum(amount for _code, amount in self.legs if amount > 0)


@dataclass(frozen=True)
class Posted:
    """What came of a posting; ``replayed`` says that the same had been posted under its key before."""

    entry: Entry
    replayed: bool


def post_entries(actor: Actor, postings: Sequence[Posting]) -> list[Entry]:
    """Add the entries in the caller's transaction, or find those that the same keys posted before.

    Raises :class:`Refused` if a key was used for something else, or if an entry cannot stand in the books.
    """
    return [posted.entry for posted in enter(actor, postings)]


def enter(actor: Actor, postings: Sequence[Posting], *, new: bool = False) -> list[Posted]:
    """The same, telling which entries were there before; ``new`` says that their keys are held and there were none."""
    for posting in postings:
        _check(posting)
    db.session.flush()  # what follows goes past the unit of work: to build a statement costs more than to run it
    heads, states = _locked_heads(postings)
    before = {} if new else posted_before(postings)
    known = {key: Posted(entry, True) for key, entry in before.items()}
    fresh = [posting for posting in postings if (posting.scope, posting.key) not in known]
    if fresh:
        for posting in fresh:
            _refuse_book(posting, heads[posting.book])
            _refuse_period(posting, states[posting.book, posting.effective_on.replace(day=1)])
        accounts = accounts_of({(p.org_id, p.book, code): p.org_path for p in fresh for code, _amount in p.legs})
        refuse_closed(accounts)
        refuse_reversed(fresh)
        refuse_breaches(accounts, _moves(fresh))
        entries = _insert(actor, fresh, heads, accounts)
        known |= {(entry.scope, entry.key): Posted(entry, False) for entry in entries}
    return [known[posting.scope, posting.key] for posting in postings]


def canonical_digest(content: Mapping[str, Any]) -> bytes:
    """The digest of JSON values, however they are ordered and spaced."""
    said = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).digest()


def digest_of(posting: Posting) -> bytes:
    """The digest of what a posting asks for: under one key nothing else may be asked."""
    content = vars(posting) | {
        "effective_on": posting.effective_on.isoformat(),
        "happened_on": posting.happened_on.isoformat() if posting.happened_on else None,
        "legs": [list(leg) for leg in posting.legs],
        "basis_digest": posting.basis_digest.hex() if posting.basis_digest else None,
    }
    del content["org_path"]  # a union may move in the tree
    return canonical_digest(content)


def content_digest(entry: Entry, legs: Iterable[tuple[int, int, int]]) -> bytes:
    """The digest of what an entry says; ``legs`` are (line, account id, fen) in line order."""
    content: dict[str, Any] = {
        "book": entry.book,
        "seq": entry.seq,
        "org": entry.org_id,
        "program_year": entry.program_year_id,
        "effective_on": entry.effective_on.isoformat(),
        "posted_at": entry.posted_at.astimezone(UTC).isoformat(),
        "kind": entry.kind,
        "title": entry.title,
        "description": entry.description,
        "scope": entry.scope,
        "key": entry.key,
        "reverses": entry.reverses,
        "user": entry.user_id,
        "basis": entry.basis_digest.hex() if entry.basis_digest else None,
        "legs": [list(leg) for leg in legs],
    }
    if entry.happened_on is not None:
        content["happened_on"] = entry.happened_on.isoformat()
    return canonical_digest(content)


def chained(previous: bytes, content: bytes) -> bytes:
    """The digest of an entry in the chain."""
    return hashlib.sha256(previous + content).digest()


def posted_before(postings: Sequence[Posting]) -> dict[tuple[str, str], Entry]:
    """The entries that these keys posted, by key. Raises :class:`Refused` if one of them says something else."""
    keys = [(posting.scope, posting.key) for posting in postings]
    rows = db.session.scalars(_BY_KEY, {"keys": keys})
    known = {(entry.scope, entry.key): entry for entry in rows}
    for posting in postings:
        entry = known.get((posting.scope, posting.key))
        if entry is not None and digest_of(_posting_of(entry)) != digest_of(posting):
            raise key_used(posting.scope, posting.key)
    return known


_BY_KEY = select(Entry).where(tuple_(Entry.scope, Entry.key).in_(bindparam("keys", expanding=True)))


def legs_of(entry: Entry) -> list[tuple[str, int]]:
    """The legs of an entry as (account code, fen), in line order."""
    rows = db.session.execute(
        select(Account.code, Leg.amount_fen)
        .join(Account, Account.id == Leg.account_id)
        .where(Leg.entry_id == entry.id)
        .order_by(Leg.line)
    )
    return [(code, amount) for code, amount in rows]


def _posting_of(entry: Entry) -> Posting:
    """What was asked when the entry was posted, all of which the entry keeps."""
    return Posting(
        scope=entry.scope,
        key=entry.key,
        kind=entry.kind,
        title=entry.title,
        description=entry.description,
        org_id=entry.org_id,
        org_path=entry.org_path,
        program_year_id=entry.program_year_id,
        effective_on=entry.effective_on,
        legs=legs_of(entry),
        happened_on=entry.happened_on,
        basis_digest=entry.basis_digest,
        reverses=entry.reverses,
        book=entry.book,
        currency=db.session.scalars(select(Book.currency).where(Book.code == entry.book)).one(),
    )


def _check(posting: Posting) -> None:
    amounts = [amount for _code, amount in posting.legs]
    named = {"title": posting.title}
    if len(amounts) < 2:
        raise Refused(_("The entry “%(title)s” needs at least two lines.", **named))
    if 0 in amounts:
        raise Refused(_("The entry “%(title)s” has a line without an amount.", **named))
    if max(max(amounts), -min(amounts), posting.spent_fen) > LARGEST_FEN:
        raise Refused(_("The entry “%(title)s” is larger than any amount this system books.", **named))
    if sum(amounts) != 0:
        raise Refused(_("The entry “%(title)s” does not balance.", **named))
    for code, _amount in posting.legs:
        if (posting.book, code) not in chart():
            raise Refused(_("The chart of accounts has no account %(code)s.", code=code))
    if posting.effective_on > today():
        raise Refused(_("The day of posting lies in the future."), field="effective_on")
    if posting.happened_on is not None and posting.happened_on > posting.effective_on:
        raise Refused(_("A late fact lies before the day of its entry, not after it."), field="happened_on")


@dataclass
class _Head:
    seq: int
    digest: bytes
    currency: str


#: By book and the first of the month.
_States = dict[tuple[str, date], str]


def _locked_heads(postings: Sequence[Posting]) -> tuple[dict[str, _Head], _States]:
    """The head of each book and the state of each period that the postings touch, all of them held."""
    heads: dict[str, _Head] = {}
    states: _States = {}
    for book, month in sorted({(posting.book, posting.effective_on.replace(day=1)) for posting in postings}):
        row = db.session.connection().exec_driver_sql(_ENTER_BOOK, {"book": book, "day": month}).one()
        if row.state is None:
            raise Refused(_("There is no book %(book)s.", book=book))
        heads[book] = _Head(row.seq, row.digest, row.currency)
        states[book, month] = row.state
    return heads, states


_ENTER_BOOK = "SELECT state, currency, seq, digest FROM core_enter_book(%(book)s, %(day)s)"


def _refuse_book(posting: Posting, head: _Head) -> None:
    if head.currency != posting.currency:
        raise Refused(
            _(
                "The book %(book)s is kept in %(kept)s, and the entry says %(said)s.",
                book=posting.book,
                kept=head.currency,
                said=posting.currency,
            )
        )


def _refuse_period(posting: Posting, state: str) -> None:
    if state != "open":
        month = f"{posting.effective_on:%Y-%m}"
        raise Refused(
            _("The period %(month)s is closed; nothing can be dated in it.", month=month), field="effective_on"
        )


def refuse_reversed(postings: Sequence[Posting]) -> None:
    """Raises :class:`Refused` for what is undone already. Nobody undoes it meanwhile where the head is held."""
    undone = [posting.reverses for posting in postings if posting.reverses is not None]
    if undone and db.session.scalars(select(Entry.id).where(Entry.reverses.in_(undone)).limit(1)).first() is not None:
        raise Refused(_("This entry has been reversed already."))


def _moves(postings: Sequence[Posting]) -> dict[AccountKey, int]:
    """What the postings move on each account, in fen."""
    moved: dict[AccountKey, int] = {}
    for posting in postings:
        for code, amount in posting.legs:
            key = (posting.org_id, posting.book, code)
            moved[key] = moved.get(key, 0) + amount
    return moved


def _insert(actor: Actor, postings: Sequence[Posting], heads: dict[str, _Head], accounts: Accounts) -> list[Entry]:
    """One statement, however many entries. The database moves the head and the balances with them."""
    entries, rows, legs = [], [], []
    for posting in postings:
        head = heads[posting.book]
        row = _row(actor, posting, head)
        entry = Entry(**row)
        lines = [
            (line, accounts[posting.org_id, posting.book, code].id, amount)
            for line, (code, amount) in enumerate(posting.legs, start=1)
        ]
        entry.digest = chained(head.digest, content_digest(entry, lines))
        head.seq, head.digest = entry.seq, entry.digest
        entries.append(entry)
        rows.append(row | {"digest": entry.digest})
        legs += [(entry.book, entry.seq, *line) for line in lines]
    columns = {name: [row[name] for row in rows] for name in _ENTRY}
    columns |= dict(zip(_LEG, map(list, zip(*legs, strict=True)), strict=True))
    added = db.session.connection().exec_driver_sql(_INSERT, columns)
    ids = {(book, seq): entry_id for book, seq, entry_id in added}
    for entry in entries:
        entry.id = ids[entry.book, entry.seq]
        make_transient_to_detached(entry)  # what was just inserted, without reading it again
    db.session.add_all(entries)
    return entries


#: The columns of an entry that are posted, and of its legs, with the types of the database.
_ENTRY = {
    **dict.fromkeys(("book", "org_path", "kind", "title", "description", "scope", "key"), "text"),
    **dict.fromkeys(("seq", "org_id", "program_year_id", "reverses", "user_id"), "bigint"),
    **dict.fromkeys(("effective_on", "happened_on"), "date"),
    **dict.fromkeys(("basis_digest", "previous", "digest"), "bytea"),
    "posted_at": "timestamptz",
}
_LEG = {"of_book": "text", "of_seq": "bigint", "line": "bigint", "account_id": "bigint", "amount_fen": "bigint"}


def _unnested(columns: Mapping[str, str]) -> str:
    """Rows of lists, one for each column."""
    lists = ", ".join(f"%({name})s::{kind}[]" for name, kind in columns.items())
    return f"unnest({lists})"


# Floors hold for what the entries come to together, whatever their order.
_INSERT = f"""
WITH entry AS (
    INSERT INTO core_entry ({", ".join(_ENTRY)}) SELECT * FROM {_unnested(_ENTRY)} RETURNING book, seq, id
), leg AS (
    INSERT INTO core_leg (entry_id, line, account_id, amount_fen)
    SELECT entry.id, line, account_id, amount_fen
      FROM {_unnested(_LEG)} AS leg ({", ".join(_LEG)}) JOIN entry ON (book, seq) = (of_book, of_seq)
)
SELECT book, seq, id FROM entry
"""  # noqa: S608 - names of columns


def _row(actor: Actor, posting: Posting, head: _Head) -> dict[str, Any]:
    return {
        "book": posting.book,
        "seq": head.seq + 1,
        "org_id": posting.org_id,
        "org_path": posting.org_path,
        "program_year_id": posting.program_year_id,
        "effective_on": posting.effective_on,
        "happened_on": posting.happened_on,
        "posted_at": datetime.now(UTC),
        "kind": posting.kind,
        "title": posting.title,
        "description": posting.description,
        "scope": posting.scope,
        "key": posting.key,
        "reverses": posting.reverses,
        "user_id": actor.id,
        "basis_digest": posting.basis_digest,
        "previous": head.digest,
    }
