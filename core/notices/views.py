"""The pages of the notices of a register, below ``/<year>/<sponsor>/<program>/registers/<name>/notices/``.

A notice is meant for all whom it concerns: whoever may see the program year reads those of their own unions, of unions
below and of unions above. Posting, recording and deciding ask for permissions of their own, where the entry stands.
"""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Select
from werkzeug.wrappers import Response

from core.errors import NotFound, ZhijiaError
from core.lists.queries import rows_of
from core.lists.views import chosen
from core.notices import queries, services
from core.notices.calendar import add_working_days, calendar_known
from core.notices.forms import NoticeForm, PageForm, WithdrawalForm
from core.notices.models import Notice, state_of_notice
from core.notices.queries import PAGE
from core.notices.snapshot import columns_to_show, headings
from core.org.models import Org
from core.org.queries import visible
from core.org.scope import Scope
from core.plugin.gate import current_program_year
from core.plugin.types import Register
from core.programs.queries import state_of, view_scope
from core.registers.access import register_here
from core.registers.listing import listing_of
from core.registers.queries import find_register
from core.users.access import can, refuse, scope_of, today
from core.web.forms import options
from core.web.guard import found, me
from core.web.paging import place_in, token_of

POST = "notice.post"
#: How long a notice runs where the settings of the year do not say it: what unions are used to.
USUAL_DAYS = 5
#: Lines that the page that asks back shows.
PREVIEW = 10
blueprint = Blueprint(
    "notices",
    __name__,
    url_prefix="/<int:year>/<sponsor>/<program>/registers/<name>/notices",
    template_folder="templates",
)
Page = str | Response | tuple[str, int]


@blueprint.get("/")
def index(name: str) -> Page:
    """The notices of a register, newest first."""
    form = PageForm(request.args)
    before = form.before.data if form.validate() else None
    page = queries.notices_of(current_program_year(), name, reader_scope(), before)
    if not page.rows:
        found(find_register(current_program_year(), name))
    return render_template(
        "notices/index.html",
        name=name,
        register_title=register_title(name),
        page=page,
        is_first=before is None,
        state_of=lambda notice: state_of_notice(notice, today()),
    )


@blueprint.post("/new")
def new(name: str) -> Page:
    """Ask back: how many rows were chosen, what the notice would show of them, how long it would run."""
    register, rows = _chosen(name)
    form = _form(register, NoticeForm(request.form if "title" in request.form else None, data=_usual(register)))
    form.expected.raw_data, form.expected.data = None, queries.count_of(rows)
    return _new_page(register, rows, form)


@blueprint.post("/post")
def post(name: str) -> Page:
    """Post the notice."""
    register, rows = _chosen(name)
    form = _form(register, NoticeForm(request.form))
    status = 400
    if form.validate():
        try:
            notice = services.post(me(), register, current_program_year(), rows, _draft(form))
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The notice is posted."), "success")
            return redirect(url_for(".show", name=name, notice_id=notice.id))
    form.expected.raw_data, form.expected.data = None, queries.count_of(rows)
    return _new_page(register, rows, form), status


@blueprint.get("/<int:notice_id>")
def show(name: str, notice_id: int) -> str:
    """One notice with its lines, a page at a time."""
    return _notice_page(name, notice_id, WithdrawalForm())


@blueprint.post("/<int:notice_id>/withdraw")
def withdraw(name: str, notice_id: int) -> Page:
    """Take the notice back."""
    notice, _org = current_notice(name, notice_id)
    form = WithdrawalForm(request.form)
    if not can(me(), POST, notice.org_path, current_program_year().program):
        refuse(POST)
    if form.validate():
        try:
            services.withdraw(me(), notice, form.reason.data or "")
        except ZhijiaError as error:
            form.refuse(error)
        else:
            flash(_("The notice is withdrawn."), "success")
            return redirect(url_for(".show", name=name, notice_id=notice_id))
    return _notice_page(name, notice_id, form), 400


@blueprint.get("/<int:notice_id>/print")
def printed(name: str, notice_id: int) -> str:
    """The notice as it hangs on the wall: an official document, Chinese whatever the reader reads, on A4.

    A very long one comes in parts, each a document of its own.
    """
    notice, org = current_notice(name, notice_id)
    scope = reader_scope()
    total = queries.count_lines(notice, scope)
    parts = max(1, -(-total // queries.PART))
    part = request.args.get("part", 1, type=int)
    if not 1 <= part <= parts:
        raise NotFound(_("There is no such page."))
    return render_template(
        "notices/print.html",
        name=name,
        notice=notice,
        org=org,
        lines=queries.part_of(notice, scope, part),
        first=(part - 1) * queries.PART + 1,
        total=total,
        part=part,
        parts=parts,
    )


def reader_scope() -> Scope:
    """The unions whose notices the reader may read; lines of those above them are meant for them as well."""
    return view_scope(me(), current_program_year().program)


def current_notice(name: str, notice_id: int) -> tuple[Notice, str]:
    """The notice of the address and the name of the union that issues it."""
    return found(queries.find_notice(current_program_year(), name, notice_id, reader_scope()))


def register_title(name: str) -> str:
    """The title of the register, or its name when its plugin is gone."""
    register = find_register(current_program_year(), name)
    return str(register.title) if register else name


def _chosen(name: str) -> tuple[Register, Select[int]]:
    """The register and the rows that were sent, as far as the user reads them and may post notices of them."""
    program_year, register = current_program_year(), register_here(name)
    scope = scope_of(me(), POST, program_year.program)
    if not scope.paths:
        refuse(POST)
    listing = listing_of(register, program_year)
    readable = scope_of(me(), register.view_permission, program_year.program)
    rows = rows_of(listing, readable, chosen(listing, readable))
    return register, rows.where(scope.covers(register.model.org_path))


def _form(register: Register, form: NoticeForm) -> NoticeForm:
    form.columns.choices = options({column.name: column.title for column in columns_to_show(register)})
    return form


def _usual(register: Register) -> dict[str, object]:
    program_year, user = current_program_year(), me()
    scope = scope_of(user, POST, program_year.program)
    own = user.org_path if scope.includes(user.org_path) else scope.paths[0]
    return {
        "title": f"关于{program_year.year}年{register.title}的公示",
        "working_days": int(program_year.settings.get("notice_working_days") or USUAL_DAYS),
        "org_code": own.rstrip("/").rpartition("/")[2],
    }


def _issuer(code: str) -> Org:
    org = visible(scope_of(me(), POST, current_program_year().program), code)
    if org is None:
        sentence = _("There is no organisation with the code “%(code)s” here.", code=code)
        raise NotFound(sentence, field="org_code")
    return org


def _draft(form: NoticeForm) -> services.Draft:
    return services.Draft(
        org=_issuer(form.org_code.data or ""),
        title=form.title.data or "",
        text=form.text.data or "",
        contact=form.contact.data or "",
        working_days=form.working_days.data or 0,
        columns=form.columns.data or (),
        expected=form.expected.data or 0,
    )


def _new_page(register: Register, rows: Select[int], form: NoticeForm) -> str:
    columns = [column for column in columns_to_show(register) if column.name in (form.columns.data or ())]
    days = form.working_days.data
    ends_on = add_working_days(today(), days) if days and 1 <= days <= 60 else None
    return render_template(
        "notices/new.html",
        register=register,
        form=form,
        sent=request.form.getlist("row"),
        is_all=bool(request.form.get("all")),
        columns=columns_to_show(register),
        headings=headings(register, columns),
        lines=queries.preview_of(register, rows, columns, PREVIEW),
        marked=False,
        ends_on=ends_on,
        is_calendar_known=ends_on is None or calendar_known(ends_on.year),
    )


def _notice_page(name: str, notice_id: int, form: WithdrawalForm) -> str:
    program_year = current_program_year()
    notice, org = current_notice(name, notice_id)
    lines = queries.page_of(notice, reader_scope(), place_in(request.args.get("after", "")))
    last = lines[PAGE - 1] if len(lines) > PAGE else None
    state = state_of_notice(notice, today())
    may_post = state_of(program_year) == "open" and can(me(), POST, notice.org_path, program_year.program)
    return render_template(
        "notices/show.html",
        name=name,
        register_title=register_title(name),
        notice=notice,
        org=org,
        state=state,
        lines=lines[:PAGE],
        is_first="after" not in request.args,
        next_after=token_of(last.org_path, last.id) if last else None,
        handling=queries.handling_scope(me(), program_year.program),
        may_withdraw=may_post and state == "running",
        form=form,
    )
