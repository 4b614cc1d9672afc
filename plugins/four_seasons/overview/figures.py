"""The figures of a year's end, season by season: what each counts, as the rows that it adds up and opens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ColumnElement, Select, Text, cast, func, literal, null, select

from core.api import SOURCE_TITLES, Person, ProgramYear, ReportContext, Scope
from plugins.four_seasons.overview.reports import money
from plugins.four_seasons.payments import posted_by_person
from plugins.four_seasons.spring import reports as spring
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.winter.covering import is_reached
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.winter.registers import HARDSHIP
from plugins.four_seasons.words import AUTUMN, SPRING, SUMMER, WINTER

#: What counts towards a figure: ``org_path``, ``mark`` (no two of a union alike), ``what`` it is called, ``value``, and
#: ``record``, the id by which it is looked up, or none.
Facts = Select[*tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A line of the table. ``facts(program_year of the season, scope)`` are the rows; their values make the figure.

    ``kind`` is ``yuan`` for whole fen. ``words`` are titles of what ``what`` holds as a code. ``endpoint`` shows a
    ``record``, whose id it takes as ``argument``, with ``values``.
    """

    code: str
    season: str
    title: LazyString
    unit: LazyString
    facts: Callable[[ProgramYear, Scope], Facts]
    kind: Literal["number", "yuan"] = "number"
    words: Mapping[str, LazyString] = field(default_factory=dict)
    endpoint: str = ""
    argument: str = "row_id"
    values: Mapping[str, str] = field(default_factory=dict)


def _money(measure: str) -> Callable[[ProgramYear, Scope], Facts]:
    """The money of a season by union and source: ``raised_fen`` or ``spent_fen`` of the report of money."""

    def facts(program_year: ProgramYear, scope: Scope) -> Facts:
        rows = money(ReportContext(program_year=program_year, scope=scope)).subquery().c
        fen = cast(func.sum(rows[measure]), BigInteger)
        return (
            _facts(rows.org_path, rows.source, rows.source, fen, null())
            .where(rows.season == program_year.program)
            .group_by(rows.org_path, rows.source)
            .having(fen != 0)
        )

    return facts


def _reached(program_year: ProgramYear, scope: Scope) -> Facts:
    """Workers on the hardship list whom a run paid or a visit went to, each once."""
    return (
        _facts(Hardship.org_path, cast(Hardship.person_id, Text), Person.name, literal(1), Hardship.id)
        .join(Person, Person.id == Hardship.person_id)
        .where(Hardship.program_year_id == program_year.id, scope.covers(Hardship.org_path), is_reached())
    )


def _units_visited(program_year: ProgramYear, scope: Scope) -> Facts:
    """Enterprises and other units that a union visited, each once at that union."""
    return (
        _facts(Visit.org_path, Visit.unit, Visit.unit, literal(1), func.min(Visit.id))
        .where(
            Visit.program_year_id == program_year.id,
            Visit.unit != "",
            Visit.undone_on.is_(None),
            scope.covers(Visit.org_path),
        )
        .group_by(Visit.org_path, Visit.unit)
    )


def _employers(program_year: ProgramYear, scope: Scope) -> Facts:
    rows = spring.employers(program_year).c
    return _facts(rows.org_path, rows.name, rows.name, literal(1), null()).where(scope.covers(rows.org_path))


def _placed(program_year: ProgramYear, scope: Scope) -> Facts:
    rows = spring.placed(program_year).c
    return (
        _facts(rows.org_path, cast(rows.person_id, Text), Person.name, literal(1), null())
        .join(Person, Person.id == rows.person_id)
        .where(scope.covers(rows.org_path))
    )


def _aided(program_year: ProgramYear, scope: Scope) -> Facts:
    """Students to whom a posted run pays study aid, each once."""
    rows = posted_by_person(program_year).c
    return _facts(rows.org_path, cast(rows.person_id, Text), rows.name, literal(1), null()).where(
        scope.covers(rows.org_path)
    )


def _facts(path: Any, mark: Any, what: Any, value: ColumnElement[int], record: Any) -> Facts:
    return select(
        path.label("org_path"),
        mark.label("mark"),
        what.label("what"),
        value.label("value"),
        cast(record, BigInteger).label("record"),
    )


def _of_money(season: str, raised: LazyString, spent: LazyString) -> list[Figure]:
    yuan = _l("ten thousand yuan")
    return [
        Figure(
            code=f"{season}-{code}", season=season, title=title, unit=yuan, kind="yuan", words=SOURCE_TITLES,
            facts=_money(f"{code}_fen"),
        )
        for code, title in (("raised", raised), ("spent", spent))
    ]  # fmt: skip


def _units(season: str, endpoint: str) -> Figure:
    return Figure(
        code=f"{season}-units", season=season, title=_l("Enterprises visited"), unit=_l("units"),
        facts=_units_visited, endpoint=endpoint, argument="visit_id",
    )  # fmt: skip


_RAISED, _SPENT = _l("Money and goods raised"), _l("Money and goods spent")
FIGURES = (
    *_of_money(WINTER, _RAISED, _SPENT),
    Figure(
        code=f"{WINTER}-workers", season=WINTER, title=_l("Workers in hardship reached"), unit=_l("people"),
        facts=_reached, endpoint="registers.show", values={"name": HARDSHIP.name},
    ),
    _units(WINTER, "four_seasons.visit"),
    Figure(
        code=f"{SPRING}-employers", season=SPRING, title=_l("Employers that offered jobs"), unit=_l("employers"),
        facts=_employers,
    ),
    Figure(
        code=f"{SPRING}-placed", season=SPRING, title=_l("Workers placed"), unit=_l("people"),
        facts=_placed,
    ),
    *_of_money(SUMMER, _RAISED, _SPENT),
    _units(SUMMER, "four_seasons_summer.visit"),
    *_of_money(AUTUMN, _l("Study aid raised"), _l("Study aid spent")),
    Figure(
        code=f"{AUTUMN}-students", season=AUTUMN, title=_l("Students aided"), unit=_l("people"),
        facts=_aided,
    ),
)  # fmt: skip
