"""The pages of transfers below ``/<year>/<sponsor>/hardship_aid/transfers``: what came in and went out, asking, one."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.api import NotFound, Scope, ZhijiaError, can, current_program_year, me, needs, scope_of, state_of
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.transfers import queries, services
from plugins.hardship_aid.transfers.forms import AnswerForm, TransferForm
from plugins.hardship_aid.transfers.queries import PAGE, TransferRow
from plugins.hardship_aid.transfers.words import MAY_GO, STATE_COLOURS, STATES, UNDER_WAY
from plugins.hardship_aid.views import Page, blueprint
from plugins.hardship_aid.words import EDIT, PROGRAM, VIEW


@blueprint.get("/transfers")
@needs(VIEW)
def transfers() -> str:
    """Requests to the reader's unions, or from them, newest first."""
    incoming = request.args.get("show") != "outgoing"
    before = request.args.get("before", type=int)
    before = before if before is not None and 0 < before < 2**63 else None
    rows = queries.page_of_transfers(current_program_year(), _scope(), incoming=incoming, before=before)
    return render_template(
        "hardship_aid/transfers.html",
        rows=rows[:PAGE],
        next=rows[PAGE - 1].transfer.id if len(rows) > PAGE else None,
        is_first=before is None,
        incoming=incoming,
        **_words(),
    )


@blueprint.get("/transfers/of/<int:file_id>")
@needs(VIEW)
def transfers_of(file_id: int) -> str:
    """What was asked about a file, and the form that asks."""
    return _ask_page(_file(file_id), TransferForm())


@blueprint.post("/transfers/of/<int:file_id>")
@needs(EDIT)
def ask_transfer(file_id: int) -> Page:
    """Ask another union to take the worker over."""
    form, status, file = TransferForm(request.form), 400, _file(file_id)
    if form.validate():
        try:
            asked = form.org_code.data or "", form.reason.data or ""
            transfer = services.ask(me(), current_program_year(), file_id, *asked)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The receiving union is asked."), "success")
            return redirect(url_for(".transfer", transfer_id=transfer.id))
    return _ask_page(file, form), status


@blueprint.get("/transfers/<int:transfer_id>")
@needs(VIEW)
def transfer(transfer_id: int) -> str:
    """One request."""
    return _transfer_page(_row(transfer_id), AnswerForm())


@blueprint.post("/transfers/<int:transfer_id>")
@needs(EDIT)
def answer_transfer(transfer_id: int) -> Page:
    """Accept, decline or withdraw a request, as the button says that was pressed."""
    row, form, status = _row(transfer_id), AnswerForm(request.form), 400
    program_year, answer = current_program_year(), request.form.get("step", "")
    if form.validate():
        try:
            if answer == "accept":
                services.accept(me(), program_year, transfer_id)
            elif answer == "withdraw":
                services.withdraw(me(), program_year, transfer_id)
            else:
                services.decline(me(), program_year, transfer_id, form.answer.data or "")
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The answer is kept."), "success")
            return redirect(url_for(".transfers", show="outgoing" if answer == "withdraw" else None))
    return _transfer_page(row, form), status


def _transfer_page(row: TransferRow, form: AnswerForm) -> str:
    is_open = row.transfer.state == "open" and _is_open()
    return render_template(
        "hardship_aid/transfer.html",
        row=row,
        form=form,
        may_answer=is_open and can(me(), EDIT, row.transfer.org_path, PROGRAM),
        may_withdraw=is_open and can(me(), EDIT, row.transfer.from_org_path, PROGRAM),
        **_words(),
    )


def _ask_page(file: File, form: TransferForm) -> str:
    rows = queries.transfers_of(current_program_year(), _scope(), file)
    may_edit = _is_open() and can(me(), EDIT, file.org_path, PROGRAM)
    return render_template(
        "hardship_aid/ask_transfer.html",
        file=file,
        form=form,
        rows=rows,
        may_ask=may_edit and file.state in MAY_GO and all(row.transfer.state != "open" for row in rows),
        under_way=UNDER_WAY if file.state not in MAY_GO else "",
        **_words(),
    )


def _words() -> dict[str, object]:
    return {"states": STATES, "colours": STATE_COLOURS}


def _file(file_id: int) -> File:
    file = queries.find_file(current_program_year(), _scope(), file_id) if file_id < 2**63 else None
    if file is None:
        raise NotFound(_("There is no such file, or none that you may see."))
    return file


def _row(transfer_id: int) -> TransferRow:
    row = queries.find_transfer(current_program_year(), _scope(), transfer_id)
    if row is None:
        raise NotFound(_("There is no such request, or none that you may see."))
    return row


def _scope() -> Scope:
    return scope_of(me(), VIEW, PROGRAM)


def _is_open() -> bool:
    return state_of(current_program_year()) == "open"
