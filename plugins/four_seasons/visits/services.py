"""Visits (走访慰问): each spends from the paying union's budget line, with its line of the work ledger, at once.

What a visit brings from stock was spent when it was bought: ``giving.py``.
"""

from flask_babel import gettext as _
from sqlalchemy import select

from core.api import (
    Entry,
    Org,
    Posting,
    ProgramYear,
    Refused,
    User,
    db,
    record,
    require,
    reverse,
    spend,
    tell_of_entry,
    today,
    yuan,
)
from plugins.four_seasons.visits import giving
from plugins.four_seasons.visits.kinds import KINDS
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.visits.whom import Visited as Visited
from plugins.four_seasons.visits.whom import Whom, count_post, found, line_of, refuse_repeated, write
from plugins.four_seasons.words import SPEND

SCOPE, UNDONE = "four_seasons.visit", "four_seasons.visit_undone"
#: What stays in both ledgers.
GIFTS_ZH = {"cash": "慰问金", "goods": "慰问品"}


def record_visit(actor: User, program_year: ProgramYear, visited: Visited) -> Visit:
    """Write a visit down and spend it, or take it from stock; the same key once more gives the same visit.

    Raises :class:`NotFound` for a union, worker, post, leader or lot that is not there for the actor, :class:`Refused`
    where the budget does not cover it or the lot has less left, or where the worker was given something in this year
    and ``again`` does not say that this is known; and whatever posting refuses.
    """
    whom = found(actor, program_year, visited)
    if visited.lot_id is not None:
        return giving.give(actor, program_year, whom, visited, visited.lot_id)
    posting = _posting(program_year, whom, visited)

    def then(entry: Entry) -> None:
        # Postings of a book come one after the other: nobody else books a visit to this worker meanwhile.
        if whom.person and not visited.again:
            refuse_repeated(program_year, whom.person)
        said = f"{posting.description}，{yuan(visited.amount_fen)} 元"
        told = tell_of_entry(actor, entry, whom.org, method="走访慰问", result=said, cadres=visited.party)
        db.session.flush()
        visit = write(
            program_year,
            whom,
            visited,
            kind=visited.kind,
            gift=visited.gift,
            source=visited.source,
            amount_fen=visited.amount_fen,
            entry_id=entry.id,
            activity_id=told.id,
            user_id=actor.id,
        )
        record(actor, "visit.record", f"visit:{visit.id}", visit.org_path, amount_fen=visited.amount_fen)

    line = line_of(program_year, whom.org, visited.source)
    posted = spend(actor, budget_line_id=line, posting=posting, then=then)
    return db.session.scalars(select(Visit).where(Visit.entry_id == posted.entry.id)).one()


def _posting(program_year: ProgramYear, whom: Whom, visited: Visited) -> Posting:
    kind, org = KINDS[program_year.program], whom.org
    effective_on = visited.effective_on or visited.visited_on
    gift = f"{GIFTS_ZH[visited.kind]}{'：' + visited.gift if visited.gift else ''}"
    return Posting(
        scope=SCOPE,
        key=f"{program_year.id}:{visited.key}{':again' if visited.again else ''}",
        kind=kind.code,
        title=kind.title_zh,
        description=f"走访慰问{whom.described}（{gift}）",
        org_id=org.id,
        org_path=org.path,
        program_year_id=program_year.id,
        effective_on=effective_on,
        happened_on=visited.visited_on if visited.visited_on != effective_on else None,
        legs=[(kind.debit, visited.amount_fen), (kind.credit, -visited.amount_fen)],
    )


def undo_visit(actor: User, program_year: ProgramYear, visit: Visit, *, key: str, reason: str) -> None:
    """Reverse the visit's entry, dated today; its money is free again, and the worker can be visited anew.

    What came from stock is put back there. Raises :class:`Refused` for a visit that is undone already, or without a
    reason.
    """
    require(actor, SPEND, visit.org_path, program_year.program)
    if not reason.strip():
        raise Refused(_("Say why the visit is undone."), field="reason")
    if visit.entry_id is None:
        return giving.put_back(actor, program_year, visit, reason=reason)
    visit_id, org = visit.id, db.session.get_one(Org, visit.org_id)

    def then(entry: Entry) -> None:
        undone = db.session.get_one(Visit, visit_id)
        undone.reversal_id, undone.undone_on = entry.id, entry.effective_on
        count_post(undone, -1)
        said = f"冲销走访慰问，收回 {yuan(undone.amount_fen)} 元"
        tell_of_entry(actor, entry, org, method="走访慰问冲销", result=said)
        record(actor, "visit.undo", f"visit:{visit_id}", undone.org_path, reason=reason)

    reverse(
        actor,
        scope=UNDONE,
        key=f"{visit_id}:{key}",
        entry_id=visit.entry_id,
        effective_on=today(),
        reason=reason,
        then=then,
    )
    return None
