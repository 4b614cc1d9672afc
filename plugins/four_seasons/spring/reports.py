"""What spring reached beside its targets, with what job fairs of the same year and sponsor brought."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, Subquery, func, literal, select, union, union_all

from core.api import Column, ProgramYear, Report, ReportContext, offered
from plugins.four_seasons.spring.models import Employer, Placement, SpringTarget
from plugins.four_seasons.words import SPRING, VIEW


def placed(program_year: ProgramYear) -> Subquery:
    """Who was placed, each once: ``person_id`` and ``org_path``. Job fairs may offer more of them."""
    own = select(Placement.person_id, Placement.org_path).where(Placement.program_year_id == program_year.id)
    rows = _with_offered("placement", own, program_year, ("person_id", "org_path"))
    return select(rows.c.person_id, func.min(rows.c.org_path).label("org_path")).group_by(rows.c.person_id).subquery()


def employers(program_year: ProgramYear) -> Subquery:
    """The employers, each once at a union: ``org_path`` and ``name``. Job fairs may offer more of them."""
    own = select(Employer.org_path, Employer.name).where(Employer.program_year_id == program_year.id)
    return _with_offered("employer", own, program_year, ("org_path", "name"))


def reached(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """Targets and what was reached, a row for each thing that counts."""
    year, zero = context.program_year, literal(0)
    target, brought, found = SpringTarget, employers(year), placed(year)

    def facts(path: Any, *numbers: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
        labels = ("employers_wanted", "employers", "placed_wanted", "placed")
        named = (number.label(label) for number, label in zip(numbers, labels, strict=True))
        return select(path.label("org_path"), *named)

    parts = union_all(
        facts(target.org_path, target.employers + 0, zero, target.placed + 0, zero).where(
            target.program_year_id == year.id
        ),
        facts(brought.c.org_path, zero, literal(1), zero, zero),
        facts(found.c.org_path, zero, zero, zero, literal(1)),
    ).subquery()
    return select(*parts.c).where(context.scope.covers(parts.c.org_path))


def _with_offered(
    kind: str, own: Select[*tuple[Any, ...]], program_year: ProgramYear, labels: tuple[str, ...]
) -> Subquery:
    more = offered(kind, program_year)
    if more is None:
        return own.distinct().subquery()
    rows = more.subquery()
    return union(own, select(*(rows.c[label] for label in labels))).subquery()


REACHED = Report(
    code="four_seasons.reached",
    program=SPRING,
    title=_l("Targets and what was reached"),
    permission=VIEW,
    columns=(
        Column(name="employers_wanted", title=_l("Employers to bring"), kind="number"),
        Column(name="employers", title=_l("Employers"), kind="number"),
        Column(name="placed_wanted", title=_l("Workers to place"), kind="number"),
        Column(name="placed", title=_l("Workers placed"), kind="number"),
    ),
    select=reached,
)
