"""The pages of reports below ``/<year>/<sponsor>/<program>/reports/``, and the tab that leads to them."""

import io
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Flask, Response, render_template, request, send_file, url_for
from flask_babel import gettext as _

from core.errors import NotFound, ZhijiaError
from core.lists.columns import shown
from core.org.models import Org
from core.org.queries import by_paths
from core.org.scope import lineage
from core.plugin.gate import current_program_year
from core.plugin.types import Report
from core.programs.frame import provide_tabs
from core.programs.models import ProgramYear
from core.reports import services
from core.reports.forms import LookForm
from core.reports.queries import (
    LARGEST,
    Look,
    Table,
    dimensions_of,
    find_report,
    org_within,
    reports_of,
    table_of,
    top_of,
)
from core.reports.services import measure_headings, measure_values
from core.users.access import can_anywhere, refuse
from core.users.models import User
from core.web.filters import address
from core.web.guard import found, me

#: More bars than this tell nothing.
MOST_BARS = 40
blueprint = Blueprint(
    "reports", __name__, url_prefix="/<int:year>/<sponsor>/<program>/reports", template_folder="templates"
)


@blueprint.get("/")
def index() -> str:
    """The reports of the program."""
    return render_template("reports/index.html", reports=reports_of(me(), current_program_year()))


@blueprint.get("/<name>")
def show(name: str) -> str | tuple[str, int]:
    """One report, grouped as asked; what its plugin breaks is a sentence on the page."""
    report, form = _report(name), LookForm(request.args)
    table, problem = None, None
    try:
        look = _look(report, form)
        table = table_of(me(), current_program_year(), report, look)
    except ZhijiaError as error:
        problem = error
        form.refuse(error)
    page = render_template(
        "reports/show.html",
        report=report,
        form=form,
        table=table,
        headings=measure_headings(table) if table else [],
        values=measure_values,
        way=way_to(report, look.top, partial(_into, report)) if table else [],
        kinds=services.KINDS,
        chart=_chart(table) if table else None,
        shown=shown,
        largest=LARGEST,
        into=partial(_into, report),
    )
    return page, problem.status if problem else 200


@blueprint.get(f"/<name>/download.<any({', '.join(services.KINDS)}):kind>")
def download(name: str, kind: str) -> Response:
    """One report as a file, as it is looked at."""
    report, program_year = _report(name), current_program_year()
    look, target = _look(report, LookForm(request.args)), io.BytesIO()
    services.download(me(), program_year, report, look, target, kind)
    target.seek(0)
    name = f"{report.title}-{program_year.year}.{kind}"
    return send_file(target, as_attachment=True, download_name=name, max_age=0)


def _look(report: Report, form: LookForm) -> Look:
    """How the address asks to look. Raises :class:`ZhijiaError` at the field that asks for what there is not."""
    user, program_year = me(), current_program_year()
    dimensions = dimensions_of(user, program_year, report)
    form.offer(dimensions)
    if not {column.name for column in dimensions}.issuperset(form.by.data or ()):
        raise ZhijiaError(_("The report cannot be grouped by this."), field="by")
    code = form.org.data or ""
    top = org_within(user, program_year, report, code) if code else None
    if code and top is None:
        raise NotFound(_("There is no organisation with the code “%(code)s” here.", code=code), field="org")
    return Look(tuple(form.by.data or ()), top, bool(form.compare.data))


def way_to(report: Report, top: Org | None, into: Callable[[str | None], str]) -> list[tuple[str, str | None]]:
    """Name and address of the unions from where the report begins down to the one that is looked into.

    ``into`` gives the address of a look into the union with a code.
    """
    if top is None:
        return []
    begin = top_of(me(), current_program_year(), report)
    orgs = by_paths([path for path in lineage(top.path) if len(path) > len(begin)])
    way: list[tuple[str, str | None]] = [(_("All unions"), into(None))]
    way += [(org.short_name, into(org.code) if org.id != top.id else None) for org in orgs]
    return way


def _into(report: Report, code: str | None) -> str:
    """The same look into a union; none leaves the union out."""
    return address(url_for(".show", name=report.name), {**request.args.to_dict(flat=False), "org": code})


def _chart(table: Table) -> tuple[str, list[list[object]], str] | None:
    """Label, bars and unit of the first measure that tells lines apart; none where it would say nothing or too much."""
    if len(table.dimensions) != 1 or not 1 < len(table.lines) <= MOST_BARS:
        return None
    for at, measure in enumerate(table.measures):
        scale = 100 if measure.kind == "yuan" else 1
        bars: list[list[object]] = [[line.heads[0], float(line.values[at] or 0) / scale] for line in table.lines]
        if len({value for _head, value in bars}) > 1:
            return str(measure.title), bars, str(_("yuan")) if measure.kind == "yuan" else ""
    return None


def _report(name: str) -> Report:
    report = found(find_report(current_program_year(), name))
    if not can_anywhere(me(), report.permission, report.program):
        refuse(report.permission)
    return report


def report_tab(user: User, program_year: ProgramYear) -> list[tuple[str, str]]:
    """One tab for all reports, when the program has any that the user may see."""
    return [(_("Reports"), url_for("reports.index"))] if reports_of(user, program_year) else []


def init_app(app: Flask) -> None:
    """Mount the pages, and the tab."""
    app.register_blueprint(blueprint)
    provide_tabs(app, report_tab)
