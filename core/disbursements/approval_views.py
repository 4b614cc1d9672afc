"""The pages of the rules of approval, for whoever manages program years."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.disbursements import approval_rules
from core.disbursements.approval_rules import MANAGE
from core.disbursements.approvals import SOME, Stage
from core.disbursements.forms import DECIDING, POLICY_TITLES, RuleForm, StagesForm
from core.disbursements.models import ApprovalRule
from core.errors import NotFound, ZhijiaError
from core.org.models import Org
from core.org.queries import visible
from core.plugin.registry import registry_of
from core.programs.models import FIRST_YEAR, LAST_YEAR
from core.users.access import scope_of, today
from core.users.queries import org_by_id
from core.web.forms import options
from core.web.guard import found, me, needs

blueprint = Blueprint("approvals", __name__, url_prefix="/admin/approvals", template_folder="templates")
Page = str | Response | tuple[str, int]


@blueprint.get("/")
@needs(MANAGE)
def index() -> str:
    """The rules of a year."""
    year = request.args.get("year", today().year, type=int)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound(_("There is no such year."))
    return render_template(
        "disbursements/approvals_index.html",
        year=year,
        rows=[(rule, org, [Stage.of(values) for values in rule.stages]) for rule, org in _rules(year)],
        program_title=program_title,
        stage_text=stage_text,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@needs(MANAGE)
def new() -> Page:
    """Add a rule."""
    if request.method == "GET":
        year = request.args.get("year", today().year, type=int)
        return _rule_page(_with_programs(RuleForm(year=year, org_code=_own_code(), from_fen=0)))
    form = _with_programs(RuleForm(request.form))
    status = 400
    if form.validate():
        program = form.program.data or None
        try:
            rule = approval_rules.add_rule(
                me(), year=form.year.data or 0, org=_org(form.org_code.data or "", program), program=program,
                from_fen=form.from_fen.data or 0, stages=form.entered(),
            )  # fmt: skip
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            return _done(rule.year, _("The rule is kept."))
    return _rule_page(form), status


@blueprint.route("/<int:rule_id>", methods=["GET", "POST"])
@needs(MANAGE)
def change(rule_id: int) -> Page:
    """Change a rule, from the next run that is submitted on."""
    rule = _rule(rule_id)
    if request.method == "GET":
        stages = [values if values["policy"] == SOME else {**values, "n": None} for values in rule.stages]
        return _rule_page(StagesForm(data={"from_fen": rule.from_fen, "stages": stages}), rule)
    form = StagesForm(request.form)
    status = 400
    if form.validate():
        try:
            approval_rules.change_rule(me(), rule, from_fen=form.from_fen.data or 0, stages=form.entered())
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            return _done(rule.year, _("The rule is kept. It counts for runs that are submitted from now on."))
    return _rule_page(form, rule), status


@blueprint.post("/<int:rule_id>/remove")
@needs(MANAGE)
def remove(rule_id: int) -> Response:
    """Remove a rule."""
    rule = _rule(rule_id)
    year = rule.year
    try:
        approval_rules.remove_rule(me(), rule)
    except ZhijiaError as error:
        return _done(year, str(error), "danger")
    return _done(year, _("The rule is removed."))


@blueprint.post("/copy")
@needs(MANAGE)
def copy() -> Response:
    """Copy the rules of a year into the next."""
    year = request.form.get("year", 0, type=int)
    try:
        count = approval_rules.copy_rules(me(), year)
    except ZhijiaError as error:
        return _done(year, str(error), "danger")
    return _done(year + 1, _("%(count)s rules are copied into %(year)s.", count=count, year=year + 1))


def program_title(code: str | None) -> str:
    """The program that a rule is for."""
    if code is None:
        return str(_("Every program"))
    program = registry_of().programs.get(code)
    return str(program.title) if program else code


def stage_text(stage: Stage) -> str:
    """A stage in one line."""
    votes = _("%(count)s of them", count=stage.n) if stage.policy == SOME else str(POLICY_TITLES[stage.policy])
    text: str = _("%(stage)s: %(union)s (%(votes)s)", stage=stage.title, union=str(DECIDING[stage.level]), votes=votes)
    return text


def _rules(year: int) -> list[tuple[ApprovalRule, Org]]:
    return approval_rules.rules_for(me(), year)


def _rule(rule_id: int) -> ApprovalRule:
    return found(approval_rules.rule_of(me(), rule_id) if rule_id < 2**63 else None)


def _own_code() -> str:
    own = org_by_id(me().org_id)
    return own.code if own else ""


def _org(code: str, program: str | None) -> Org:
    org = visible(scope_of(me(), MANAGE, program), code)
    if org is None:
        missing = _("There is no union with the code “%(code)s”, or none that you manage.", code=code)
        raise NotFound(missing, field="org_code")
    return org


def _with_programs(form: RuleForm) -> RuleForm:
    titles = {code: str(program.title) for code, program in registry_of().programs.items()}
    form.program.choices = options({"": _("Every program"), **titles})
    return form


def _done(year: int, sentence: str, category: str = "success") -> Response:
    flash(sentence, category)
    return redirect(url_for(".index", year=year if FIRST_YEAR <= year <= LAST_YEAR else None))


def _rule_page(form: StagesForm, rule: ApprovalRule | None = None) -> str:
    return render_template(
        "disbursements/approvals_rule.html",
        form=form,
        rule=rule,
        org=org_by_id(rule.org_id) if rule else None,
        program_title=program_title,
    )
