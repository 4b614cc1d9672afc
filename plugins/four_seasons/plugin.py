"""Four-season campaigns (四季送): hook implementations only."""

from collections.abc import Callable
from pathlib import Path

import click
from flask import Blueprint
from flask_babel import lazy_gettext as _l

from core.api import (
    Blocker,
    Card,
    Copied,
    EntryKind,
    MenuItem,
    Permission,
    Person,
    PersonalDataAction,
    PersonalRecord,
    Program,
    ProgramYear,
    Register,
    Report,
    Scheme,
    User,
    hookimpl,
)
from plugins.four_seasons import cli
from plugins.four_seasons.autumn import cards as autumn_cards
from plugins.four_seasons.autumn import people as students
from plugins.four_seasons.autumn import years as autumn
from plugins.four_seasons.autumn.forms import AutumnSettingsForm, MineSettingsForm
from plugins.four_seasons.autumn.registers import AUTUMN_APPLICATIONS, MINE_APPLICATIONS
from plugins.four_seasons.autumn.reports import MINE_STUDENTS, STUDENTS
from plugins.four_seasons.autumn.schemes import AUTUMN_AID, MINE_AID, PAYMENTS
from plugins.four_seasons.autumn.words import MINE, REVIEW
from plugins.four_seasons.leaders.registers import LEADERS
from plugins.four_seasons.leaders.reports import LEADERS_VISITS
from plugins.four_seasons.overview import views as year_end
from plugins.four_seasons.overview.reports import MONEY
from plugins.four_seasons.spring import people as placements
from plugins.four_seasons.spring import years as spring
from plugins.four_seasons.spring.forms import SpringSettingsForm
from plugins.four_seasons.spring.registers import EMPLOYERS, PLACEMENTS, SPRING_TARGETS
from plugins.four_seasons.spring.reports import REACHED
from plugins.four_seasons.stock.reports import STOCK
from plugins.four_seasons.summer import cards as summer
from plugins.four_seasons.summer import views as summer_views
from plugins.four_seasons.summer.forms import SummerSettingsForm
from plugins.four_seasons.summer.registers import POSTS, VISIT_PLANS
from plugins.four_seasons.summer.reports import HEAT
from plugins.four_seasons.visits import people as visits
from plugins.four_seasons.visits.kinds import KINDS, STOCK_KINDS
from plugins.four_seasons.winter import cards, people, views, years
from plugins.four_seasons.winter.forms import WinterSettingsForm
from plugins.four_seasons.winter.registers import HARDSHIP, TARGETS
from plugins.four_seasons.winter.reports import ON_FILE
from plugins.four_seasons.winter.schemes import WINTER_PAYMENT, WINTER_WARMTH
from plugins.four_seasons.words import AUTUMN, EDIT, OVERVIEW, SPRING, SUMMER, VIEW, WINTER

_CARDS = {
    WINTER: cards.cards_of,
    SPRING: spring.cards_of,
    SUMMER: summer.cards_of,
    AUTUMN: autumn_cards.cards_of,
    MINE: autumn_cards.cards_of,
}
_BEGIN: dict[str, Callable[[ProgramYear], object]] = {
    WINTER: years.begin,
    SPRING: spring.begin,
    AUTUMN: autumn.begin,
    MINE: autumn.begin,
}
_COPY = {WINTER: years.copy_targets, SPRING: spring.copy_targets, AUTUMN: autumn.renewed, MINE: autumn.renewed}
EVERYONE = ("admin", "clerk", "reviewer", "finance", "auditor", "leader")


@hookimpl
def programs() -> list[Program]:
    """A program a season, so that each has its own years, settings and budget; and their year together."""
    return [
        Program(
            code=WINTER,
            title=_l("Winter: sending warmth"),
            title_zh="冬送温暖",
            title_en="Winter: sending warmth",
            settings_form=WinterSettingsForm,
            view_permission=VIEW,
        ),
        Program(
            code=SPRING,
            title=_l("Spring: sending jobs"),
            title_zh="春送岗位",
            title_en="Spring: sending jobs",
            settings_form=SpringSettingsForm,
            view_permission=VIEW,
        ),
        Program(
            code=SUMMER,
            title=_l("Summer: sending coolness"),
            title_zh="夏送清凉",
            title_en="Summer: sending coolness",
            settings_form=SummerSettingsForm,
            view_permission=VIEW,
        ),
        Program(
            code=AUTUMN,
            title=_l("Autumn: study aid"),
            title_zh="金秋助学",
            title_en="Autumn: study aid",
            settings_form=AutumnSettingsForm,
            view_permission=VIEW,
        ),
        Program(
            code=MINE,
            title=_l("Study aid to mine-disaster families"),
            title_zh="矿难家庭助学",
            title_en="Study aid to mine-disaster families",
            settings_form=MineSettingsForm,
            view_permission=VIEW,
        ),
        Program(
            code=OVERVIEW,
            title=_l("Four-season campaigns"),
            title_zh="四季送",
            title_en="Four-season campaigns",
            view_permission=VIEW,
        ),
    ]


@hookimpl
def blueprints() -> dict[str, Blueprint]:
    """The pages."""
    return {WINTER: views.blueprint, SUMMER: summer_views.blueprint, OVERVIEW: year_end.blueprint}


@hookimpl
def permissions() -> list[Permission]:
    """To see the campaigns, to change their lists, to decide about study aid; allotting is the core's."""
    return [
        Permission(code=VIEW, title=_l("See four-season campaigns"), roles=EVERYONE),
        Permission(code=EDIT, title=_l("Change the hardship list"), roles=("clerk",)),
        Permission(code=REVIEW, title=_l("Decide about applications for study aid"), roles=("reviewer",)),
    ]


@hookimpl
def registers() -> list[Register]:
    """Season by season; of autumn the applications for study aid, of either program."""
    return [
        *(HARDSHIP, TARGETS, LEADERS),
        *(SPRING_TARGETS, EMPLOYERS, PLACEMENTS),
        *(POSTS, VISIT_PLANS),
        *(AUTUMN_APPLICATIONS, MINE_APPLICATIONS),
    ]


@hookimpl
def schemes() -> list[Scheme]:
    """Winter warmth, and study aid."""
    return [WINTER_WARMTH, AUTUMN_AID, MINE_AID]


@hookimpl
def entry_kinds() -> list[EntryKind]:
    """What the runs post, a visit, and goods that are bought for the stock."""
    return [WINTER_PAYMENT, *PAYMENTS, *KINDS.values(), *STOCK_KINDS.values()]


@hookimpl
def reports() -> list[Report]:
    """Who is on file and was paid; what leaders visited; what spring reached; the heat and the stock of summer;
    students; the money of all seasons.
    """
    return [ON_FILE, LEADERS_VISITS, REACHED, HEAT, STOCK, STUDENTS, MINE_STUDENTS, MONEY]


@hookimpl
def commands() -> list[click.Command]:
    """``zhijia four-seasons ...``."""
    return [cli.make_list, cli.make_season, cli.renew]


@hookimpl
def migrations() -> Path:
    """The folder of revisions."""
    return Path(__file__).parent / "migrations"


@hookimpl
def menu_items(user: User, program_year: ProgramYear) -> list[MenuItem]:
    """The pages of a year."""
    if program_year.program == OVERVIEW:
        return [MenuItem(title=_l("Table of the year's end"), endpoint="four_seasons_overview.year_end", icon="table")]
    if program_year.program == SUMMER:
        return summer.MENU
    return cards.menu_of(user, program_year) if program_year.program == WINTER else []


@hookimpl
def dashboard_cards(user: User, program_year: ProgramYear) -> list[Card]:
    """The figures of a year."""
    of_season = _CARDS.get(program_year.program)
    return of_season(user, program_year) if of_season else []


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    """The lists of each year and the visits name the kept file."""
    people.merge_rows(kept, dropped)
    visits.merge_visits(kept, dropped)
    placements.merge_rows(kept, dropped)
    students.merge_rows(kept, dropped)


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The hardship list, the visits, jobs that were found, study aid of students and parents."""
    listed, aided = people.personal_data(person, action), students.personal_data(person, action)
    return listed + visits.personal_data(person) + placements.personal_data(person) + aided


@hookimpl
def year_enabled(program_year: ProgramYear) -> None:
    """A line among the targets for each union that has some; study aid that goes on until graduation."""
    if begin := _BEGIN.get(program_year.program):
        begin(program_year)


@hookimpl
def year_copied(source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """The targets of the unions; of study aid what the new year began with."""
    copy = _COPY.get(source.program)
    return copy(source, target) if copy else []


@hookimpl
def year_blockers(program_year: ProgramYear) -> list[Blocker]:
    """Days that do not fit, lists that nobody dealt with."""
    return years.blockers(program_year) if program_year.program in (WINTER, SUMMER) else []
