"""Making reports: the facts of a plugin's one ``SELECT``, grouped and added up within the reader's scope."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any

import structlog
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, String, Subquery, case, cast, func, select

from core.errors import Refused
from core.extensions import db
from core.lists.columns import NUMBERS, shown
from core.lists.types import Column
from core.org.models import Org
from core.org.scope import Scope, subtree
from core.plugin.registry import registry_of
from core.plugin.types import Report, ReportContext
from core.programs.models import ProgramYear
from core.programs.queries import find, may_see, sponsor_code
from core.registers.queries import registers_of
from core.reports.provided import provided
from core.reports.registers import report_of
from core.users.access import can_anywhere, scope_of
from core.users.models import User

LARGEST = 1000
#: The dimension that facts with an ``org_path`` have beside their columns.
UNION = "org_path"
#: The union of the level that is looked at; GROUP BY would take ``org_path`` for that of the facts.
_UNIT = "_unit"
log = structlog.get_logger()
Value = Decimal | int | None


@dataclass(frozen=True, slots=True)
class Look:
    """How a report is looked at: grouped ``by`` these dimensions, within ``top``, beside the year before."""

    by: tuple[str, ...]
    top: Org | None = None
    compare: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One group: its dimensions as people read them, its measures, and those of the year before.

    ``code`` is of the union to look into; none where the line is the union's own, or there is no such dimension.
    """

    heads: Sequence[str]
    code: str | None
    values: Sequence[Value]
    before: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Table:
    """A report as it is looked at. ``totals`` and ``totals_before`` are none where lines were cut off.

    ``before`` is the program year that it is compared with, if there is one that the reader may see.
    """

    dimensions: Sequence[Column]
    measures: Sequence[Column]
    lines: Sequence[Line]
    totals: Sequence[Value] | None
    totals_before: Sequence[Value] | None
    before: ProgramYear | None
    is_cut: bool


def reports_of(user: User, program_year: ProgramYear) -> list[Report]:
    """The reports of the program that the user may see, in the order in which the plugin names them.

    Behind those that it declares stands one for each of its registers.
    """
    return [item for item in _reports(program_year) if can_anywhere(user, item.permission, item.program)]


def find_report(program_year: ProgramYear, name: str) -> Report | None:
    """The report of the program with this name, if its plugin is loaded, or one of the core's."""
    every = chain(_reports(program_year), provided(program_year))
    return next((report for report in every if report.name == name), None)


def _reports(program_year: ProgramYear) -> Iterator[Report]:
    yield from (item for item in registry_of().reports.values() if item.program == program_year.program)
    yield from map(report_of, registers_of(program_year))


def dimensions_of(user: User, program_year: ProgramYear, report: Report) -> list[Column]:
    """By what the report can be grouped: the union where its facts belong to one, then its own dimensions.

    Raises :class:`Refused` where the report cannot even be asked for.
    """
    try:
        facts = report.select(_context(user, program_year, report)).subquery()
    except Exception as error:
        raise _broken(report, error) from error
    union = [Column(name=UNION, title=_("Union"))] if "org_path" in facts.c else []
    return union + [column for column in report.columns if column.kind not in NUMBERS]


def top_of(user: User, program_year: ProgramYear, report: Report) -> str:
    """The path that a report is rolled up from: the one union that the reader answers for, else the sponsor."""
    sponsor, paths = program_year.org_path, scope_of(user, report.permission, program_year.program).paths
    return paths[0] if len(paths) == 1 and paths[0].startswith(sponsor) else sponsor


def table_of(user: User, program_year: ProgramYear, report: Report, look: Look) -> Table:
    """What the report says to this user, at most :data:`LARGEST` lines.

    Raises :class:`Refused` with one sentence when it fails in any way; the log says why.
    """
    dimensions = [column for column in dimensions_of(user, program_year, report) if column.name in look.by]
    measures = [column for column in report.columns if column.kind in NUMBERS]
    before = _year_before(user, program_year) if look.compare and report.yearly else None
    try:
        with db.session.begin_nested():  # what fails in here leaves the rest of the page as it was
            now = _groups(user, program_year, report, look, dimensions, measures)
            then = _groups(user, before, report, look, dimensions, measures) if before else {}
    except Exception as error:
        raise _broken(report, error) from error
    keys = list(now) + [key for key in then if key not in now]
    is_cut = len(keys) > LARGEST
    nothing = [None] * len(measures)
    path = look.top.path if look.top else top_of(user, program_year, report)
    lines = [
        Line(*_heads(dimensions, key, path), now.get(key, nothing), then.get(key, nothing)) for key in keys[:LARGEST]
    ]
    return Table(
        dimensions,
        measures,
        lines,
        None if is_cut or not lines else _sums(line.values for line in lines),
        None if is_cut or not lines or not before else _sums(line.before for line in lines),
        before,
        is_cut,
    )


def _context(user: User, program_year: ProgramYear, report: Report) -> ReportContext:
    return ReportContext(program_year=program_year, scope=scope_of(user, report.permission, program_year.program))


def _year_before(user: User, program_year: ProgramYear) -> ProgramYear | None:
    before = find(program_year.year - 1, sponsor_code(program_year), program_year.program)
    return before if before and before.enabled and may_see(user, before) else None


Key = tuple[Any, ...]


def _groups(
    user: User,
    program_year: ProgramYear,
    report: Report,
    look: Look,
    dimensions: Sequence[Column],
    measures: Sequence[Column],
) -> dict[Key, list[Value]]:
    """Values of the dimensions -> sums of the measures. A union is ``(path, code, short name)``."""
    facts = report.select(_context(user, program_year, report)).subquery("facts")
    path = look.top.path if look.top else top_of(user, program_year, report)
    groups = _grouped(facts, path, look, dimensions, measures).subquery("groups")
    keys = {column.name: groups.c[_UNIT if column.name == UNION else column.name] for column in dimensions}
    query: Select[Any] = select(*keys.values(), *(groups.c[column.name] for column in measures))
    if UNION in look.by:
        query = query.add_columns(Org.code, Org.short_name).outerjoin(Org, Org.path == groups.c[_UNIT])
    order = [_rank(column, keys[column.name]) for column in dimensions]
    query = query.order_by(*order).limit(LARGEST + 1)
    found: dict[Key, list[Value]] = {}
    for row in db.session.execute(query):
        place = row._mapping
        key = tuple(
            (place[_UNIT], row[-2], row[-1]) if column.name == UNION else place[column.name] for column in dimensions
        )
        found[key] = [_number(place[column.name]) for column in measures]
    return found if dimensions or any(value is not None for value in found[()]) else {}


def _grouped(
    facts: Subquery, path: str, look: Look, dimensions: Sequence[Column], measures: Sequence[Column]
) -> Select[Any]:
    keys: dict[str, ColumnElement[Any]] = {column.name: facts.c[column.name] for column in dimensions}
    if keys.pop(UNION, None) is not None:  # ``/61/6101/610102/`` -> ``/61/6101/`` where the top is ``/61/``
        keys[_UNIT] = func.substring(facts.c.org_path, f"^(?:/[^/]+){{1,{path.count('/')}}}/").label(_UNIT)
    query = select(*keys.values(), *(func.sum(facts.c[column.name]).label(column.name) for column in measures))
    if look.top is not None:
        query = query.where(subtree(facts.c.org_path, look.top.path))
    return query.group_by(*keys)


def _rank(column: Column, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Choices come in the order in which they are declared, all else as it sorts."""
    if column.kind == "choice" and column.choices:
        ranks = {code: place for place, code in enumerate(column.choices)}
        return case(ranks, value=cast(value, String), else_=len(ranks))
    return value


def _heads(dimensions: Sequence[Column], key: Key, top: str) -> tuple[list[str], str | None]:
    heads, code = [], None
    for column, value in zip(dimensions, key, strict=True):
        if column.name != UNION:
            heads.append(shown(column, value))
            continue
        path, code, name = value
        is_own = path is None or len(path) <= len(top)
        heads.append(_("%(union)s itself", union=name) if is_own and name else str(name or path or "—"))
        code = None if is_own else code
    return heads, code


def _number(value: Any) -> Value:
    return None if value is None else Decimal(value)


def _sums(lines: Iterator[Sequence[Value]]) -> list[Value]:
    return [sum((Decimal(value or 0) for value in column), Decimal()) for column in zip(*lines, strict=True)]


def _broken(report: Report, error: Exception) -> Refused:
    log.error("report failed", report=report.code, error=repr(error), exc_info=error)
    return Refused(
        _("This report cannot be made, as its plugin failed. The administrator finds the reason in the log.")
    )


def org_within(user: User, program_year: ProgramYear, report: Report, code: str) -> Org | None:
    """The union to look into, if the reader sees anything of it."""
    scope: Scope = scope_of(user, report.permission, program_year.program)
    org = db.session.scalars(select(Org).where(Org.code == code)).one_or_none()
    return org if org and scope.touches(org.path) else None
