"""The page of who is left out of pairing: pairs that lack visits, and workers on file without a pair."""

from flask import render_template, request
from flask_babel import gettext as _

from core.api import current_program_year, me, needs, scope_of
from plugins.hardship_aid.pairing import queries
from plugins.hardship_aid.views import blueprint
from plugins.hardship_aid.words import PROGRAM, VIEW


@blueprint.get("/pairs/unvisited")
@needs(VIEW)
def unvisited() -> str:
    """Pairs that stand and have fewer visits than the year asks for."""
    program_year, scope = current_program_year(), scope_of(me(), VIEW, PROGRAM)
    lines = queries.lacking_page(program_year, scope, _after())
    more = lines[queries.PAGE - 1].pair.id if len(lines) > queries.PAGE else None
    return render_template(
        "hardship_aid/unvisited.html",
        title=_("Pairs without enough visits"),
        lines=lines[: queries.PAGE],
        needed=queries.needed(program_year),
        count=queries.count_lacking(program_year, scope),
        next=more,
        is_first=not _after(),
    )


@blueprint.get("/pairs/unpaired")
@needs(VIEW)
def unpaired() -> str:
    """Workers on file whom nobody is paired with."""
    program_year, scope = current_program_year(), scope_of(me(), VIEW, PROGRAM)
    lines = queries.unpaired_page(program_year, scope, _after())
    more = lines[queries.PAGE - 1].file_id if len(lines) > queries.PAGE else None
    return render_template("hardship_aid/unpaired.html", lines=lines[: queries.PAGE], next=more, is_first=not _after())


def _after() -> int:
    return min(max(request.args.get("after", 0, type=int), 0), 2**63 - 1)
