"""Visits (走访慰问): each spends from the paying union's budget line, with its line of the work ledger, at once."""

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from core.api import (
    Entry,
    NotFound,
    Org,
    Payment,
    Person,
    Posting,
    ProgramYear,
    Refused,
    Scope,
    User,
    budgets_of,
    by_code,
    db,
    digest,
    parse_id_number,
    person_id_of,
    record,
    require,
    reverse,
    scope_of,
    spend,
    tell_of_entry,
    today,
    yuan,
)
from plugins.four_seasons.visits.kinds import KINDS
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.words import SPEND

SCOPE, UNDONE = "four_seasons.visit", "four_seasons.visit_undone"
#: What stays in both ledgers, which name no worker: a name could not be erased there.
GIFTS_ZH = {"cash": "慰问金", "goods": "慰问品"}


@dataclass(frozen=True, kw_only=True)
class Visited:
    """What is written down of a visit: ``id_number`` of a worker or the name of a ``unit``; the other is empty.

    ``again`` says that the worker may have been given something in this year. ``effective_on`` is the day of the visit
    unless given.
    """

    key: str
    org_code: str
    visited_on: date
    party: str
    kind: str
    amount_fen: int
    source: str
    id_number: str = ""
    unit: str = ""
    gift: str = ""
    effective_on: date | None = None
    again: bool = False


def record_visit(actor: User, program_year: ProgramYear, visited: Visited) -> Visit:
    """Write a visit down and spend it; the same key once more gives the same visit.

    Raises :class:`NotFound` for a union or worker that is not there for the actor, :class:`Refused` where the budget
    does not cover it, or where the worker was given something in this year and ``again`` does not say that this is
    known; and whatever posting refuses.
    """
    org = _paying(actor, program_year, visited.org_code)
    person = _worker(org, visited.id_number) if visited.id_number else None
    effective_on = visited.effective_on or visited.visited_on
    whom = "职工 1 人" if person else visited.unit
    kind = KINDS[program_year.program]
    posting = Posting(
        scope=SCOPE,
        key=f"{program_year.id}:{visited.key}{':again' if visited.again else ''}",
        kind=kind.code,
        title=kind.title_zh,
        description=f"走访慰问{whom}（{GIFTS_ZH[visited.kind]}{'：' + visited.gift if visited.gift else ''}）",
        org_id=org.id,
        org_path=org.path,
        program_year_id=program_year.id,
        effective_on=effective_on,
        happened_on=visited.visited_on if visited.visited_on != effective_on else None,
        legs=[(kind.debit, visited.amount_fen), (kind.credit, -visited.amount_fen)],
    )

    def write(entry: Entry) -> None:
        # Postings of a book come one after the other: nobody else books a visit to this worker meanwhile.
        if person and not visited.again:
            _refuse_repeated(program_year, person)
        said = f"{posting.description}，{yuan(visited.amount_fen)} 元"
        told = tell_of_entry(actor, entry, org, method="走访慰问", result=said, cadres=visited.party)
        db.session.flush()
        visit = Visit(
            program_year_id=program_year.id,
            org_id=org.id,
            org_path=org.path,
            person_id=person.id if person else None,
            unit=visited.unit,
            visited_on=visited.visited_on,
            party=visited.party,
            kind=visited.kind,
            gift=visited.gift,
            source=visited.source,
            amount_fen=visited.amount_fen,
            entry_id=entry.id,
            activity_id=told.id,
            user_id=actor.id,
        )
        db.session.add(visit)
        db.session.flush()
        record(actor, "visit.record", f"visit:{visit.id}", org.path, amount_fen=visited.amount_fen)

    posted = spend(actor, budget_line_id=_line(program_year, org, visited.source), posting=posting, then=write)
    return db.session.scalars(select(Visit).where(Visit.entry_id == posted.entry.id)).one()


def undo_visit(actor: User, program_year: ProgramYear, visit: Visit, *, key: str, reason: str) -> None:
    """Reverse the visit's entry, dated today; its money is free again, and the worker can be visited anew.

    Raises :class:`Refused` for a visit that is undone already, or without a reason.
    """
    require(actor, SPEND, visit.org_path, program_year.program)
    visit_id, org = visit.id, db.session.get_one(Org, visit.org_id)

    def write(entry: Entry) -> None:
        undone = db.session.get_one(Visit, visit_id)
        undone.reversal_id = entry.id
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
        then=write,
    )


def _paying(actor: User, program_year: ProgramYear, code: str) -> Org:
    org, scope = by_code(code), scope_of(actor, SPEND, program_year.program)
    if org is None or not scope.includes(org.path) or not org.path.startswith(program_year.org_path):
        raise NotFound(_("The sponsor has no union with this code for which you may spend."), field="org_code")
    return org


def _worker(org: Org, typed: str) -> Person:
    """Who is on file with this number at the union or below it."""
    number = digest("id_number", parse_id_number(typed).number)
    person = db.session.scalars(select(Person).where(Person.id == person_id_of(number), Person.active)).one_or_none()
    if person is None or not person.org_path.startswith(org.path):
        sentence = _("Nobody with this identity number is on file at %(org)s or a union below it.", org=org.name)
        raise NotFound(sentence, field="id_number")
    return person


def _line(program_year: ProgramYear, org: Org, source: str) -> int:
    rows = budgets_of(program_year, Scope((org.path,)), source=source)
    line = next((row.line_id for row in rows if row.org.id == org.id), None)
    if line is None:
        raise Refused(_("%(org)s has no budget of this source in this year.", org=org.name), field="source")
    return line


def _refuse_repeated(program_year: ProgramYear, person: Person) -> None:
    """Names the visits of the year that stand, and what runs paid."""
    count, fen, last = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Visit.amount_fen), 0), func.max(Visit.visited_on)).where(
            Visit.program_year_id == program_year.id, Visit.person_id == person.id, Visit.reversal_id.is_(None)
        )
    ).one()
    files = select(Person.id).where(or_(Person.id == person.id, Person.merged_into_id == person.id))
    paid = db.session.scalars(
        select(func.coalesce(func.sum(Payment.amount_fen), 0)).where(
            Payment.program_year_id == program_year.id, Payment.payee_id.in_(files), ~Payment.returned
        )
    ).one()
    said = []
    if count:
        about = {"count": count, "amount": yuan(int(fen)), "day": last}
        said.append(_("%(count)s visits, %(amount)s yuan, the last on %(day)s", **about))
    if paid:
        said.append(_("%(amount)s yuan by runs", amount=yuan(int(paid))))
    if said:
        raise Refused(
            _("This worker was given something this year already: %(what)s.", what=_("; ").join(said)), field="again"
        )
