"""The year's end (四季送年度统计表): its table, the rows behind each cell, the table as a sheet to print and a file."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from core.api import (
    NotFound,
    ProgramYear,
    current_program_year,
    me,
    needs,
    send_xlsx,
    sponsor_code,
    today,
    wan,
    write_xlsx,
)
from plugins.four_seasons.overview import queries, services
from plugins.four_seasons.overview.figures import FIGURES, Figure
from plugins.four_seasons.overview.queries import Cells, Row
from plugins.four_seasons.words import SEASON_TITLES, VIEW

blueprint = Blueprint("four_seasons_overview", __name__, template_folder="../templates")


@blueprint.get("/year-end")
@needs(VIEW)
def year_end() -> str:
    """What the seasons of the year came to."""
    return render_template(
        "four_seasons/year_end.html",
        table=queries.table_of(me(), current_program_year()),
        seasons=SEASON_TITLES,
        shown=shown,
    )


@blueprint.get("/year-end/print")
@needs(VIEW)
def year_end_sheet() -> str:
    """The table as it is printed and sealed: Chinese, whatever its reader reads."""
    program_year = current_program_year()
    with force_locale("zh"):
        return render_template(
            "four_seasons/year_end_sheet.html",
            table=queries.table_of(me(), program_year),
            year=program_year.year,
            org=queries.sponsor_of(program_year),
            today=today(),
            seasons=SEASON_TITLES,
            shown=shown,
        )


@blueprint.get("/year-end.xlsx")
@needs(VIEW)
def year_end_file() -> Response:
    """The table as a spreadsheet: money in ten thousand yuan, as it is printed."""
    program_year, title = current_program_year(), _("Table of the year's end")
    table = services.hand_out(me(), program_year)
    heading = [_("Season"), _("Item"), _("Unit of measure"), _("The sponsor itself"), _("All levels together")]
    return send_xlsx(partial(write_xlsx, heading=heading, rows=_lines(table), sheet=title), f"{title}.xlsx")


@blueprint.get("/year-end/<figure>")
@needs(VIEW)
def year_end_rows(figure: str) -> str:
    """The rows behind a cell; ``own`` those of the sponsor itself."""
    one = next((item for item in FIGURES if item.code == figure), None)
    season = queries.seasons_of(current_program_year()).get(one.season) if one else None
    if one is None or season is None:
        raise NotFound(_("There is no such figure in this year."))
    own, after = "own" in request.args, request.args.getlist("after")
    rows = queries.rows_of(me(), one, season, own=own, after=(after[0], after[1]) if len(after) == 2 else None)
    listed = rows[: queries.PAGE]
    return render_template(
        "four_seasons/year_end_rows.html",
        figure=one,
        season=SEASON_TITLES[one.season],
        cells=queries.cells_of(me(), one, season),
        own=own,
        rows=listed,
        is_first=len(after) != 2,
        next=(listed[-1].org_path, listed[-1].mark) if len(rows) > len(listed) else None,
        link=partial(_link, one, season),
        shown=shown,
    )


def shown(figure: Figure, value: int | None) -> str:
    """A cell as people read it: money in ten thousand yuan, nothing where there is none."""
    if value is None:
        return "—"
    return wan(value) if figure.kind == "yuan" else f"{value:,}"


def _lines(table: list[Cells]) -> Iterator[list[str | int | Decimal]]:
    for cells in table:
        heads = [str(SEASON_TITLES[cells.figure.season]), str(cells.figure.title), str(cells.figure.unit)]
        yield [*heads, *(_number(cells.figure, value) for value in (cells.sponsor, cells.everywhere))]


def _number(figure: Figure, value: int | None) -> str | int | Decimal:
    if value is None:
        return ""
    return Decimal(value) / 1_000_000 if figure.kind == "yuan" else value


def _link(figure: Figure, season: ProgramYear, row: Row) -> str | None:
    """Where the record behind a row is shown, among the pages of its season."""
    if row.record is None or not figure.endpoint:
        return None
    place: dict[str, Any] = {figure.argument: row.record, **figure.values}
    place |= {"year": season.year, "sponsor": sponsor_code(season), "program": season.program}
    return url_for(figure.endpoint, **place)
