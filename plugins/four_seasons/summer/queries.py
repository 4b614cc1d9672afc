"""Figures of a summer. Each keeps to a scope; nothing here writes."""

from sqlalchemy import func, select

from core.api import ProgramYear, Scope, db
from plugins.four_seasons.summer.models import Post
from plugins.four_seasons.summer.reports import is_hot


def count_hot(program_year: ProgramYear, scope: Scope) -> tuple[int, int]:
    """How many posts are to be visited, and how many of them were."""
    hot, visited = db.session.execute(
        select(func.count(), func.count().filter(Post.visits > 0)).where(
            Post.program_year_id == program_year.id, is_hot(program_year), scope.covers(Post.org_path)
        )
    ).one()
    return hot, visited
