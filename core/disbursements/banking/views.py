"""The pages of a run at the bank: files out, return files in, lists of cash and goods, the follow-up run."""

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any
from urllib.parse import quote

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from core.audit.services import look
from core.config import settings_of
from core.disbursements.actions import allowed
from core.disbursements.banking import aside, following, handing, queries, returns, writing
from core.disbursements.banking.faults import sentence_of, title_of
from core.disbursements.banking.forms import HandOutForm, ReturnForm
from core.disbursements.banking.queries import PAGE
from core.disbursements.banking.references import reference_of
from core.disbursements.models import Run, RunChunk
from core.disbursements.queries import chunks_of, find_bank_file
from core.disbursements.views import VIEW, blueprint, current_run, run_scope
from core.errors import ZhijiaError
from core.exports.services import LETTERS
from core.org.models import Org
from core.people.queries import visible_among
from core.plugin.gate import current_program_year
from core.registers.sheets import send_xlsx, write_xlsx
from core.users.access import scope_of, today
from core.web.guard import found, me, needs, reads_only
from core.web.paging import no_such_page, place_in, token_of
from core.web.sending import sent_file

Page = str | AnyResponse | tuple[str, int]
POST = "run.post"
#: Bytes of an encrypted zip that are handed on at a time.
BLOCK = 256 * 1024


@blueprint.get("/<int:run_id>/bank")
@needs(VIEW)
def bank(run_id: int) -> str:
    """What went to the bank (or is handed out by lists), and what came of it."""
    return _bank_page(current_run(run_id), ReturnForm())


@blueprint.post("/<int:run_id>/bank")
@needs(POST)
def send_in(run_id: int) -> Page:
    """Take a return file."""
    run, form = current_run(run_id), ReturnForm()
    try:
        with sent_file() as (content, name):
            one = returns.upload(me(), run, content, name)
    except ZhijiaError as error:
        form.refuse(error)
        return _bank_page(run, form), error.status
    return redirect(url_for(".return_file", run_id=run_id, return_id=one.id))


@blueprint.get("/<int:run_id>/bank/returns/<int:return_id>")
@needs(POST)
def return_file(run_id: int, return_id: int) -> str:
    """One return file: how far it is read, what was new in it, or what is wrong with it."""
    run = current_run(run_id)
    one = found(queries.find_return(run, run_scope(POST), return_id))
    return render_template(
        "banking/return.html",
        run=run,
        one=one,
        job=queries.job_of(one),
        faults=queries.faults_of(one),
        sentence_of=sentence_of,
        title_of=title_of,
    )


@blueprint.get("/<int:run_id>/bank/returns/<int:return_id>/faults.xlsx")
@needs(POST)
def return_faults(run_id: int, return_id: int) -> AnyResponse:
    """Everything that is wrong with a return file, as a list to work through."""
    run = current_run(run_id)
    one = found(queries.find_return(run, run_scope(POST), return_id))
    look(me(), "run.faults", f"run:{run_id}", run.org_path, file=one.id)
    heading = [_("Line"), _("Column"), _("What stands there"), _("What is wrong")]

    def write(target: IO[bytes]) -> None:
        rows = (
            (fault.line, title_of(fault.field), fault.said, sentence_of(fault.code, fault.said))
            for fault in queries.every_fault(one)
        )
        write_xlsx(target, heading, rows, one.name)

    return send_xlsx(write, f"{one.name}-问题.xlsx")


@blueprint.get("/<int:run_id>/bank/failed")
@needs(VIEW)
def failed(run_id: int) -> str:
    """The payments that came back, and why."""
    run = current_run(run_id)
    rows = queries.failed_of(run, run_scope(), place_in(request.args.get("after", "")))
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    after = token_of(last.org_path, last.payee_id) if last else None
    return render_template(
        "banking/failed.html",
        run=run,
        rows=rows[:PAGE],
        on_file=_on_file(run, rows[:PAGE]),
        reference_of=reference_of,
        next=url_for(".failed", run_id=run_id, after=after) if after else None,
    )


@blueprint.get("/<int:run_id>/bank/changed")
@needs(POST)
def changed(run_id: int) -> str:
    """Before the bank files are written: the payments whose account is not the one that was submitted."""
    return _changed_page(_wholly_mine(run_id))


@blueprint.post("/<int:run_id>/bank/changed")
@needs(POST)
def set_aside(run_id: int) -> Page:
    """Set them aside."""
    run = _wholly_mine(run_id)
    try:
        one = aside.set_aside(me(), run)
    except ZhijiaError as error:
        return _changed_page(current_run(run_id), str(error)), error.status
    flash(_("%(count)s payments are set aside; now the bank files can be written.", count=one.lines), "success")
    return redirect(url_for(".show", run_id=run_id))


@blueprint.post("/<int:run_id>/bank/follow-up")
@needs("run.create")
def follow_up(run_id: int) -> Page:
    """Make a draft of what came back."""
    run = current_run(run_id)
    try:
        draft = following.follow_up(me(), run)
    except ZhijiaError as error:
        return _bank_page(current_run(run_id), ReturnForm(), str(error)), error.status
    flash(_("The follow-up run is a draft; correct the accounts, then compute it."), "success")
    return redirect(url_for(".show", run_id=draft.id))


@blueprint.get("/<int:run_id>/bank-files/<code>")
@needs(POST)
def bank_file(run_id: int, code: str) -> AnyResponse:
    """One union's bank file, decrypted on its way out; every download is on record."""
    run = current_run(run_id)
    file, org = find_bank_file(run, code, request.args.get("format", ""), run_scope(POST))
    settings = settings_of()
    blocks = writing.open_bank_file(me(), file, settings.files / "bank", settings.data_keys)
    return _handed_out(blocks, file.name, f"{run.title}-{org.short_name}.{file.name.rpartition('.')[2]}")


@blueprint.get("/<int:run_id>/bank-files/<code>/locked")
@needs(POST)
def locking(run_id: int, code: str) -> str:
    """The password that the file will be locked with: told here, once, and kept nowhere."""
    run = current_run(run_id)
    file, org = find_bank_file(run, code, request.args.get("format", ""), run_scope(POST))
    password = "".join(secrets.choice(LETTERS) for _each in range(12))
    return render_template("banking/locked.html", run=run, file=file, org=org, password=password)


@blueprint.post("/<int:run_id>/bank-files/<code>/locked")
@needs(POST)
@reads_only
def locked_file(run_id: int, code: str) -> AnyResponse:
    """The bank file as a zip that the password opens."""
    run = current_run(run_id)
    file, org = find_bank_file(run, code, request.args.get("format", ""), run_scope(POST))
    password = request.form.get("password", "")
    if len(password) < 12 or not set(password) <= set(LETTERS):
        raise ZhijiaError(_("Take the password that the page told you."))
    settings = settings_of()
    target = tempfile.TemporaryFile(dir=settings.instance)  # noqa: SIM115  # closed when it is handed out
    try:
        writing.lock_bank_file(me(), file, settings.files / "bank", settings.data_keys, password, target)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return _handed_out(_to_its_end(target), f"{file.name}.zip", f"{run.title}-{org.short_name}.zip")


@blueprint.get("/<int:run_id>/bank/lists/<code>")
@needs(VIEW)
def sign_list(run_id: int, code: str) -> str:
    """A union's list of cash or goods, to be printed and signed: Chinese whatever the reader reads.

    A very long one comes in parts, each a document of its own.
    """
    run = current_run(run_id)
    chunk, org = _chunk(run, code, VIEW)
    parts = max(1, -(-chunk.paid // queries.PART))
    part = request.args.get("part", 1, type=int)
    if not 1 <= part <= parts:
        raise no_such_page()
    look(me(), "run.sign_list", f"run:{run_id}", org.path, part=part)
    return render_template(
        "banking/sign_list.html",
        run=run,
        org=org,
        chunk=chunk,
        lines=queries.lines_to_sign(run, org, part),
        first=(part - 1) * queries.PART,
        part=part,
        parts=parts,
        reference_of=reference_of,
    )


@blueprint.get("/<int:run_id>/bank/lists/<code>/handed-out")
@needs(POST)
def handing_out(run_id: int, code: str) -> str:
    """What a union has handed out: the form, and what is said so far."""
    return _hand_out_page(current_run(run_id), code, HandOutForm(data={"on_day": today()}))


@blueprint.post("/<int:run_id>/bank/lists/<code>/handed-out")
@needs(POST)
def hand_out(run_id: int, code: str) -> Page:
    """Say what was handed out."""
    run, form = current_run(run_id), HandOutForm(request.form)
    _one, org = _chunk(run, code, POST)
    if not form.validate():
        return _hand_out_page(run, code, form), 400

    def act() -> None:
        handing.hand_out(me(), run, org, form.on_day.data or today(), form.absent.data or "")

    return _handed(run_id, code, form, act, _("It is written down; somebody else confirms it."))


@blueprint.post("/<int:run_id>/bank/lists/<code>/confirm")
@needs(POST)
def confirm(run_id: int, code: str) -> Page:
    """Confirm what somebody else said."""
    run = current_run(run_id)
    _one, org = _chunk(run, code, POST)
    form = HandOutForm(data={"on_day": today()})
    return _handed(run_id, code, form, lambda: handing.confirm(me(), run, org), _("What was handed out is confirmed."))


def _handed(run_id: int, code: str, form: HandOutForm, act: Callable[[], None], done: str) -> Page:
    try:
        act()
    except ZhijiaError as error:
        form.refuse(error)
        return _hand_out_page(current_run(run_id), code, form), error.status
    flash(done, "success")
    return redirect(url_for(".handing_out", run_id=run_id, code=code))


def _chunk(run: Run, code: str, permission: str) -> tuple[RunChunk, Org]:
    return found(queries.chunk_of(run, run_scope(permission), code) if run.form != "bank" else None)


def _bank_page(run: Run, form: ReturnForm, refused: str = "") -> str:
    chunks = [chunk for chunk in chunks_of(run, run_scope()) if chunk.paid]
    return render_template(
        "banking/bank.html",
        run=run,
        chunks=chunks,
        outcome=queries.outcome_of(run, chunks),
        returns=queries.returns_of(run, run_scope(POST)),
        handed=queries.hand_outs_of(run) if run.form != "bank" else {},
        followers=queries.followers_of(run),
        may_post=run_scope(POST),
        keeps_accounts=scope_of(me(), "run.create"),
        has_statements=scope_of(me(), POST),
        actions=allowed(me(), run, current_program_year()),
        form=form,
        refused=refused,
    )


def _wholly_mine(run_id: int) -> Run:
    run = current_run(run_id)
    return found(run if run_scope(POST).includes(run.org_path) else None)


def _changed_page(run: Run, refused: str = "") -> str:
    changed = aside.changed_of(run)
    return render_template(
        "banking/changed.html",
        run=run,
        changed=changed,
        on_file=_on_file(run, changed.rows),
        actions=allowed(me(), run, current_program_year()),
        refused=refused,
    )


def _on_file(run: Run, rows: Sequence[Any]) -> set[int]:
    """Of which of these payees the reader may open the file, where an account is corrected."""
    if run.payees != "people":
        return set()
    return visible_among(scope_of(me(), "people.view"), [row.payee_id for row in rows])


def _hand_out_page(run: Run, code: str, form: HandOutForm) -> str:
    chunk, org = _chunk(run, code, POST)
    return render_template(
        "banking/hand_out.html",
        run=run,
        org=org,
        chunk=chunk,
        form=form,
        one=queries.hand_outs_of(run).get(org.id),
        people=queries.names_of(run),
        reference_of=reference_of,
        me=me(),
    )


def _to_its_end(target: IO[bytes]) -> Iterator[bytes]:
    with target:
        while block := target.read(BLOCK):
            yield block


def _handed_out(blocks: Iterator[bytes], name: str, title: str) -> Response:
    response = Response(blocks, mimetype="application/octet-stream")
    readable = quote(title.replace("/", "-"), safe="")
    response.headers["Content-Disposition"] = f"attachment; filename=\"{name}\"; filename*=UTF-8''{readable}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
