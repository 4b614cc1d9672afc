"""Visits that bring goods from stock: spent when the lot was bought, so that they take a quantity and no money."""

from flask_babel import gettext as _
from sqlalchemy import select

from core.api import (
    NotFound,
    Org,
    ProgramYear,
    Refused,
    User,
    add_activity,
    db,
    record,
    state_of,
    template_of_year,
    today,
    yuan,
)
from plugins.four_seasons.stock.models import Lot
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.visits.whom import Visited, Whom, count_post, refuse_repeated, write

GIVEN, RETURNED = "four_seasons.given", "four_seasons.returned"


def give(actor: User, program_year: ProgramYear, whom: Whom, visited: Visited, lot_id: int) -> Visit:
    """Take ``visited.quantity`` from a lot of the paying union, worth its price; the same key gives the same visit.

    Raises :class:`NotFound` for a lot that the union does not have, :class:`Refused` for more than is left of it.
    """
    lot = _locked(program_year, whom.org, lot_id)
    known = db.session.scalars(
        select(Visit).where(Visit.program_year_id == program_year.id, Visit.key == visited.key)
    ).one_or_none()
    if known is not None:
        return _same(known, whom, visited, lot)
    if state_of(program_year) != "open":
        raise Refused(_("The program is not open; nothing can be given out."))
    _refuse_quantity(lot, visited)
    if whom.person and not visited.again:
        refuse_repeated(program_year, whom.person)
    lot.remaining -= visited.quantity
    gift = f"{lot.goods} {visited.quantity} {lot.measure}"
    amount_fen = visited.quantity * lot.price_fen
    said = f"走访慰问{whom.described}（库存物资：{gift}），价值 {yuan(amount_fen)} 元"
    visit = write(
        program_year,
        whom,
        visited,
        kind="goods",
        gift=gift,
        source=lot.source,
        amount_fen=amount_fen,
        lot_id=lot.id,
        quantity=visited.quantity,
        key=visited.key,
        activity_id=_told(actor, program_year, whom.org, visited, said),
        user_id=actor.id,
    )
    record(actor, "visit.give", f"visit:{visit.id}", visit.org_path, lot=lot.id, quantity=visited.quantity)
    db.session.commit()
    return visit


def put_back(actor: User, program_year: ProgramYear, visit: Visit, *, reason: str) -> None:
    """Undo a visit that brought from stock, whose goods are there again. Raises :class:`Refused` when that was done."""
    org = db.session.get_one(Org, visit.org_id)
    lot = _locked(program_year, org, visit.lot_id or 0)
    db.session.refresh(visit)  # under the lock of its lot
    if visit.undone_on is not None:
        raise Refused(_("This visit was undone already."))
    quantity = visit.quantity or 0
    lot.remaining += quantity
    visit.undone_on = today()
    count_post(visit, -1)
    done = Visited(key=f"{visit.id}", org_code=org.code, visited_on=visit.undone_on, party=actor.name)
    said = f"撤销走访慰问，退回库存：{visit.gift}（{reason}）"
    _told(actor, program_year, org, done, said, scope=RETURNED)
    record(actor, "visit.put_back", f"visit:{visit.id}", visit.org_path, lot=lot.id, quantity=quantity, reason=reason)
    db.session.commit()


def _locked(program_year: ProgramYear, org: Org, lot_id: int) -> Lot:
    """Whoever takes from the same lot waits here."""
    lot = db.session.scalars(
        select(Lot)
        .where(Lot.id == lot_id, Lot.program_year_id == program_year.id, Lot.org_id == org.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if lot is None:
        raise NotFound(_("%(org)s has no such lot in stock.", org=org.name), field="lot")
    return lot


def _same(known: Visit, whom: Whom, visited: Visited, lot: Lot) -> Visit:
    """A visit that was sent twice. Raises :class:`Refused` if something else was sent under its key."""
    person_id, post_id = (row.id if row else None for row in (whom.person, whom.post))
    sent = (lot.id, visited.quantity, person_id, whom.unit, post_id, visited.visited_on, visited.party)
    if sent != (
        known.lot_id, known.quantity, known.person_id, known.unit, known.post_id, known.visited_on, known.party,
    ):  # fmt: skip
        raise Refused(_("This form was sent already, with other values; open it anew."))
    return known


def _refuse_quantity(lot: Lot, visited: Visited) -> None:
    if lot.reversal_id is not None:
        raise Refused(_("This lot was undone; nothing of it is there."), field="lot")
    if visited.visited_on < lot.bought_on:
        raise Refused(_("The goods were bought after this day."), field="visited_on")
    if visited.quantity <= 0:
        raise Refused(_("The quantity must be more than nothing."), field="quantity")
    if visited.quantity > lot.remaining:
        left = _("Of this lot %(left)s %(measure)s are left.", left=lot.remaining, measure=lot.measure)
        raise Refused(left, field="quantity")


def _told(
    actor: User, program_year: ProgramYear, org: Org, visited: Visited, said: str, *, scope: str = GIVEN
) -> int:  # fmt: skip
    """The line of the work ledger, as far as the form of the year asks for it; returns its number."""
    form = template_of_year(program_year.year)
    asked = {column["key"] for column in form.columns}
    data = {
        "organisation": org.name,
        "cadres": visited.party,
        "time": visited.visited_on.isoformat(),
        "method": "走访慰问" if scope == GIVEN else "走访慰问撤销",
        "matters": said,
        "result": said,
    }
    told = add_activity(
        actor,
        form,
        org,
        program_year_id=program_year.id,
        held_on=visited.visited_on,
        data={key: value for key, value in data.items() if key in asked},
        scope=scope,
        key=f"{program_year.id}:{visited.key}",
    )
    db.session.flush()
    return told.id
