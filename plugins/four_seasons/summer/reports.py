"""Posts in the heat: what the thresholds of the year say of them, and which were not visited yet."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, case, literal, select

from core.api import Column, ProgramYear, Report, ReportContext
from plugins.four_seasons.summer.forms import THRESHOLDS
from plugins.four_seasons.summer.models import Post
from plugins.four_seasons.words import HEAT_TITLES, SUMMER, VIEW


def threshold(program_year: ProgramYear, name: str) -> int:
    """Degrees Celsius of a setting of the year."""
    return int(program_year.settings.get(name, THRESHOLDS[name]))


def asked_for(program_year: ProgramYear) -> ColumnElement[str]:
    """What the heat at a post asks for, by the thresholds of the year: from each one's own degree on."""
    steps = {"stop": "stop_at", "limit": "limit_at", "high": "high_at"}
    return case(
        *((Post.temperature >= threshold(program_year, name), code) for code, name in steps.items()), else_="none"
    )


def is_hot(program_year: ProgramYear) -> ColumnElement[bool]:
    """Whether a post is to be visited."""
    return Post.temperature >= threshold(program_year, "visit_from")


def heat(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """A fact for each post."""
    year = context.program_year
    hot, visited = is_hot(year), Post.visits > 0
    return select(
        Post.org_path,
        Post.unit,
        Post.post,
        asked_for(year).label("heat"),
        literal(1).label("posts"),
        Post.workers,
        case((hot, 1), else_=0).label("hot"),
        case((and_(hot, visited), 1), else_=0).label("visited"),
        case((and_(hot, ~visited), 1), else_=0).label("unvisited"),
    ).where(Post.program_year_id == year.id, context.scope.covers(Post.org_path))


HEAT = Report(
    code="four_seasons.heat",
    program=SUMMER,
    title=_l("Posts and visits"),
    permission=VIEW,
    columns=(
        Column(name="heat", title=_l("What the heat asks for"), kind="choice", choices=HEAT_TITLES),
        Column(name="unit", title=_l("Name of the unit")),
        Column(name="post", title=_l("Post in the heat")),
        Column(name="posts", title=_l("Posts"), kind="number"),
        Column(name="workers", title=_l("Workers there"), kind="number"),
        Column(name="hot", title=_l("Posts to be visited"), kind="number"),
        Column(name="visited", title=_l("Posts visited"), kind="number"),
        Column(name="unvisited", title=_l("Posts not visited yet"), kind="number"),
    ),
    select=heat,
)
