"""The pages of runs, under ``/<year>/<sponsor>/<program>/runs``."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.disbursements import payout, services
from core.disbursements.actions import allowed
from core.disbursements.differences import changes_of
from core.disbursements.forms import DecisionForm, ObjectionForm, PostForm, RunForm
from core.disbursements.models import Run
from core.disbursements.progress import progress_of
from core.disbursements.queries import (
    PAGE,
    approvals_of,
    chunks_of,
    exclusion_reasons,
    find_run,
    runs_of,
    totals_of,
    work_of,
)
from core.disbursements.titles import CHANGES, reason_title, scheme_title, steps_done, steps_of
from core.errors import ZhijiaError
from core.ledger.budget_queries import sources_in
from core.ledger.titles import SOURCE_TITLES
from core.org.models import Org
from core.org.queries import visible
from core.org.scope import Scope
from core.plugin.gate import current_program_year
from core.plugin.registry import registry_of
from core.programs.queries import sponsor_code
from core.users.access import scope_of, today
from core.web.forms import Form, SignedForm, options
from core.web.guard import me, needs, prove
from core.web.paging import no_such_page

VIEW = "run.view"
blueprint = Blueprint("runs", __name__, url_prefix="/<int:year>/<sponsor>/<program>/runs", template_folder="templates")
Page = str | Response | tuple[str, int]


def run_scope(permission: str = VIEW) -> Scope:
    """Where the user may see the runs of this program."""
    return scope_of(me(), permission, current_program_year().program)


def current_run(run_id: int) -> Run:
    """The run of the address, if the user may see any of it."""
    return find_run(current_program_year(), run_id, run_scope())


@blueprint.get("/")
@needs(VIEW)
def index() -> str:
    """The runs of this program year, the newest first."""
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < 2**63:
        raise no_such_page()
    rows = runs_of(current_program_year(), run_scope(), before=before)
    return render_template(
        "disbursements/index.html",
        runs=rows[:PAGE],
        is_first=before is None,
        next_before=rows[PAGE - 1].run.id if len(rows) > PAGE else None,
        scheme_title=scheme_title,
        may_create=bool(run_scope("run.create").paths) and bool(_schemes()),
    )


@blueprint.get("/new")
@needs("run.create")
def new() -> str:
    """The form for a new run."""
    return _new_page(RunForm(data={"org_code": sponsor_code(current_program_year())}))


@blueprint.post("/new")
@needs("run.create")
def create() -> Page:
    """Make a draft."""
    form = _with_choices(RunForm(request.form))
    status = 400
    if form.validate():
        try:
            org = _org(form.org_code.data or "")
            run = services.create_run(
                me(), current_program_year(), form.scheme.data, form.title.data or "", org, form.source.data
            )
            return redirect(url_for(".show", run_id=run.id))
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
    return _new_page(form), status


@blueprint.get("/<int:run_id>")
@needs(VIEW)
def show(run_id: int) -> str:
    """One run: how far it is, what it comes to, what can be done."""
    return _run_page(current_run(run_id))


@blueprint.get("/<int:run_id>/progress")
@needs(VIEW)
def progress(run_id: int) -> Response | str:
    """The part of the page that moves while a worker is busy with the run; the whole page once it is done."""
    run = current_run(run_id)
    if not work_of(run).is_active:
        return Response(headers={"HX-Refresh": "true"})
    return render_template("disbursements/_progress.html", run=run, chunks=chunks_of(run, run_scope()))


@blueprint.post("/<int:run_id>/compute")
@needs("run.create")
def compute(run_id: int) -> Page:
    """Ask a worker to compute it."""
    return _do(run_id, lambda run: services.start_computing(me(), run), _("The run is being computed."))


@blueprint.post("/<int:run_id>/notice")
@needs("run.create")
def notice(run_id: int) -> Page:
    """Put it under public notice."""
    return _do(run_id, lambda run: services.start_notice(me(), run), _("The public notice has begun."))


@blueprint.post("/<int:run_id>/submit")
@needs("run.create")
def submit(run_id: int) -> Page:
    """Hand it on for approval."""
    return _do(run_id, lambda run: services.submit(me(), run), _("The run waits for approval."))


@blueprint.post("/<int:run_id>/withdraw")
@needs("run.create")
def withdraw(run_id: int) -> Page:
    """Take it back before it is approved."""
    return _do(run_id, lambda run: services.withdraw(me(), run), _("The run is taken back; it can be sent anew."))


@blueprint.post("/<int:run_id>/decide")
@needs("run.approve")
def decide(run_id: int) -> Page:
    """Approve or return it."""
    form = DecisionForm(request.form)
    approve = form.decision.data == "approve"
    done = _("You approved the run.") if approve else _("You returned the run.")

    def act(run: Run) -> None:
        seen = form.round_and_stage
        services.decide(me(), run, approve=approve, comment=form.comment.data or "", seen=seen)

    return _do(run_id, act, done, form)


@blueprint.post("/<int:run_id>/post")
@needs("run.post")
def post(run_id: int) -> Page:
    """Post it to the ledgers."""
    form = PostForm(request.form)

    def act(run: Run) -> None:
        payout.post(me(), run, form.effective_on.data or today())

    return _do(run_id, act, _("The run is posted to both ledgers."), form)


@blueprint.post("/<int:run_id>/bank-files")
@needs("run.post")
def bank_files(run_id: int) -> Page:
    """Ask a worker for the bank files."""
    return _do(run_id, lambda run: payout.start_bank_files(me(), run), _("The bank files are being written."))


@blueprint.post("/<int:run_id>/cancel")
@needs("run.create")
def cancel(run_id: int) -> Page:
    """Give it up."""
    return _do(run_id, lambda run: services.cancel(me(), run), _("The run is cancelled."))


@blueprint.post("/<int:run_id>/object")
@needs("run.create")
def object_to(run_id: int) -> Page:
    """Hold back one payee."""
    form = ObjectionForm(request.form)

    def act(run: Run) -> None:
        services.object_to(me(), run, form.payee_id.data or 0, form.note.data or "")

    return _do(run_id, act, _("The payee is held back."), form)


def _do(run_id: int, act: Callable[[Run], None], done: str, form: Form | None = None) -> Page:
    """Do it and go back to the run; a refusal is shown on the run's page, with what was typed."""
    run = current_run(run_id)
    if form is not None and not form.validate():
        sentences = [f"{form[name].label.text}: {error}" for name, errors in form.errors.items() for error in errors]
        return _run_page(run, ZhijiaError(" ".join(sentences)), form=form), 400
    try:
        if isinstance(form, SignedForm):
            prove(form)
        act(run)
    except ZhijiaError as error:
        return _run_page(current_run(run_id), error, form=form), error.status
    flash(done, "success")
    return redirect(url_for(".show", run_id=run_id))


def _run_page(run: Run, error: ZhijiaError | None = None, *, form: Form | None = None) -> str:
    """The page; what went wrong stands at its field, or above where the form is not shown any more."""
    program_year = current_program_year()
    chunks, decisions, actions = chunks_of(run, run_scope()), approvals_of(run), allowed(me(), run, program_year)
    if error and error.field and form is not None and _action_of(form) in actions:
        form.refuse(error)
        error = None
    return render_template(
        "disbursements/show.html",
        run=run,
        chunks=chunks,
        totals=totals_of(chunks),
        reasons=[(code, reason_title(run.scheme, code), count) for code, count in exclusion_reasons(run, run_scope())],
        changes=changes_of(run, run_scope()),
        change_titles=CHANGES,
        approvals=decisions,
        progress=progress_of(run, program_year.program, decisions),
        actions=actions,
        work=work_of(run),
        sees_all=run_scope().includes(run.org_path),
        may_download=run_scope("run.post"),
        steps=steps_of(run.form),
        steps_done=steps_done(run.state, run.form),
        scheme_title=scheme_title(run.scheme),
        source_title=SOURCE_TITLES[run.source],
        refused=str(error or ""),
        **_forms_of(run, form),
    )


def _action_of(form: Form) -> str:
    return {DecisionForm: "decide", PostForm: "post", ObjectionForm: "object"}.get(type(form), "")


def _forms_of(run: Run, form: Form | None) -> dict[str, Form | None]:
    """The forms of the page: the one that was sent as it was filled, with what the page shows now."""
    decision = form if isinstance(form, DecisionForm) else DecisionForm()
    decision.seen.data = f"{run.round}-{run.stage}"
    return {
        "decision": decision,
        "objection": form if isinstance(form, ObjectionForm) else None,
        "posting": form if isinstance(form, PostForm) else PostForm(data={"effective_on": today()}),
    }


def _schemes() -> dict[str, str]:
    program = current_program_year().program
    return {code: str(scheme.title) for code, scheme in registry_of().schemes.items() if scheme.program == program}


def _with_choices(form: RunForm) -> RunForm:
    form.scheme.choices = options(_schemes())
    form.source.choices = options(sources_in(current_program_year()))
    return form


def _new_page(form: RunForm) -> str:
    return render_template("disbursements/new.html", form=_with_choices(form))


def _org(code: str) -> Org:
    org = visible(run_scope("run.create"), code)
    if org is None:
        raise ZhijiaError(_("There is no organisation with the code “%(code)s” here.", code=code), field="org_code")
    return org
