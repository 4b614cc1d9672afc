"""The menu of a summer, and its figures."""

from flask_babel import lazy_gettext as _l

from core.api import Card, MenuItem, ProgramYear, User, scope_of, wan
from plugins.four_seasons.stock import queries as stock
from plugins.four_seasons.summer import queries
from plugins.four_seasons.visits import queries as visits
from plugins.four_seasons.words import VIEW

MENU = [
    MenuItem(title=_l("Visits"), endpoint="four_seasons_summer.visits", icon="heart-handshake", weight=20),
    MenuItem(title=_l("Stock"), endpoint="four_seasons_summer.stock", icon="package", weight=25),
]


def cards_of(user: User, program_year: ProgramYear) -> list[Card]:
    """Posts to be visited, visits, and goods in stock: of the unions that the user may see."""
    scope = scope_of(user, VIEW, program_year.program)
    hot, visited = queries.count_hot(program_year, scope)
    count, fen = visits.visited_so_far(program_year, scope)
    _bought, left = stock.worth_of(program_year, scope)
    money = _l("ten thousand yuan")
    at = "four_seasons_summer"
    return [
        Card(title=_l("Posts visited of those to be visited"), value=f"{visited:,} / {hot:,}", weight=10,
             endpoint=f"{at}.posts"),
        Card(title=_l("Visits"), value=f"{count:,}", unit=_l("times"), weight=20, endpoint=f"{at}.visits"),
        Card(title=_l("Money and goods brought"), value=wan(fen), unit=money, weight=30),
        Card(title=_l("Goods in stock"), value=wan(left), unit=money, weight=40, endpoint=f"{at}.stock"),
    ]  # fmt: skip
