"""What the pages of a year show of pairs: figures, and the way to who was left out."""

from flask_babel import lazy_gettext as _l

from core.api import Card, MenuItem, ProgramYear, User, scope_of
from plugins.hardship_aid.pairing import queries
from plugins.hardship_aid.words import PROGRAM, VIEW


def cards_of(user: User, program_year: ProgramYear) -> list[Card]:
    """Pairs that stand, and those without enough visits, of the unions that the user may see."""
    scope, pairs = scope_of(user, VIEW, program_year.program), _l("pairs")
    standing, lacking = queries.count_standing(program_year, scope), queries.count_lacking(program_year, scope)
    return [
        Card(title=_l("Pairs of leaders and workers"), value=f"{standing:,}", unit=pairs, weight=50),
        Card(
            title=_l("Pairs without enough visits"),
            value=f"{lacking:,}",
            unit=pairs,
            weight=51,
            endpoint=f"{PROGRAM}.unvisited",
        ),
    ]


MENU = [MenuItem(title=_l("Left out of pairing"), endpoint=f"{PROGRAM}.unvisited", icon="user-question", weight=40)]
