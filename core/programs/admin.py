"""Administration: switching programs on year by year, their dates and their settings."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import NotFound, Refused, ZhijiaError
from core.org.models import Org
from core.plugin.registry import registry_of
from core.plugin.types import Program
from core.programs import services
from core.programs.blockers import blockers
from core.programs.copying import copy_year, preview
from core.programs.forms import CopyForm, DatesForm, YearForm, form_for, settings_from, summary
from core.programs.models import ProgramYear
from core.programs.queries import managed_by, managed_one, settings_history, sponsor_in, sponsors_for
from core.users.access import today
from core.web.forms import Form
from core.web.guard import found, me, needs

blueprint = Blueprint("years", __name__, url_prefix="/admin/years", template_folder="templates")
PREFIX = "settings-"
Page = str | Response | tuple[str, int]


@blueprint.get("/")
@needs("program.manage")
def index() -> str:
    """Every program year that the user manages, on or off, and the programs that can be switched on."""
    rows = managed_by(me())
    years = {program_year.year for program_year, _sponsor in rows}
    source = max({year for year in years if year <= today().year} or years, default=today().year)
    return render_template(
        "programs/admin_index.html",
        rows=rows,
        programs=registry_of().programs.values(),
        copy_form=CopyForm(source=source, target=source + 1),
    )


@blueprint.get("/copy")
@needs("program.manage")
def copy() -> str | tuple[str, int]:
    """What copying a whole year would do, program by program; nothing is changed yet."""
    form = CopyForm(request.args)
    if not request.args or form.validate():
        return _copy_page(form, shows_lines=bool(request.args))
    return _copy_page(form, shows_lines=False), 400


@blueprint.post("/copy")
@needs("program.manage")
def copy_chosen() -> Page:
    """Copy the programs that were chosen, all or none."""
    form = CopyForm(request.form)
    if not form.validate():
        return _copy_page(form, shows_lines=False), 400
    source, target = form.source.data or 0, form.target.data or 0
    try:
        lines = copy_year(me(), source, target, request.form.getlist("chosen", type=int))
    except ZhijiaError as error:
        form.refuse(error)
        return _copy_page(form), error.status
    flash(_("%(count)s programs are copied into %(year)s.", count=len(lines), year=target), "success")
    return redirect(url_for(".index"))


def _copy_page(form: CopyForm, *, shows_lines: bool = True) -> str:
    lines = preview(me(), form.source.data or 0, form.target.data or 0) if shows_lines else None
    return render_template("programs/admin_copy.html", form=form, lines=lines)


@blueprint.get("/new/<program_code>")
@needs("program.manage")
def new(program_code: str) -> str:
    """Ask for year, sponsor, dates and settings."""
    program = _program(program_code)
    form = YearForm(year=today().year, opens_on=today().replace(month=1, day=1))
    return _new_page(program, form, _settings_form(program))


@blueprint.post("/new/<program_code>")
@needs("program.manage")
def create(program_code: str) -> Page:
    """Switch the program on."""
    program = _program(program_code)
    form, settings = YearForm(request.form), _settings_form(program, submitted=True)
    # Both are asked, so that everything that is wrong is said at once.
    if not all([form.validate(), settings.validate()]):
        return _new_page(program, form, settings), 400
    try:
        program_year = services.enable(
            me(),
            program.code,
            form.year.data or 0,
            _sponsor(program, form.sponsor.data or ""),
            opens_on=form.first_day,
            closes_on=form.closes_on.data,
            settings=settings_from(settings),
        )
    except ZhijiaError as error:
        _say(error, form, settings)
        return _new_page(program, form, settings), error.status
    flash(_("The program is switched on for %(year)s.", year=program_year.year), "success")
    return redirect(url_for(".show", program_year_id=program_year.id))


@blueprint.get("/<int:program_year_id>")
@needs("program.manage")
def show(program_year_id: int) -> str:
    """One program year: its dates, its settings and their history."""
    return _show_page(*_managed(program_year_id))


@blueprint.post("/<int:program_year_id>/settings")
@needs("program.manage")
def settings(program_year_id: int) -> Page:
    """Keep a new version of the settings."""
    program_year, sponsor = _managed(program_year_id)
    form = _settings_form(services.loaded_program(program_year.program), submitted=True)
    if not form.validate():
        return _show_page(program_year, sponsor, settings_form=form), 400
    try:
        version = request.form.get("version", 0, type=int)
        services.change_settings(me(), program_year, settings_from(form), version=version)
    except ZhijiaError as error:
        form.refuse(error)
        return _show_page(program_year, sponsor, settings_form=form), error.status
    flash(_("The settings are kept."), "success")
    return redirect(url_for(".show", program_year_id=program_year_id))


@blueprint.post("/<int:program_year_id>/dates")
@needs("program.manage")
def dates(program_year_id: int) -> Page:
    """Move the first and the last day."""
    program_year, sponsor = _managed(program_year_id)
    form = DatesForm(request.form)
    if not form.validate():
        return _show_page(program_year, sponsor, dates_form=form), 400
    try:
        services.change_dates(me(), program_year, opens_on=form.first_day, closes_on=form.closes_on.data)
    except ZhijiaError as error:
        form.refuse(error)
        return _show_page(program_year, sponsor, dates_form=form), error.status
    flash(_("The dates are kept."), "success")
    return redirect(url_for(".show", program_year_id=program_year_id))


@blueprint.post("/<int:program_year_id>/disable")
@needs("program.manage")
def disable(program_year_id: int) -> Response:
    """Switch it off; nothing is deleted."""
    program_year, _sponsor = _managed(program_year_id)
    done = _("The program year is switched off. Nothing of it was deleted.")
    return _tried(program_year_id, lambda: services.disable(me(), program_year), done)


@blueprint.post("/<int:program_year_id>/enable")
@needs("program.manage")
def enable(program_year_id: int) -> Response:
    """Switch it on again, with the dates and the settings that it had."""
    program_year, sponsor = _managed(program_year_id)

    def switch_on() -> None:
        services.enable(
            me(),
            program_year.program,
            program_year.year,
            sponsor,
            opens_on=program_year.opens_on,
            closes_on=program_year.closes_on,
            settings=program_year.settings,
        )

    return _tried(program_year_id, switch_on, _("The program is switched on for %(year)s.", year=program_year.year))


@blueprint.post("/<int:program_year_id>/close")
@needs("program.manage")
def close(program_year_id: int) -> Response:
    """Close it for good."""
    program_year, _sponsor = _managed(program_year_id)
    done = _("The program year is closed. It stays readable.")
    return _tried(program_year_id, lambda: services.close(me(), program_year), done)


def _tried(program_year_id: int, change: Callable[[], None], done: str) -> Response:
    """Back to the page of the year, with what was done or why it was refused."""
    try:
        change()
        flash(done, "success")
    except Refused as error:
        flash(str(error), "danger")
    return redirect(url_for(".show", program_year_id=program_year_id))


def _managed(program_year_id: int) -> tuple[ProgramYear, Org]:
    return found(managed_one(me(), program_year_id))


def _program(code: str) -> Program:
    try:
        return services.loaded_program(code)
    except ZhijiaError as error:
        raise NotFound(error.message) from error


def _sponsor(program: Program, code: str) -> Org:
    org = sponsor_in(me(), program.code, code)
    if org is None:
        missing = _("There is no union with the code “%(code)s”, or none that you manage.", code=code)
        raise NotFound(missing, field="sponsor")
    return org


def _settings_form(program: Program | None, *, submitted: bool = False, values: dict[str, Any] | None = None) -> Form:
    form_class = (program and program.settings_form) or Form
    if submitted:
        return form_class(request.form, prefix=PREFIX)
    return form_for(form_class, values or {}, prefix=PREFIX)


def _say(error: ZhijiaError, form: Form, settings_form: Form) -> None:
    (settings_form if error.field and error.field in settings_form else form).refuse(error)


def _new_page(program: Program, form: YearForm, settings_form: Form) -> str:
    return render_template(
        "programs/admin_new.html",
        program=program,
        form=form,
        settings_form=settings_form,
        sponsors=sponsors_for(me(), program.code),
    )


def _show_page(
    program_year: ProgramYear, sponsor: Org, *, settings_form: Form | None = None, dates_form: DatesForm | None = None
) -> str:
    program = registry_of().programs.get(program_year.program)
    return render_template(
        "programs/admin_show.html",
        program_year=program_year,
        org=sponsor,
        program=program,
        settings_form=settings_form or _settings_form(program, values=program_year.settings),
        dates_form=dates_form or DatesForm(obj=program_year),
        settings=summary(program.settings_form if program else None, program_year.settings),
        history=settings_history(program_year),
        before_closing=blockers(program_year, "close"),
    )
