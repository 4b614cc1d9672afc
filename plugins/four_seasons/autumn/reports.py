"""Reports of study aid: students by level of school, union and basis, with what posted runs paid."""

from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, case, func, literal, select

from core.api import Column, Report, ReportContext
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.registers import BASIS, LEVEL
from plugins.four_seasons.autumn.words import MINE
from plugins.four_seasons.payments import posted_by_person
from plugins.four_seasons.words import AUTUMN, VIEW

RENEWED: dict[str, LazyString] = {"new": _l("New"), "renewed": _l("Renewed from the year before")}
_MEASURES = (
    Column(name="students", title=_l("Applied (students)"), kind="number"),
    Column(name="approved", title=_l("Approved (students)"), kind="number"),
    Column(name="paid", title=_l("Paid this year (students)"), kind="number"),
    Column(name="paid_fen", title=_l("Paid this year"), kind="yuan"),
)


def students(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """The applications, and what posted runs of the year paid of them: a row for each."""
    paid = posted_by_person(context.program_year)
    return (
        select(
            Application.org_path,
            Application.level,
            Application.basis,
            case((Application.renewed, "renewed"), else_="new").label("renewed"),
            literal(1).label("students"),
            case((Application.state == "approved", 1), else_=0).label("approved"),
            case((paid.c.person_id.is_not(None), 1), else_=0).label("paid"),
            func.coalesce(paid.c.fen, 0).label("paid_fen"),
        )
        .outerjoin(paid, paid.c.person_id == Application.person_id)
        .where(Application.program_year_id == context.program_year.id, context.scope.covers(Application.org_path))
    )


def _report(program: str, code: str, *dimensions: Column) -> Report:
    renewed = Column(name="renewed", title=_l("New or renewed"), kind="choice", choices=RENEWED)
    return Report(
        code=code,
        program=program,
        title=_l("Students and study aid"),
        permission=VIEW,
        columns=(*dimensions, renewed, *_MEASURES),
        select=students,
    )


STUDENTS = _report(AUTUMN, "four_seasons.students", LEVEL, BASIS)
MINE_STUDENTS = _report(MINE, "four_seasons.mine_students", LEVEL)
