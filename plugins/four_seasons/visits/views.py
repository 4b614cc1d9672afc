"""The pages of visits below ``/<year>/<sponsor>/<season>/visits``: list, form, one visit, undoing it."""

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
from plugins.four_seasons.visits import choices, queries, services
from plugins.four_seasons.visits.forms import UndoForm, VisitForm
from plugins.four_seasons.visits.queries import VisitRow
from plugins.four_seasons.visits.services import Visited
from plugins.four_seasons.words import GIFT_TITLES, SPEND, VIEW

Page = Response | tuple[str, int]


@needs(VIEW)
def visits() -> str:
    """The visits of the year, newest first."""
    program_year, scope = current_program_year(), scope_for(VIEW)
    rows = queries.visits_of(program_year, scope, before=request.args.get("before", type=int))
    count, fen = queries.visited_so_far(program_year, scope)
    return render_template(
        "four_seasons/visits.html",
        rows=rows[: queries.PAGE],
        next=rows[queries.PAGE - 1].visit.id if len(rows) > queries.PAGE else None,
        is_first="before" not in request.args,
        count=count,
        fen=fen,
        may_add=may_spend(),
        gifts=GIFT_TITLES,
    )


@needs(SPEND)
def new_visit() -> str:
    """The form for a visit."""
    refuse_strangers()
    asked = {name: request.args.get(name, type=int) for name in ("lot", "post")}
    kind, whom = "stock" if asked["lot"] else "cash", "unit" if asked["post"] else "person"
    return _form_page(VisitForm(data={"visited_on": today(), "kind": kind, "whom": whom, **asked}))


@needs(SPEND)
def add_visit() -> Page:
    """Write a visit down and spend it."""
    refuse_strangers()
    form, status = VisitForm(request.form), 400
    choices.fit(form, current_program_year(), scope_for(SPEND))
    if form.validate():
        try:
            visit = services.record_visit(me(), current_program_year(), _visited(form))
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            spent = _("The visit is written down and spent from the budget.")
            flash(
                spent if visit.entry_id else _("The visit is written down and its goods have left the stock."),
                "success",
            )
            return redirect(url_for(".visit", visit_id=visit.id))
    return _form_page(form), status


@needs(VIEW)
def visit(visit_id: int) -> str:
    """One visit, with the way to its entry and its line of the work ledger."""
    return _visit_page(_row(visit_id), UndoForm())


@needs(VIEW)
def visit_of_entry(entry_id: int) -> Response:
    """From an entry of the fund ledger to its visit."""
    row = queries.find_visit(current_program_year(), scope_for(VIEW), entry_id=entry_id)
    return redirect(url_for(".visit", visit_id=_found(row).visit.id))


@needs(SPEND)
def undo_visit(visit_id: int) -> Page:
    """Undo a visit by a reversal."""
    row, form, status = _row(visit_id), UndoForm(request.form), 400
    if form.validate():
        try:
            said = {"key": form.key.data or "", "reason": form.reason.data or ""}
            services.undo_visit(me(), current_program_year(), row.visit, **said)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            free = _("The visit is undone, and its money is free again.")
            flash(
                free if row.visit.entry_id else _("The visit is undone, and its goods are in stock again."), "success"
            )
            return redirect(url_for(".visit", visit_id=visit_id))
    return _visit_page(_row(visit_id), form), status


def _visited(form: VisitForm) -> Visited:
    more = {f"{name}_id": form[name].data for name in ("post", "leader", "lot") if name in form}
    return Visited(
        **more,
        quantity=(form.quantity.data or 0) if "quantity" in form else 0,
        key=form.key.data or "",
        org_code=form.org_code.data or "",
        id_number=form.id_number.data or "",
        unit=form.unit.data or "",
        visited_on=form.visited_on.data or today(),
        party=form.party.data or "",
        kind=form.kind.data,
        gift=form.gift.data or "",
        amount_fen=form.amount.data or 0,
        source=form.source.data or "",
        effective_on=form.effective_on.data,
        again=bool(form.again.data),
    )


def _form_page(form: VisitForm) -> str:
    choices.fit(form, current_program_year(), scope_for(SPEND))
    form.key.data = fresh_key()  # what was refused stays refused under its key
    return render_template("four_seasons/new_visit.html", form=form)


def _visit_page(row: VisitRow, form: UndoForm) -> str:
    form.key.data = fresh_key()
    program = current_program_year().program
    stands = row.visit.undone_on is None
    return render_template(
        "four_seasons/visit.html",
        row=row,
        visit=row.visit,
        gift=GIFT_TITLES[row.visit.kind],
        source=SOURCE_TITLES[row.visit.source],
        form=form if stands and may_spend() and can(me(), SPEND, row.visit.org_path, program) else None,
        may_see_books=can(me(), "ledger.view", row.visit.org_path, program),
    )


def _row(visit_id: int) -> VisitRow:
    return _found(queries.find_visit(current_program_year(), scope_for(VIEW), visit_id=visit_id))


def _found(row: VisitRow | None) -> VisitRow:
    if row is None:
        raise NotFound(_("There is no such visit, or none that you may see."))
    return row


def add_pages(blueprint: Blueprint) -> None:
    """Give a season the pages of its visits."""
    blueprint.get("/visits")(visits)
    blueprint.get("/visits/new")(new_visit)
    blueprint.post("/visits/new")(add_visit)
    blueprint.get("/visits/<int:visit_id>")(visit)
    blueprint.get("/visits/of-entry/<int:entry_id>")(visit_of_entry)
    blueprint.post("/visits/<int:visit_id>/undo")(undo_visit)
