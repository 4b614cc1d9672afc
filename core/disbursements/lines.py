"""The lists of a run, who is paid and who is not, and the bank files. A million lines cost what fifty do."""

from flask import render_template, request, url_for
from flask_babel import gettext as _

from core.disbursements.actions import allowed
from core.disbursements.differences import SHOWN, changed_lines, changes_of
from core.disbursements.models import Run
from core.disbursements.preview import preview
from core.disbursements.queries import (
    PAGE,
    ExclusionRow,
    PaymentRow,
    chunks_of,
    exclusions_of,
    payments_of,
    totals_below,
)
from core.disbursements.titles import CHANGES, reason_title
from core.disbursements.views import VIEW, blueprint, current_run, run_scope
from core.errors import NotFound
from core.org.models import Org
from core.org.queries import visible
from core.plugin.gate import current_program_year
from core.web.guard import me, needs
from core.web.paging import place_in, token_of


@blueprint.get("/<int:run_id>/payments")
@needs(VIEW)
def payments(run_id: int) -> str:
    """Who is paid how much."""
    run, scope, org = current_run(run_id), run_scope(), _org()
    rows = payments_of(run, scope, after=place_in(request.args.get("after", "")), org=org)
    return render_template(
        "disbursements/payments.html",
        run=run,
        org=org,
        rows=rows[:PAGE],
        next=_next(run, rows),
        totals=totals_below(chunks_of(run, scope), org),
        actions=allowed(me(), run, current_program_year()),
    )


@blueprint.get("/<int:run_id>/exclusions")
@needs(VIEW)
def exclusions(run_id: int) -> str:
    """Who is not paid, and why."""
    run, scope, org = current_run(run_id), run_scope(), _org()
    reason = request.args.get("reason") or None
    rows = exclusions_of(run, scope, after=place_in(request.args.get("after", "")), org=org, reason=reason)
    return render_template(
        "disbursements/exclusions.html",
        run=run,
        org=org,
        rows=rows[:PAGE],
        next=_next(run, rows),
        totals=totals_below(chunks_of(run, scope), org),
        reason=reason,
        reason_title=lambda code: reason_title(run.scheme, code),
    )


@blueprint.get("/<int:run_id>/difference")
@needs(VIEW)
def difference(run_id: int) -> str:
    """What computing it again has changed, payee by payee."""
    run, scope = current_run(run_id), run_scope()
    return render_template(
        "disbursements/difference.html",
        run=run,
        changes=changes_of(run, scope),
        rows=changed_lines(run, scope),
        shown=SHOWN,
        titles=CHANGES,
    )


@blueprint.get("/<int:run_id>/preview")
@needs("run.create")
def foresee(run_id: int) -> str:
    """What it would come to if it were computed now."""
    run = current_run(run_id)
    return render_template(
        "disbursements/preview.html",
        run=run,
        preview=preview(me(), run),
        reason_title=lambda code: reason_title(run.scheme, code),
        actions=allowed(me(), run, current_program_year()),
    )


def _org() -> Org | None:
    code = request.args.get("org", "").strip()
    org = visible(run_scope(), code) if code else None
    if code and org is None:
        raise NotFound(_("There is no organisation with the code “%(code)s” here.", code=code))
    return org


def _next(run: Run, rows: list[PaymentRow] | list[ExclusionRow]) -> str | None:
    if len(rows) <= PAGE:
        return None
    last = rows[PAGE - 1]
    org = request.args.get("org") or None
    reason = request.args.get("reason") or None
    return url_for(
        str(request.endpoint), run_id=run.id, org=org, reason=reason, after=token_of(last.org_path, last.payee_id)
    )
