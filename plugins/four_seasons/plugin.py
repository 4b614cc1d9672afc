"""Four-season campaigns (四季送): hook implementations only."""

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
from plugins.four_seasons.overview.reports import MONEY
from plugins.four_seasons.visits import people as visits
from plugins.four_seasons.visits.kinds import KINDS
from plugins.four_seasons.winter import cards, cli, people, views, years
from plugins.four_seasons.winter.forms import WinterSettingsForm
from plugins.four_seasons.winter.registers import HARDSHIP, TARGETS
from plugins.four_seasons.winter.reports import ON_FILE
from plugins.four_seasons.winter.schemes import WINTER_PAYMENT, WINTER_WARMTH
from plugins.four_seasons.words import EDIT, OVERVIEW, VIEW, WINTER

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
    return {WINTER: views.blueprint}


@hookimpl
def permissions() -> list[Permission]:
    """To see the campaigns and to change the hardship list; allotting is the core's ``ledger.allot``."""
    return [
        Permission(code=VIEW, title=_l("See four-season campaigns"), roles=EVERYONE),
        Permission(code=EDIT, title=_l("Change the hardship list"), roles=("clerk",)),
    ]


@hookimpl
def registers() -> list[Register]:
    """The hardship list, and what each union is to reach."""
    return [HARDSHIP, TARGETS]


@hookimpl
def schemes() -> list[Scheme]:
    """Winter warmth."""
    return [WINTER_WARMTH]


@hookimpl
def entry_kinds() -> list[EntryKind]:
    """What a run of winter warmth posts, and a visit."""
    return [WINTER_PAYMENT, *KINDS.values()]


@hookimpl
def reports() -> list[Report]:
    """Who is on file, and what they were paid; the money of all seasons."""
    return [ON_FILE, MONEY]


@hookimpl
def commands() -> list[click.Command]:
    """``zhijia four-seasons ...``."""
    return [cli.make_list]


@hookimpl
def migrations() -> Path:
    """The folder of revisions."""
    return Path(__file__).parent / "migrations"


@hookimpl
def menu_items(user: User, program_year: ProgramYear) -> list[MenuItem]:
    """The pages of a year."""
    return cards.menu_of(user, program_year) if program_year.program == WINTER else []


@hookimpl
def dashboard_cards(user: User, program_year: ProgramYear) -> list[Card]:
    """The figures of a year."""
    return cards.cards_of(user, program_year) if program_year.program == WINTER else []


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    """The list of each year and the visits name the kept file."""
    people.merge_rows(kept, dropped)
    visits.merge_visits(kept, dropped)


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The hardship list, and the visits."""
    return people.personal_data(person, action) + visits.personal_data(person)


@hookimpl
def year_enabled(program_year: ProgramYear) -> None:
    """A line among the targets for each paying union."""
    if program_year.program == WINTER:
        years.begin(program_year)


@hookimpl
def year_copied(source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """The targets of the unions."""
    return years.copy_targets(source, target) if source.program == WINTER else []


@hookimpl
def year_blockers(program_year: ProgramYear) -> list[Blocker]:
    """Days that do not fit, lists that nobody dealt with."""
    return years.blockers(program_year) if program_year.program == WINTER else []
