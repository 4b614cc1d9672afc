"""The map of the network of help, and who has nothing of it."""

from flask import render_template, request

from core.api import current_program_year, me, needs, scope_of
from plugins.hardship_aid.centres import queries
from plugins.hardship_aid.centres.words import LEVEL_TITLES
from plugins.hardship_aid.views import blueprint
from plugins.hardship_aid.words import PROGRAM, VIEW


@blueprint.get("/places")
@needs(VIEW)
def places() -> str:
    """Centres and stations on the map and by city, and the unions of a level that have none."""
    program_year, scope = current_program_year(), scope_of(me(), VIEW, PROGRAM)
    levels = queries.coverage(program_year, scope)
    asked = request.args.get("level", "")
    level = asked if asked in queries.LEVELS else next((line.level for line in levels if line.without), "city")
    after = request.args.get("after", "").replace("\0", "")
    missing = queries.without(program_year, scope, level, after)
    return render_template(
        "hardship_aid/places.html",
        totals=queries.totals(program_year, scope),
        cities=queries.by_city(program_year, scope),
        points=queries.points(program_year, scope),
        levels=levels,
        titles=LEVEL_TITLES,
        level=level,
        missing=missing[: queries.PAGE],
        next=missing[queries.PAGE - 1].path if len(missing) > queries.PAGE else None,
        is_first=not after,
    )
