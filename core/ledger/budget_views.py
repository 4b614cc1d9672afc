"""The budget of a program year: what each union may spend, where the money came from, own funds, and taking back."""

import secrets

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import NotFound, ZhijiaError
from core.ledger.allotting import ALLOT, fund_from_own, take_back
from core.ledger.budget_queries import (
    PAGE,
    Given,
    allotments_of,
    bookings_of,
    find_booking,
    free_of,
    taken_back_of,
)
from core.ledger.forms import OwnFundsForm, TakeForm
from core.ledger.levels import NAME, levels_report
from core.ledger.models import Allotment
from core.ledger.scope import VIEW
from core.ledger.titles import SOURCE_TITLES
from core.lists.columns import shown
from core.money import parse_yuan, plain_yuan
from core.org.models import Org
from core.org.queries import visible
from core.org.scope import Scope
from core.plugin.gate import current_program_year
from core.programs.queries import state_of
from core.reports.queries import Look, Table, org_within, table_of
from core.reports.services import measure_headings, measure_values
from core.reports.views import way_to
from core.users.access import can, scope_of, today
from core.web.filters import address
from core.web.guard import found, me, needs, prove

budget_blueprint = Blueprint(
    "budget", __name__, url_prefix="/<int:year>/<sponsor>/<program>/budget", template_folder="templates"
)
Page = Response | tuple[str, int]


def fresh_key() -> str:
    """The key of a form, made with the page, so that a form that is sent twice books once."""
    return secrets.token_hex(16)


@budget_blueprint.get("/")
@needs(VIEW)
def index() -> str:
    """What unions may spend, what is held and spent, and where the money came from."""
    return _page(OwnFundsForm(data={"key": fresh_key(), "effective_on": today()}))


@budget_blueprint.post("/own-funds")
@needs(ALLOT)
def own_funds() -> Page:
    """Book what a union brings in itself."""
    form, status = OwnFundsForm(request.form), 400
    if form.validate():
        try:
            org = bookable(form.org_code.data or "", "org_code")
            prove(form)
            fund_from_own(
                me(), current_program_year(), key=f"page:{form.key.data}", amounts={org.id: form.amount.data or 0},
                effective_on=form.day, description=form.description.data or "", source=form.source.data,
            )  # fmt: skip
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The own funds of %(org)s are booked.", org=org.name), "success")
            return redirect(url_for("budget.index"))
    return _page(form), status


@budget_blueprint.get("/bookings/<int:booking_id>")
@needs(VIEW)
def booking(booking_id: int) -> str:
    """One booking: what each union was given, what was taken back of it, and what could be."""
    one, giver = _booking(booking_id)
    rows = _rows(one)
    free = free_of(current_program_year(), [row.org.id for row in rows])
    typed = {}
    if request.args.get("all"):
        most = {row.allotment.id: min(row.left_fen, free.get((row.org.id, one.source), 0)) for row in rows}
        typed = {allotment_id: plain_yuan(fen) for allotment_id, fen in most.items() if fen}
    return _booking_page(one, giver, TakeForm(data={"key": fresh_key(), "effective_on": today()}), typed, {})


@budget_blueprint.post("/bookings/<int:booking_id>/take-back")
@needs(ALLOT)
def take(booking_id: int) -> Page:
    """Take back what was typed beside the unions."""
    one, giver = _booking(booking_id)
    form, status = TakeForm(request.form), 400
    typed = {row.allotment.id: request.form.get(f"take-{row.allotment.id}", "").strip() for row in _rows(one)}
    amounts, errors = _read(typed)
    if form.validate() and not errors:
        try:
            if not amounts:
                raise ZhijiaError(_("Write beside a union how much is taken back."))
            prove(form)
            take_back(
                me(), current_program_year(), key=f"page:{form.key.data}", amounts=amounts,
                effective_on=form.day, description=form.description.data or "",
            )  # fmt: skip
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The money is taken back."), "success")
            return redirect(url_for("budget.booking", booking_id=booking_id))
    return _booking_page(one, giver, form, typed, errors), status


def bookable(code: str, field: str) -> Org:
    """The union with this code, where the user allots money and the program's sponsor has it below."""
    program_year = current_program_year()
    org = visible(scope_of(me(), ALLOT, program_year.program), code)
    if org is None or not org.path.startswith(program_year.org_path):
        raise NotFound(_("The sponsor has no union with this code for which you may book."), field=field)
    return org


def may_book() -> bool:
    """Whether the user may book money somewhere in this year now."""
    program_year = current_program_year()
    return state_of(program_year) == "open" and bool(scope_of(me(), ALLOT, program_year.program).paths)


def _scope() -> Scope:
    return scope_of(me(), VIEW, current_program_year().program)


def _page(form: OwnFundsForm) -> str:
    program_year, code = current_program_year(), request.args.get("org", "")
    report = levels_report(program_year)
    top = org_within(me(), program_year, report, code) if code else None
    if code and top is None:
        raise NotFound(_("There is no organisation with the code “%(code)s” here.", code=code))

    def look(*by: str) -> Table:
        return table_of(me(), program_year, report, Look(by, top))

    unions, levels = look("org_path"), look("level", "source")
    bookings = bookings_of(program_year, _scope(), before=request.args.get("before", type=int))
    return render_template(
        "ledger/budget.html",
        unions=unions,
        levels=levels,
        totals=dict(zip((column.name for column in unions.measures), unions.totals or (), strict=False)),
        headings=measure_headings(unions),
        values=measure_values,
        shown=shown,
        into=_into,
        way=way_to(report, top, _into),
        report_url=url_for("reports.show", name=NAME, org=code or None),
        bookings=bookings[:PAGE],
        next=bookings[PAGE - 1].id if len(bookings) > PAGE else None,
        form=form if may_book() else None,
        source_titles=SOURCE_TITLES,
    )


def _into(code: str | None) -> str:
    return address(url_for("budget.index"), {"org": code})


def _booking(booking_id: int) -> tuple[Allotment, Org | None]:
    return found(find_booking(current_program_year(), _scope(), booking_id))


def _rows(one: Allotment) -> list[Given]:
    return allotments_of(current_program_year(), _scope(), key=one.key)


def _read(typed: dict[int, str]) -> tuple[dict[int, int], dict[int, str]]:
    """Fen by allotment, and sentences on what is no amount."""
    amounts: dict[int, int] = {}
    errors: dict[int, str] = {}
    for allotment_id, text in typed.items():
        try:
            fen = parse_yuan(text) if text else 0
        except ZhijiaError as error:
            errors[allotment_id] = str(error)
        else:
            if fen:
                amounts[allotment_id] = fen
    return amounts, errors


def _booking_page(
    one: Allotment, giver: Org | None, form: TakeForm, typed: dict[int, str], errors: dict[int, str]
) -> str:
    program_year, rows = current_program_year(), _rows(one)
    paths = [giver.path] if giver else [row.org.path for row in rows]
    may_take = may_book() and all(can(me(), ALLOT, path, program_year.program) for path in paths)
    return render_template(
        "ledger/booking.html",
        one=one,
        giver=giver,
        source_title=SOURCE_TITLES[one.source],
        rows=rows,
        free=free_of(program_year, [row.org.id for row in rows]),
        taken=taken_back_of(program_year, _scope(), one.key),
        form=form if may_take and any(row.left_fen for row in rows) else None,
        typed=typed,
        errors=errors,
    )
