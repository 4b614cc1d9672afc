"""The figures of a year of study aid."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from core.api import Card, ProgramYear, User, db, offered, scope_of, wan
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.words import LEVELS
from plugins.four_seasons.payments import paid_fen
from plugins.four_seasons.words import AUTUMN, VIEW


def cards_of(user: User, program_year: ProgramYear) -> list[Card]:
    """Students approved, by level, and what was paid, of the unions that the user may see."""
    scope = scope_of(user, VIEW, program_year.program)
    counted = (
        select(Application.level, func.count().filter(Application.state == "approved"), func.count())
        .where(Application.program_year_id == program_year.id, scope.covers(Application.org_path))
        .group_by(Application.level)
    )
    counts = {level: (approved, applied) for level, approved, applied in db.session.execute(counted)}
    approved, applied = (sum(pair[place] for pair in counts.values()) for place in (0, 1))
    people, money = _l("students"), _l("ten thousand yuan")
    cards = [
        Card(title=_l("Applied for study aid"), value=f"{applied:,}", unit=people, weight=10),
        Card(title=_l("Approved for study aid"), value=f"{approved:,}", unit=people, weight=10),
    ]
    cards += [
        Card(title=title, value=f"{counts[level][0]:,}", unit=people, weight=20)
        for level, title in LEVELS.items()
        if level in counts
    ]
    if fund := program_year.settings.get("province_fund"):
        cards.append(Card(title=_l("Fund of the sponsor"), value=wan(fund), unit=money, weight=30))
    paid = paid_fen(program_year, scope_of(user, "run.view", program_year.program))
    cards.append(Card(title=_l("Paid out"), value=wan(paid), unit=money, weight=40))
    if program_year.program == AUTUMN and offered("hardship", program_year) is None:
        no_files = str(_l("No program of workers in hardship is on: every parent counts as not on file."))
        cards.append(Card(title=_l("Hardship files of parents"), value="—", unit=no_files, weight=50))
    return cards
