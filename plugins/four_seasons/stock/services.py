"""Buying goods for the stock: a lot is spent from the union's budget line at once, like a visit, and can be undone."""

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select, update

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
from plugins.four_seasons.stock.models import Lot
from plugins.four_seasons.visits.kinds import STOCK_KINDS
from plugins.four_seasons.visits.whom import line_of, paying
from plugins.four_seasons.words import SPEND

SCOPE, UNDONE = "four_seasons.lot", "four_seasons.lot_undone"


@dataclass(frozen=True, kw_only=True)
class Bought:
    """What is written down of a lot: ``quantity`` of a ``measure`` (箱), each ``price_fen``, from the ``supplier``.

    ``effective_on`` is the day on which it was bought unless given.
    """

    key: str
    org_code: str
    goods: str
    measure: str
    quantity: int
    price_fen: int
    source: str
    supplier: str
    bought_on: date
    effective_on: date | None = None


def buy_lot(actor: User, program_year: ProgramYear, bought: Bought) -> Lot:
    """Spend a lot and put it in stock; the same key once more gives the same lot.

    Raises :class:`NotFound` for a union for which the actor may not spend, :class:`Refused` where the budget does not
    cover it; and whatever posting refuses.
    """
    org = paying(actor, program_year, bought.org_code)
    _refuse_wrong(bought)
    amount_fen, posting = bought.quantity * bought.price_fen, _posting(program_year, org, bought)

    def then(entry: Entry) -> None:
        told = tell_of_entry(actor, entry, org, method="采购慰问物资", result=f"{yuan(amount_fen)} 元，已入库")
        db.session.flush()
        lot = Lot(
            program_year_id=program_year.id,
            org_id=org.id,
            org_path=org.path,
            goods=bought.goods,
            measure=bought.measure,
            quantity=bought.quantity,
            price_fen=bought.price_fen,
            remaining=bought.quantity,
            source=bought.source,
            supplier=bought.supplier,
            bought_on=bought.bought_on,
            entry_id=entry.id,
            activity_id=told.id,
            user_id=actor.id,
        )
        db.session.add(lot)
        db.session.flush()
        record(actor, "stock.buy", f"lot:{lot.id}", lot.org_path, quantity=bought.quantity, amount_fen=amount_fen)

    posted = spend(actor, budget_line_id=line_of(program_year, org, bought.source), posting=posting, then=then)
    return db.session.scalars(select(Lot).where(Lot.entry_id == posted.entry.id)).one()


def _posting(program_year: ProgramYear, org: Org, bought: Bought) -> Posting:
    kind, amount_fen = STOCK_KINDS[program_year.program], bought.quantity * bought.price_fen
    effective_on = bought.effective_on or bought.bought_on
    supplier = f"，供货单位：{bought.supplier}" if bought.supplier else ""
    described = f"{bought.goods} {bought.quantity} {bought.measure}，单价 {yuan(bought.price_fen)} 元{supplier}"
    return Posting(
        scope=SCOPE,
        key=f"{program_year.id}:{bought.key}",
        kind=kind.code,
        title=kind.title_zh,
        description=f"采购{described}",
        org_id=org.id,
        org_path=org.path,
        program_year_id=program_year.id,
        effective_on=effective_on,
        happened_on=bought.bought_on if bought.bought_on != effective_on else None,
        legs=[(kind.debit, amount_fen), (kind.credit, -amount_fen)],
    )


def undo_lot(actor: User, program_year: ProgramYear, lot: Lot, *, key: str, reason: str) -> None:
    """Reverse the lot's entry, dated today, while all of it is there; its money is free again.

    Raises :class:`Refused` for a lot that is undone already or of which something was given out, or without a reason.
    """
    require(actor, SPEND, lot.org_path, program_year.program)
    lot_id, org = lot.id, db.session.get_one(Org, lot.org_id)
    amount, described = yuan(lot.quantity * lot.price_fen), f"{lot.goods} {lot.quantity} {lot.measure}"

    def then(entry: Entry) -> None:
        whole = Lot.id == lot_id, Lot.remaining == Lot.quantity
        taken = update(Lot).where(*whole).values(reversal_id=entry.id).returning(Lot.id)
        if db.session.scalars(taken.execution_options(synchronize_session=False)).one_or_none() is None:
            raise Refused(_("Something of this lot was given out; undo these visits first."))
        tell_of_entry(actor, entry, org, method="采购慰问物资冲销", result=f"{described}退货，收回 {amount} 元")
        record(actor, "stock.undo", f"lot:{lot_id}", org.path, reason=reason)

    reverse(
        actor,
        scope=UNDONE,
        key=f"{lot_id}:{key}",
        entry_id=lot.entry_id,
        effective_on=today(),
        reason=reason,
        then=then,
    )


def _refuse_wrong(bought: Bought) -> None:
    if bought.bought_on > today():
        raise Refused(
            _("This day lies in the future; goods are written down when they were bought."), field="bought_on"
        )
    if bought.quantity <= 0:
        raise Refused(_("The quantity must be more than nothing."), field="quantity")
    if bought.price_fen <= 0:
        raise Refused(_("The price must be more than 0 yuan."), field="price")
