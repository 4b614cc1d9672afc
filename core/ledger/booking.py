"""Single entries, each in a transaction of its own: :func:`post` and :func:`reverse`.

Both are idempotent by ``(scope, key)`` and keep what they refused (``core.ledger.keys``). They commit; what the caller
wrote before in the same transaction is committed with the entry, or lost with a refusal.
"""

from collections.abc import Callable
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select, update

from core.audit.services import Actor, record
from core.errors import NotFound, Refused
from core.extensions import db
from core.ledger.chart import SPENDING, STATUTORY
from core.ledger.keys import decided
from core.ledger.models import BOOKINGS, RUNS, BudgetLine, Entry, Hold
from core.ledger.posting import Posted, Posting, digest_of, enter, legs_of, posted_before, refuse_reversed
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.users.access import require
from core.wall import beyond_scope

POST = "ledger.post"
#: What other tables account for: such entries come and go with their runs and allotments only.
SUBLEDGERS = frozenset({*BOOKINGS, *RUNS})


@beyond_scope("ledger.post")
def post(actor: Actor, posting: Posting) -> Posted:
    """Post one entry, or find what the same posting came to before.

    Raises :class:`Refused` with one sentence if the entry cannot stand in the books, if it spends on a program (that is
    held on the budget line first: ``hold``, ``settle``), or if its key stands for something else;
    :class:`core.errors.Forbidden` without the permission to post for its union.
    """
    require_posting(actor, posting.org_path, posting.program_year_id)

    def act(is_posted: bool) -> tuple[Posted, bool]:
        refuse_subledger(posting.scope)
        refuse_shut(posting.program_year_id)
        _refuse_unbudgeted(posting)
        (posted,) = enter(actor, [posting], new=not is_posted)
        if not posted.replayed:
            record(actor, "ledger.post", f"entry:{posted.entry.id}", posting.org_path, title=posting.title)
        return posted, posted.replayed

    return _decided(posting.scope, posting.key, digest_of(posting), act, posting)


@beyond_scope("ledger.post")
def reverse(
    actor: Actor,
    *,
    scope: str,
    key: str,
    entry_id: int,
    effective_on: date,
    reason: str,
    then: Callable[[Entry], None] | None = None,
) -> Posted:
    """Undo an entry by one that mirrors it, dated in an open period; what a settled hold had used is free again.

    ``then`` writes what belongs to the new entry, in its transaction.

    Raises :class:`Refused` if it is reversed already, is a reversal itself, or belongs to a run or an allotment, which
    have ways back of their own; :class:`core.errors.NotFound` if there is none.
    """
    entry = db.session.get(Entry, entry_id)
    if entry is None:
        raise NotFound(_("There is no such entry."))
    require_posting(actor, entry.org_path, entry.program_year_id)
    if not reason.strip():
        raise Refused(_("Say why the entry is reversed."), field="reason")
    mirror = _mirror(entry, scope, key, effective_on, reason.strip())

    def act(is_posted: bool) -> tuple[Posted, bool]:
        known = posted_before([mirror]).get((scope, key)) if is_posted else None
        if known is not None:
            return Posted(known, True), True
        refuse_subledger(scope)
        refuse_subledger(entry.scope)
        if entry.reverses is not None:
            raise Refused(_("A reversal is not reversed; post the entry anew."))
        _give_back(mirror)
        (posted,) = enter(actor, [mirror], new=True)
        if then is not None:
            then(posted.entry)
        record(actor, "ledger.reverse", f"entry:{entry_id}", mirror.org_path, reason=mirror.description)
        return posted, posted.replayed

    return _decided(scope, key, digest_of(mirror), act, mirror)


def require_posting(actor: Actor, org_path: str, program_year_id: int | None) -> None:
    """Raises :class:`core.errors.Forbidden` unless ``actor`` may post for this union and program."""
    require(actor, POST, org_path, _program_year(program_year_id).program if program_year_id is not None else None)


def refuse_shut(program_year_id: int | None) -> None:
    """Raises :class:`Refused` when the program year takes no money now; without a program there is none to ask."""
    if program_year_id is not None and state_of(_program_year(program_year_id)) != "open":
        raise Refused(_("The program is not open; no money can be booked."))


def _program_year(program_year_id: int) -> ProgramYear:
    found = db.session.get(ProgramYear, program_year_id)
    if found is None:
        raise NotFound(_("There is no such program year."))
    return found


def _decided(
    scope: str, key: str, digest: bytes, act: Callable[[bool], tuple[Posted, bool]], posting: Posting
) -> Posted:
    def find() -> Posted | None:
        entry = posted_before([posting]).get((scope, key))
        return Posted(entry, True) if entry else None

    return decided(scope, key, digest, act, find)[0]


def refuse_subledger(scope: str) -> None:
    """Raises :class:`Refused` for a scope that another table accounts for."""
    if scope in SUBLEDGERS:
        raise Refused(_("Entries of runs and allotments are made and undone with them, not by themselves."))


def _refuse_unbudgeted(posting: Posting) -> None:
    """What moves from one account of spending to another spends nothing more. The database refuses the same."""
    if posting.program_year_id is None or posting.book != STATUTORY:
        return
    if sum(amount for code, amount in posting.legs if code.startswith(SPENDING)) > 0:
        raise Refused(_("Money spent on a program is held on its budget line first, and settled from there."))


def _mirror(entry: Entry, scope: str, key: str, effective_on: date, reason: str) -> Posting:
    return Posting(
        scope=scope,
        key=key,
        kind=entry.kind,
        title=f"冲销：{entry.title}",
        description=reason,
        org_id=entry.org_id,
        org_path=entry.org_path,
        program_year_id=entry.program_year_id,
        effective_on=effective_on,
        legs=[(code, -amount) for code, amount in legs_of(entry)],
        reverses=entry.id,
        book=entry.book,
    )


def _give_back(mirror: Posting) -> None:
    """What the undone entry used of a budget line is free again; the line is locked before anything of the book.

    Whoever undoes the same at the same moment waits for the hold, and then finds it undone.
    """
    used = select(Hold.settled_fen, Hold.budget_line_id).where(Hold.entry_id == mirror.reverses).with_for_update()
    for fen, line_id in db.session.execute(used).all():
        refuse_reversed([mirror])
        db.session.execute(
            update(BudgetLine)
            .where(BudgetLine.id == line_id)
            .values(used_fen=BudgetLine.used_fen - fen)
            .execution_options(synchronize_session=False)
        )
