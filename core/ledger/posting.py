"""Posting to the fund ledger: idempotent by ``(scope, key)``, balanced, chained.

Each entry's digest covers the digest before it and the entry's whole content, so that a change of any of them shows
from there on. The lock on the chain head puts all postings of a book in one order; take it last.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.audit.services import Actor
from core.errors import Refused
from core.extensions import db
from core.ledger.chart import STATUTORY, chart
from core.ledger.models import Account, ChainHead, Entry, Leg
from core.money import LARGEST_FEN

FIRST = hashlib.sha256(b"zhijia").digest()


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One entry to post, all of it in the accounts of one union.

    ``legs`` are (account code, fen): debit positive, credit negative, together zero. ``basis_digest`` seals what the
    entry sums up. ``reverses`` is the id of the entry that it undoes.
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
    basis_digest: bytes | None = None
    reverses: int | None = None
    book: str = STATUTORY


def post_entries(actor: Actor, postings: Sequence[Posting]) -> list[Entry]:
    """Add the entries in the caller's transaction, or find those that the same keys posted before.

    Raises :class:`Refused` if a key was used for something else, or if an entry cannot stand in the books.
    """
    for posting in postings:
        _check(posting)
    heads = _locked_heads(sorted({posting.book for posting in postings}))
    known = _posted_before(postings)
    fresh = [posting for posting in postings if (posting.scope, posting.key) not in known]
    accounts = _ensure_accounts(fresh)
    for posting in fresh:
        known[posting.scope, posting.key] = _insert(actor, posting, heads[posting.book], accounts)
    for book, head in heads.items():
        db.session.execute(update(ChainHead).where(ChainHead.book == book).values(seq=head.seq, digest=head.digest))
    return [known[posting.scope, posting.key] for posting in postings]


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
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def chained(previous: bytes, content: bytes) -> bytes:
    """The digest of an entry in the chain."""
    return hashlib.sha256(previous + content).digest()


def _check(posting: Posting) -> None:
    amounts = [amount for _code, amount in posting.legs]
    if len(amounts) < 2 or sum(amounts) != 0 or 0 in amounts:
        raise Refused(_("The entry “%(title)s” does not balance.", title=posting.title))
    if max(amounts) > LARGEST_FEN:
        raise Refused(_("The entry “%(title)s” is larger than any amount this system books.", title=posting.title))
    for code, _amount in posting.legs:
        if code not in chart():
            raise Refused(_("The chart of accounts has no account %(code)s.", code=code))


def _posted_before(postings: Sequence[Posting]) -> dict[tuple[str, str], Entry]:
    keys = [(posting.scope, posting.key) for posting in postings]
    rows = db.session.scalars(select(Entry).where(tuple_(Entry.scope, Entry.key).in_(keys)))
    known = {(entry.scope, entry.key): entry for entry in rows}
    for posting in postings:
        entry = known.get((posting.scope, posting.key))
        if entry is not None and not _says_the_same(entry, posting):
            raise Refused(_("The key %(key)s has been used for another entry.", key=f"{posting.scope}/{posting.key}"))
    return known


def _says_the_same(entry: Entry, posting: Posting) -> bool:
    legs = [(leg.account.code, leg.amount_fen) for leg in entry.legs]
    fields = ("book", "kind", "title", "org_id", "program_year_id", "effective_on", "basis_digest", "reverses")
    return legs == list(posting.legs) and all(getattr(entry, name) == getattr(posting, name) for name in fields)


def _ensure_accounts(postings: Sequence[Posting]) -> dict[tuple[int, str, str], int]:
    wanted = {
        (posting.org_id, posting.book, code): {
            "book": posting.book,
            "org_id": posting.org_id,
            "org_path": posting.org_path,
            "code": code,
            "name": chart()[code].name,
        }
        for posting in postings
        for code, _amount in posting.legs
    }
    if not wanted:
        return {}
    rows = [wanted[key] for key in sorted(wanted)]
    db.session.execute(upsert(Account).values(rows).on_conflict_do_nothing())
    found = db.session.execute(
        select(Account.org_id, Account.book, Account.code, Account.id).where(
            tuple_(Account.org_id, Account.book, Account.code).in_(list(wanted))
        )
    )
    return {(org_id, book, code): account_id for org_id, book, code, account_id in found}


@dataclass
class _Head:
    seq: int
    digest: bytes


def _locked_heads(books: Sequence[str]) -> dict[str, _Head]:
    heads: dict[str, _Head] = {}
    for book in books:
        db.session.execute(upsert(ChainHead).values(book=book, digest=FIRST).on_conflict_do_nothing())
        row = db.session.execute(
            select(ChainHead.seq, ChainHead.digest).where(ChainHead.book == book).with_for_update()
        ).one()
        heads[book] = _Head(row.seq, row.digest)
    return heads


def _insert(actor: Actor, posting: Posting, head: _Head, accounts: dict[tuple[int, str, str], int]) -> Entry:
    entry = Entry(
        book=posting.book,
        seq=head.seq + 1,
        org_id=posting.org_id,
        org_path=posting.org_path,
        program_year_id=posting.program_year_id,
        effective_on=posting.effective_on,
        posted_at=datetime.now(UTC),
        kind=posting.kind,
        title=posting.title,
        description=posting.description,
        scope=posting.scope,
        key=posting.key,
        reverses=posting.reverses,
        user_id=actor.id,
        basis_digest=posting.basis_digest,
        previous=head.digest,
    )
    legs = [
        (line, accounts[posting.org_id, posting.book, code], amount)
        for line, (code, amount) in enumerate(posting.legs, start=1)
    ]
    entry.digest = chained(head.digest, content_digest(entry, legs))
    db.session.add(entry)
    db.session.flush()
    db.session.execute(
        insert(Leg),
        [
            {"entry_id": entry.id, "line": line, "account_id": account_id, "amount_fen": amount}
            for line, account_id, amount in legs
        ],
    )
    head.seq, head.digest = entry.seq, entry.digest
    return entry
