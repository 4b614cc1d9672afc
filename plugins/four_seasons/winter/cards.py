"""The menu of a program year, and its figures."""

from flask_babel import lazy_gettext as _l

from core.api import Card, MenuItem, ProgramYear, User, budgets_of, can, scope_of, wan
from plugins.four_seasons.payments import paid_fen
from plugins.four_seasons.winter import queries
from plugins.four_seasons.words import ALLOT, CATEGORY_TITLES, VIEW


def menu_of(user: User, program_year: ProgramYear) -> list[MenuItem]:
    """The links that the user may follow."""
    items = [
        MenuItem(title=_l("Visits"), endpoint="four_seasons.visits", icon="heart-handshake", weight=20),
        MenuItem(title=_l("Coverage"), endpoint="four_seasons.coverage", icon="checklist", weight=25),
    ]
    if can(user, ALLOT, program_year.org_path, program_year.program):
        items.append(MenuItem(title=_l("Allotment"), endpoint="four_seasons.allotment", icon="coins", weight=30))
    return items


def cards_of(user: User, program_year: ProgramYear) -> list[Card]:
    """On file, by category, budget and paid: of the unions that the user may see."""
    scope = scope_of(user, VIEW, program_year.program)
    counts = queries.count_by_category(program_year, scope)
    people, money = _l("people"), _l("ten thousand yuan")
    lines = budgets_of(program_year, scope_of(user, "ledger.view", program_year.program))
    budget = sum(line.allotted_fen - line.passed_down_fen for line in lines if line.org.id != program_year.org_id)
    cards = [Card(title=_l("On the hardship list"), value=f"{sum(counts.values()):,}", unit=people, weight=10,
                  endpoint="four_seasons.hardship_list")]  # fmt: skip
    cards += [
        Card(title=CATEGORY_TITLES[category], value=f"{count:,}", unit=people, weight=20)
        for category, count in counts.items()
    ]
    cards.append(Card(title=_l("Budget of the paying unions"), value=wan(budget), unit=money, weight=30))
    paid = paid_fen(program_year, scope_of(user, "run.view", program_year.program))
    cards.append(Card(title=_l("Paid out"), value=wan(paid), unit=money, weight=40))
    return cards
