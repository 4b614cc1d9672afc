"""The pages of the stock below ``/<year>/<sponsor>/<season>/stock``: lots, form, one lot with what came and left."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.api import (
    SOURCE_TITLES,
    NotFound,
    ZhijiaError,
    can,
    current_program_year,
    me,
    needs,
    today,
)
from plugins.four_seasons.pages import fresh_key, may_spend, refuse_strangers, scope_for
from plugins.four_seasons.stock import queries, services
from plugins.four_seasons.stock.forms import LotForm
from plugins.four_seasons.stock.queries import LotRow
from plugins.four_seasons.stock.services import Bought
from plugins.four_seasons.visits.forms import UndoForm
from plugins.four_seasons.words import MOVEMENT_TITLES, SPEND, VIEW

Page = Response | tuple[str, int]


@needs(VIEW)
def stock() -> str:
    """The lots of the year, newest first: bought, given out, left."""
    program_year, scope = current_program_year(), scope_for(VIEW)
    rows = queries.lots_of(program_year, scope, before=request.args.get("before", type=int))
    bought, left = queries.worth_of(program_year, scope)
    return render_template(
        "four_seasons/stock.html",
        rows=rows[: queries.PAGE],
        next=rows[queries.PAGE - 1].lot.id if len(rows) > queries.PAGE else None,
        is_first="before" not in request.args,
        bought=bought,
        left=left,
        may_add=may_spend(),
    )


@needs(SPEND)
def new_lot() -> str:
    """The form for a lot."""
    refuse_strangers()
    return _form_page(LotForm(data={"bought_on": today()}))


@needs(SPEND)
def add_lot() -> Page:
    """Spend a lot and put it in stock."""
    refuse_strangers()
    form, status = LotForm(request.form), 400
    if form.validate():
        try:
            lot = services.buy_lot(me(), current_program_year(), _bought(form))
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The goods are in stock and spent from the budget."), "success")
            return redirect(url_for(".lot", lot_id=lot.id))
    return _form_page(form), status


@needs(VIEW)
def lot(lot_id: int) -> str:
    """One lot, with what came in and left."""
    return _lot_page(_row(lot_id), UndoForm())


@needs(VIEW)
def lot_of_entry(entry_id: int) -> Response:
    """From an entry of the fund ledger to its lot."""
    row = queries.find_lot(current_program_year(), scope_for(VIEW), entry_id=entry_id)
    return redirect(url_for(".lot", lot_id=_found(row).lot.id))


@needs(SPEND)
def undo_lot(lot_id: int) -> Page:
    """Undo a lot by a reversal."""
    row, form, status = _row(lot_id), UndoForm(request.form), 400
    if form.validate():
        try:
            said = {"key": form.key.data or "", "reason": form.reason.data or ""}
            services.undo_lot(me(), current_program_year(), row.lot, **said)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The lot is undone, and its money is free again."), "success")
            return redirect(url_for(".lot", lot_id=lot_id))
    return _lot_page(_row(lot_id), form), status


def _bought(form: LotForm) -> Bought:
    return Bought(
        key=form.key.data or "",
        org_code=form.org_code.data or "",
        goods=form.goods.data or "",
        measure=form.measure.data or "",
        quantity=form.quantity.data or 0,
        price_fen=form.price.data or 0,
        source=form.source.data,
        supplier=form.supplier.data or "",
        bought_on=form.bought_on.data or today(),
        effective_on=form.effective_on.data,
    )


def _form_page(form: LotForm) -> str:
    form.key.data = fresh_key()  # what was refused stays refused under its key
    return render_template("four_seasons/new_lot.html", form=form)


def _lot_page(row: LotRow, form: UndoForm) -> str:
    form.key.data = fresh_key()
    page = min(max(request.args.get("page", default=1, type=int), 1), 1_000_000)
    moves = queries.movements_of(row.lot, page=page)
    is_spender = may_spend() and can(me(), SPEND, row.lot.org_path, current_program_year().program)
    stands = row.lot.reversal_id is None
    return render_template(
        "four_seasons/lot.html",
        row=row,
        lot=row.lot,
        moves=moves[: queries.PAGE],
        page=page,
        has_more=len(moves) > queries.PAGE,
        movements=MOVEMENT_TITLES,
        source=SOURCE_TITLES[row.lot.source],
        form=form if stands and is_spender and not row.given else None,
        may_give=stands and is_spender and row.lot.remaining > 0,
        may_see_books=can(me(), "ledger.view", row.lot.org_path, current_program_year().program),
    )


def _row(lot_id: int) -> LotRow:
    return _found(queries.find_lot(current_program_year(), scope_for(VIEW), lot_id=lot_id))


def _found(row: LotRow | None) -> LotRow:
    if row is None:
        raise NotFound(_("There is no such lot, or none that you may see."))
    return row


def add_pages(blueprint: Blueprint) -> None:
    """Give a season the pages of its stock."""
    blueprint.get("/stock")(stock)
    blueprint.get("/stock/new")(new_lot)
    blueprint.post("/stock/new")(add_lot)
    blueprint.get("/stock/<int:lot_id>")(lot)
    blueprint.get("/stock/of-entry/<int:entry_id>")(lot_of_entry)
    blueprint.post("/stock/<int:lot_id>/undo")(undo_lot)
