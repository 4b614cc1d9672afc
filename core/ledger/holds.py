"""Holding money of a budget line until it is known what is spent: :func:`hold`, then :func:`settle` or :func:`void`.

:func:`spend` holds and settles at once, for what is known already.

Available is always allotted - held - used. What is settled becomes used, at most what was held; the rest is free again.
All of it commits, and is idempotent: a hold and a settlement by their keys, a hold that was voided stays so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Select, func, select, update

from core.audit.services import SYSTEM, Actor, record
from core.errors import NotFound, Refused
from core.extensions import db
from core.ledger.booking import refuse_shut, refuse_subledger, require_posting
from core.ledger.keys import decided, key_used, retried
from core.ledger.models import BudgetLine, Entry, Hold
from core.ledger.posting import Posted, Posting, canonical_digest, digest_of, enter, posted_before
from core.money import LARGEST_FEN, yuan
from core.org.models import Org
from core.users.access import today
from core.wall import beyond_scope

#: Before the scope of a hold that was refused.
HOLD = "hold:"
#: Holds that the clock gives back in one transaction.
BATCH = 500


@dataclass(frozen=True)
class Held:
    """What came of a hold; ``replayed`` says that it had been so before."""

    hold: Hold
    replayed: bool


@beyond_scope("ledger.hold")
def hold(
    actor: Actor, *, scope: str, key: str, budget_line_id: int, amount_fen: int, expires_at: datetime | None = None
) -> Held:
    """Hold fen of a budget line, until ``expires_at`` (with its zone) if that is given.

    Raises :class:`Refused` naming who lacks how much, for an amount that is none, or for a key that stands for
    something else; :class:`NotFound` if there is no such line.
    """
    line = _line(budget_line_id)
    org_path, program_year_id = line.org_path, line.program_year_id
    require_posting(actor, org_path, program_year_id)
    digest = canonical_digest(
        {
            "budget_line": budget_line_id,
            "amount_fen": amount_fen,
            "expires_at": expires_at.timestamp() if expires_at else None,
        }
    )

    def find() -> Hold | None:
        known = db.session.scalars(select(Hold).where(Hold.scope == scope, Hold.key == key)).one_or_none()
        if known is not None and known.digest != digest:
            raise key_used(scope, key)
        return known

    def act(_is_posted: bool) -> tuple[Hold, bool]:
        known = find()
        if known is not None:
            return known, True
        refuse_shut(program_year_id)
        made = Hold(
            scope=scope,
            key=key,
            digest=digest,
            budget_line_id=budget_line_id,
            amount_fen=amount_fen,
            held_on=today(),
            expires_at=expires_at,
            user_id=actor.id,
        )
        _open(made)
        record(actor, "ledger.hold", f"hold:{made.id}", org_path, amount_fen=amount_fen)
        return made, False

    # An entry may have the same key: what becomes of a hold is another question.
    return Held(*decided(f"{HOLD}{scope}", key, digest, act, find))


@beyond_scope("ledger.hold")
def settle(actor: Actor, *, hold_id: int, posting: Posting) -> Posted:
    """Post what was spent of a hold, at most what was held; the rest is free again.

    The sum of the debits of ``posting`` is what was spent; it is of the union and the program year of the budget line,
    and its key makes the settlement idempotent. Raises :class:`Refused` for more than was held, for another union's
    entry, for a hold that is settled, void or expired, and whatever :func:`core.ledger.booking.post` refuses.
    """
    line = _line_of(hold_id)
    require_posting(actor, line.org_path, line.program_year_id)
    digest = canonical_digest({"hold": hold_id, "posting": digest_of(posting).hex()})

    def find() -> Posted | None:
        entry = posted_before([posting]).get((posting.scope, posting.key))
        if entry is None:
            return None
        if _locked(hold_id).entry_id != entry.id:
            raise key_used(posting.scope, posting.key)
        return Posted(entry, True)

    def act(is_posted: bool) -> tuple[Posted, bool]:
        known = find() if is_posted else None
        if known is not None:
            return known, True
        locked = _locked(hold_id)
        _refuse_ended(locked)
        _refuse_late(locked)
        refuse_subledger(posting.scope)
        _refuse_foreign(posting, line)
        spent = posting.spent_fen
        if spent > locked.amount_fen:
            raise Refused(_("No more than the %(amount)s yuan held can be settled.", amount=yuan(locked.amount_fen)))
        posted = _settle(actor, locked, posting)
        record(actor, "ledger.settle", f"hold:{hold_id}", posting.org_path, amount_fen=spent, entry=posted.entry.id)
        return posted, posted.replayed

    return decided(posting.scope, posting.key, digest, act, find)[0]


@beyond_scope("ledger.hold")
def spend(
    actor: Actor, *, budget_line_id: int, posting: Posting, then: Callable[[Entry], None] | None = None
) -> Posted:
    """Post what is spent of a budget line, held and settled in one transaction under the key of ``posting``.

    ``then`` writes what belongs to the new entry, in its transaction. Raises :class:`Refused` naming who lacks how
    much, for another union's entry, and whatever :func:`core.ledger.booking.post` refuses; :class:`NotFound` if there
    is no such line.
    """
    line = _line(budget_line_id)
    require_posting(actor, line.org_path, line.program_year_id)
    digest = canonical_digest({"budget_line": budget_line_id, "posting": digest_of(posting).hex()})

    def find() -> Posted | None:
        entry = posted_before([posting]).get((posting.scope, posting.key))
        if entry is None:
            return None
        settled = select(Hold.id).where(Hold.entry_id == entry.id, Hold.budget_line_id == budget_line_id)
        if db.session.scalars(settled).first() is None:
            raise key_used(posting.scope, posting.key)
        return Posted(entry, True)

    def act(is_posted: bool) -> tuple[Posted, bool]:
        known = find() if is_posted else None
        if known is not None:
            return known, True
        refuse_subledger(posting.scope)
        refuse_shut(line.program_year_id)
        _refuse_foreign(posting, line)
        made = Hold(
            scope=posting.scope,
            key=posting.key,
            digest=digest,
            budget_line_id=budget_line_id,
            amount_fen=posting.spent_fen,
            held_on=today(),
            user_id=actor.id,
        )
        _open(made)
        posted = _settle(actor, made, posting)
        if then is not None:
            then(posted.entry)
        about = {"amount_fen": made.amount_fen, "entry": posted.entry.id}
        record(actor, "ledger.spend", f"hold:{made.id}", posting.org_path, **about)
        return posted, False

    return decided(posting.scope, posting.key, digest, act, find)[0]


@beyond_scope("ledger.hold")
def void(actor: Actor, *, hold_id: int) -> Held:
    """Give back what is held; once is enough. Raises :class:`Refused` for a hold that is settled or expired."""
    line = _line_of(hold_id)
    require_posting(actor, line.org_path, line.program_year_id)
    org_path = line.org_path

    def end() -> Held:
        locked = _locked(hold_id)
        if locked.state == "void":
            db.session.commit()
            return Held(locked, True)
        _refuse_ended(locked)
        _give_back(locked)
        locked.state = "void"
        record(actor, "ledger.void", f"hold:{hold_id}", org_path, amount_fen=locked.amount_fen)
        db.session.commit()
        return Held(locked, False)

    return retried(end)


def expire() -> int:
    """Give back what is held beyond its time, a batch a transaction; returns how many holds. The clock calls it."""
    count = 0
    while batch := retried(_expire_batch):
        count += batch
    return count


def _expire_batch() -> int:
    late = db.session.scalars(
        select(Hold)
        .where(Hold.state == "open", Hold.expires_at <= func.now())
        .order_by(Hold.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    paths = dict(db.session.execute(_paths_of([one.budget_line_id for one in late])).all())
    for one in sorted(late, key=lambda each: each.budget_line_id):
        _give_back(one)
        one.state = "expired"
        record(SYSTEM, "ledger.expire", f"hold:{one.id}", paths[one.budget_line_id], amount_fen=one.amount_fen)
    db.session.commit()
    return len(late)


def _line(line_id: int) -> BudgetLine:
    line = db.session.get(BudgetLine, line_id)
    if line is None:
        raise NotFound(_("There is no such budget line."))
    return line


def _line_of(hold_id: int) -> BudgetLine:
    line = db.session.scalars(select(BudgetLine).join(Hold).where(Hold.id == hold_id)).one_or_none()
    if line is None:
        raise NotFound(_("There is no such hold."))
    return line


def _locked(hold_id: int) -> Hold:
    return db.session.get_one(Hold, hold_id, with_for_update=True, populate_existing=True)


def _refuse_ended(locked: Hold) -> None:
    said = {
        "settled": _("This hold is settled already."),
        "void": _("This hold was given back already."),
        "expired": _("This hold has expired."),
    }
    if locked.state != "open":
        raise Refused(said[locked.state])


def _refuse_late(locked: Hold) -> None:
    """The clock may not have come by yet; the database's time decides."""
    now = db.session.scalars(select(func.now())).one()
    if locked.expires_at is not None and locked.expires_at <= now:
        raise Refused(_("This hold has expired."))


def _refuse_foreign(posting: Posting, line: BudgetLine) -> None:
    if (posting.org_id, posting.program_year_id) != (line.org_id, line.program_year_id):
        raise Refused(_("The entry is not of the union and the program year that the money is held for."))


def _refuse_amount(amount_fen: int) -> None:
    if amount_fen <= 0:
        raise Refused(_("The amount must be more than nothing."), field="amount")
    if amount_fen > LARGEST_FEN:
        raise Refused(_("This amount is larger than any that this system books."), field="amount")


def _open(made: Hold) -> None:
    """Hold it on its line, if that has so much free."""
    _refuse_amount(made.amount_fen)
    _take(made.budget_line_id, made.amount_fen)
    db.session.add(made)
    db.session.flush()


def _settle(actor: Actor, held: Hold, posting: Posting) -> Posted:
    """Post what was spent of it; the line is touched before anything of the book."""
    spent = posting.spent_fen
    _give_back(held, used_fen=spent)
    (posted,) = enter(actor, [posting], new=True)
    held.state, held.settled_fen, held.entry_id = "settled", spent, posted.entry.id
    return posted


def _take(line_id: int, amount_fen: int) -> None:
    """Hold on the line, in one statement that two at once cannot both pass with the same fen."""
    free = BudgetLine.allotted_fen - BudgetLine.held_fen - BudgetLine.used_fen
    taken = db.session.execute(
        update(BudgetLine)
        .where(BudgetLine.id == line_id, free >= amount_fen)
        .values(held_fen=BudgetLine.held_fen + amount_fen)
        .returning(BudgetLine.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if taken is None:
        org, left = db.session.execute(
            select(Org.name, free).join(BudgetLine, BudgetLine.org_id == Org.id).where(BudgetLine.id == line_id)
        ).one()
        lacking = _("%(org)s lacks %(amount)s yuan", org=org, amount=yuan(amount_fen - left))
        raise Refused(_("The budget does not cover this: %(who)s.", who=lacking))


def _give_back(locked: Hold, *, used_fen: int = 0) -> None:
    """Free all that is held, but for what was used of it."""
    db.session.execute(
        update(BudgetLine)
        .where(BudgetLine.id == locked.budget_line_id)
        .values(held_fen=BudgetLine.held_fen - locked.amount_fen, used_fen=BudgetLine.used_fen + used_fen)
        .execution_options(synchronize_session=False)
    )


def _paths_of(line_ids: Sequence[int]) -> Select[int, str]:
    return select(BudgetLine.id, BudgetLine.org_path).where(BudgetLine.id.in_(line_ids))
