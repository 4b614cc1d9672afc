"""The pages of reports below ``/<year>/<sponsor>/<program>/reports/``, and the tab that leads to them."""

from flask import Blueprint, Flask, Response, render_template, url_for
from flask_babel import gettext as _

from core.errors import Refused
from core.lists.columns import NUMBERS, headings, shown
from core.plugin.gate import current_program_year
from core.plugin.types import Report
from core.programs.frame import provide_tabs
from core.programs.models import ProgramYear
from core.registers.sheets import send_xlsx
from core.reports import services
from core.reports.queries import LARGEST, find_report, reports_of, table_of
from core.users.access import can_anywhere, refuse
from core.users.models import User
from core.web.guard import found, me

blueprint = Blueprint(
    "reports", __name__, url_prefix="/<int:year>/<sponsor>/<program>/reports", template_folder="templates"
)


@blueprint.get("/")
def index() -> str:
    """The reports of the program."""
    return render_template("reports/index.html", reports=reports_of(me(), current_program_year()))


@blueprint.get("/<name>")
def show(name: str) -> str | tuple[str, int]:
    """One report; what its plugin breaks is a sentence on the page."""
    report = _report(name)
    try:
        table, problem = table_of(me(), current_program_year(), report), None
    except Refused as error:
        table, problem = None, error
    page = render_template(
        "reports/show.html",
        report=report,
        table=table,
        problem=problem,
        headings=list(zip(report.columns, headings(report.columns), strict=True)),
        numbers=NUMBERS,
        shown=shown,
        largest=LARGEST,
    )
    return page, problem.status if problem else 200


@blueprint.get("/<name>/download.xlsx")
def download(name: str) -> Response:
    """One report for Excel."""
    report, program_year = _report(name), current_program_year()
    return send_xlsx(
        lambda target: services.download(me(), program_year, report, target),
        f"{report.title}-{program_year.year}.xlsx",
    )


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
