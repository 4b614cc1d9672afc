"""Reading the hardship list. Every list keeps to a scope; nothing here writes."""

from sqlalchemy import func, select

from core.api import ProgramYear, Scope, db
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.words import CATEGORIES


def count_by_category(program_year: ProgramYear, scope: Scope) -> dict[str, int]:
    """Category -> number on the list, every category named."""
    query = (
        select(Hardship.category, func.count())
        .where(Hardship.program_year_id == program_year.id, scope.covers(Hardship.org_path))
        .group_by(Hardship.category)
    )
    found = dict(db.session.execute(query).all())
    return {category: found.get(category, 0) for category in CATEGORIES}
