"""Allotting in three steps: who gives to whom and by what, then a preview of each share, then the booking.

Nothing is kept between the steps but what the page itself carries, and all of it is checked again when it is booked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import NotFound, Refused, ZhijiaError
from core.ledger.allotting import ALLOT, MOST_RECEIVERS, Share, share_out
from core.ledger.allotting import allot as book_allotment
from core.ledger.budget_queries import by_codes, first_giver, free_of, people_below, receivers_of
from core.ledger.budget_views import Page, bookable, budget_blueprint, fresh_key
from core.ledger.forms import AllotForm, ChoiceForm
from core.ledger.sheets import Fault, parse_points, read_table, write_template
from core.ledger.titles import SOURCE_TITLES
from core.money import plain_yuan, yuan
from core.org.models import Org
from core.plugin.gate import current_program_year
from core.registers.sheets import send_xlsx
from core.users.access import scope_of, today
from core.web.forms import SignedForm
from core.web.guard import me, needs, prove

#: Unions whose points are typed on the page; more come as a table.
MOST_TYPED = 200


@dataclass(frozen=True)
class Choice:
    """Who gives to whom: the giver with what it has free of the source, and the receivers."""

    giver: Org
    free_fen: int
    receivers: Sequence[Org]


@dataclass(frozen=True)
class Line:
    """One share of a preview; ``has_rest`` if the largest remainder gave it one fen more."""

    org: Org
    weight: int
    amount_fen: int
    has_rest: bool


@dataclass
class Typed:
    """What was typed or uploaded besides the form: points by union code, and all that is wrong with them."""

    points: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


@budget_blueprint.get("/allot")
@needs(ALLOT)
def allot() -> Page:
    """Choose who gives to whom, from which source and by what."""
    giver = first_giver(current_program_year(), scope_of(me(), ALLOT, current_program_year().program))
    start = {"key": fresh_key(), "effective_on": today(), "giver": giver.code if giver else ""}
    return _allot_page(AllotForm(request.args, data=start), Typed(), 200)


@budget_blueprint.post("/allot/preview")
@needs(ALLOT)
def preview_allotment() -> Page:
    """What each union would get; nothing is booked."""
    form = AllotForm(request.form)
    if request.form.get("step") == "edit":
        points = {code: f"{weight / 100:g}" for code, weight in _weights(form).items()}
        return _allot_page(form, Typed(points if form.way.data == "points" else {}), 200)
    typed = Typed({name.removeprefix("points-"): text for name, text in request.form.items() if "points-" in name})
    status = 400
    if form.validate():
        try:
            choice = _choice(form)
            shares = _shares(form, choice, typed)
            if not typed.errors and not typed.faults:
                return _preview_page(form, choice, shares), 200
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
    return _allot_page(form, typed, status)


@budget_blueprint.post("/allot")
@needs(ALLOT)
def book() -> Page:
    """Book what the preview showed."""
    form, signed, status = AllotForm(request.form), SignedForm(request.form), 400
    if form.validate():
        try:
            giver, weights = bookable(form.giver.data or "", "giver"), _weights(form)
            orgs = by_codes(weights)
            if not weights or len(orgs) != len(weights):
                raise NotFound(_("There is no such union, or one is named twice."))
            refused = _unproved(signed)
            if refused:
                shares = {code: Share(orgs[code].id, weight) for code, weight in weights.items()}
                return _preview_page(form, _choice(form), shares, signed), refused
            booked = book_allotment(
                me(), current_program_year(), key=f"page:{form.key.data}", giver=giver,
                shares=[Share(orgs[code].id, weight) for code, weight in weights.items()],
                amount_fen=form.amount.data or 0, effective_on=form.day,
                description=form.description.data or "", source=form.source.data,
            )  # fmt: skip
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("Allotted to %(count)s unions.", count=len(booked)), "success")
            return redirect(url_for("budget.booking", booking_id=booked[0].id))
    points = {code: f"{weight / 100:g}" for code, weight in _weights(form).items()}
    return _allot_page(form, Typed(points if form.way.data == "points" else {}), status)


@budget_blueprint.get("/allot/template.xlsx")
@needs(ALLOT)
def allot_template() -> Response:
    """The table to fill in, with the receivers in it."""
    form = ChoiceForm(request.args)
    if not form.validate():
        raise NotFound(_("There is no such table."))
    choice, of_points = _choice(form), form.way.data == "points"
    return send_xlsx(
        lambda target: write_template(choice.receivers, of_points=of_points, target=target),
        f"{_('Allotment')}-{choice.giver.short_name}.xlsx",
    )


def _choice(form: ChoiceForm) -> Choice:
    program_year = current_program_year()
    giver = bookable(form.giver.data or "", "giver")
    receivers = receivers_of(giver, form.level.data or "", MOST_RECEIVERS)
    if len(receivers) > MOST_RECEIVERS:
        raise Refused(
            _("These are more than %(most)s unions; allot to a higher level, which passes it on.", most=MOST_RECEIVERS),
            field="level",
        )
    if not receivers:
        raise Refused(_("%(giver)s has no such unions below it.", giver=giver.name), field="level")
    free = free_of(program_year, [giver.id])
    return Choice(giver, free.get((giver.id, form.source.data), 0), receivers)


def _shares(form: AllotForm, choice: Choice, typed: Typed) -> dict[str, Share]:
    """Shares by union code; what is wrong with a table or with points goes into ``typed``.

    Sets the form's amount where a table gives it. Raises :class:`ZhijiaError` at the field that is wrong.
    """
    way, file = form.way.data, request.files.get("file")
    if way == "table" or (way == "points" and file is not None and file.filename):
        shares = _uploaded(form, choice, typed)
    elif way == "points":
        shares = _typed_points(choice, typed)
    else:
        numbers = people_below(choice.receivers)
        shares = {org.code: Share(org.id, numbers[org.id]) for org in choice.receivers if numbers.get(org.id)}
    if typed.errors or typed.faults:
        return {}
    if way == "table":
        form.amount.data, form.amount.raw_data = sum(share.weight for share in shares.values()), None
    elif not form.amount.data:
        raise ZhijiaError(_("The amount must be more than nothing."), field="amount")
    elif form.amount.data > choice.free_fen:
        raise Refused(
            _("%(giver)s has only %(free)s yuan free of this source.", giver=choice.giver.name,
              free=yuan(choice.free_fen)), field="amount")  # fmt: skip
    return shares


def _uploaded(form: AllotForm, choice: Choice, typed: Typed) -> dict[str, Share]:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise ZhijiaError(_("Choose a file first."), field="file")
    try:
        table = read_table(
            choice.giver,
            file.stream,
            file.filename,
            of_points=form.way.data == "points",
            free_fen=choice.free_fen,
        )
    except ZhijiaError as error:
        error.field = "file"
        raise
    finally:
        file.close()
    typed.faults = table.faults
    return table.shares


def _typed_points(choice: Choice, typed: Typed) -> dict[str, Share]:
    shares = {}
    for org in choice.receivers:
        try:
            weight = parse_points(typed.points.get(org.code, ""))
        except ZhijiaError as error:
            typed.errors[org.code] = str(error)
        else:
            if weight:
                shares[org.code] = Share(org.id, weight)
    if not shares and not typed.errors:
        raise ZhijiaError(_("Write the points beside the unions, or choose a table."))
    return shares


def _weights(form: AllotForm) -> dict[str, int]:
    """What the preview carried along; nothing where it is damaged."""
    pairs = [line.split(" ") for line in (form.shares.data or "").split(",") if line]
    try:
        return {code: int(weight) for code, weight in pairs}
    except ValueError:
        return {}


def _allot_page(form: AllotForm, typed: Typed, status: int) -> tuple[str, int]:
    choice = None
    try:
        choice = _choice(form) if form.giver.data else None
    except ZhijiaError as error:
        if status == 200:
            form.refuse(error)
            status = error.status
    way = form.way.data
    receivers: Sequence[Org] = choice.receivers if choice else ()
    page = render_template(
        "ledger/allot.html",
        form=form,
        choice=choice,
        way=way,
        numbers=people_below(receivers) if way == "people" and receivers else {},
        types_points=way == "points" and len(receivers) <= MOST_TYPED,
        typed=typed,
        source_title=SOURCE_TITLES.get(form.source.data),
    )
    return page, status


def _unproved(signed: SignedForm) -> int | None:
    """The status of the refusal when whoever books has not proved who they are."""
    if not signed.validate():
        return 400
    try:
        prove(signed)
    except Refused as error:
        signed.refuse(error)
        return error.status
    return None


def _preview_page(
    form: AllotForm, choice: Choice, shares: Mapping[str, Share], signed: SignedForm | None = None
) -> str:
    amount = form.amount.data or 0
    parts = share_out(amount, list(shares.values()))
    whole = sum(share.weight for share in shares.values())
    orgs = by_codes(shares)
    lines = [
        Line(orgs[code], share.weight, part, part > amount * share.weight // whole)
        for code, share in shares.items()
        if (part := parts.get(share.org_id, 0))
    ]
    return render_template(
        "ledger/allot_preview.html",
        form=form,
        signed=signed or SignedForm(),
        choice=choice,
        lines=lines,
        whole=whole,
        amount_fen=amount,
        amount=plain_yuan(amount),
        rest=sum(line.has_rest for line in lines),
        nothing=len(choice.receivers) - len(lines) if form.way.data != "table" else 0,
        shares=",".join(f"{code} {share.weight}" for code, share in shares.items()),
        source_title=SOURCE_TITLES.get(form.source.data),
    )
