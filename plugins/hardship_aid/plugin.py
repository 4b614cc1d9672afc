"""Aid to workers in hardship (困难职工帮扶): hook implementations only."""

from pathlib import Path

import click
from flask import Blueprint
from flask_babel import lazy_gettext as _l

from core.api import (
    Card,
    Copied,
    JobSpec,
    MenuItem,
    Offer,
    Org,
    Permission,
    Person,
    PersonalDataAction,
    PersonalRecord,
    Program,
    ProgramYear,
    Register,
    Report,
    User,
    hookimpl,
)
from plugins.hardship_aid import cli, people, views
from plugins.hardship_aid.categories import category_views as category_views
from plugins.hardship_aid.categories import compare_views as compare_views
from plugins.hardship_aid.categories import jobs as category_jobs
from plugins.hardship_aid.categories import people as compared
from plugins.hardship_aid.categories.reports import CATEGORIES
from plugins.hardship_aid.centres import centre_views as centre_views
from plugins.hardship_aid.centres.registers import CENTRES
from plugins.hardship_aid.files.offers import HARDSHIP
from plugins.hardship_aid.files.registers import FILES, MEMBERS
from plugins.hardship_aid.lines import years as lines
from plugins.hardship_aid.lines.registers import LINES
from plugins.hardship_aid.pairing import cards as pair_cards
from plugins.hardship_aid.pairing import duty
from plugins.hardship_aid.pairing import pair_views as pair_views
from plugins.hardship_aid.pairing import people as paired
from plugins.hardship_aid.pairing.registers import PAIR_VISITS, PAIRS
from plugins.hardship_aid.pairing.reports import COVERAGE
from plugins.hardship_aid.settings import SettingsForm
from plugins.hardship_aid.transfers import people as transferred
from plugins.hardship_aid.transfers import transfer_views as transfer_views
from plugins.hardship_aid.words import EDIT, EVERYONE, PROGRAM, REVIEW, VIEW


@hookimpl
def programs() -> list[Program]:
    """The one program."""
    return [
        Program(
            code=PROGRAM,
            title=_l("Aid to workers in hardship"),
            title_zh="困难职工帮扶",
            title_en="Aid to workers in hardship",
            settings_form=SettingsForm,
            view_permission=VIEW,
        )
    ]


@hookimpl
def blueprints() -> dict[str, Blueprint]:
    """The pages, which each area adds to."""
    return {PROGRAM: views.blueprint}


@hookimpl
def permissions() -> list[Permission]:
    """To see files, to change them, and to decide about them."""
    return [
        Permission(code=VIEW, title=_l("See workers in hardship"), roles=EVERYONE),
        Permission(code=EDIT, title=_l("Change files of workers in hardship"), roles=("clerk",)),
        Permission(code=REVIEW, title=_l("Decide about files of workers in hardship"), roles=("reviewer",)),
    ]


@hookimpl
def registers() -> list[Register]:
    """Files with the members of households, pairs with their visits, places of help, and the subsistence lines."""
    return [FILES, MEMBERS, PAIRS, PAIR_VISITS, CENTRES, LINES]


@hookimpl
def offers() -> list[Offer]:
    """Who is on file in hardship, for the campaigns."""
    return [HARDSHIP]


@hookimpl
def jobs() -> list[JobSpec]:
    """What the clock asks for: categories, files to look at again, visits that are missing."""
    return [category_jobs.CLASSIFY, category_jobs.RECHECK, *duty.JOBS]


@hookimpl
def reports() -> list[Report]:
    """Files by what they came to; who is paired and visited, and who was left out."""
    return [CATEGORIES, COVERAGE]


@hookimpl
def commands() -> list[click.Command]:
    """``zhijia hardship-aid ...``."""
    return [cli.make_files]


@hookimpl
def menu_items() -> list[MenuItem]:
    """The pages of a year."""
    return [
        *pair_cards.MENU,
        MenuItem(title=_l("Categories of hardship"), endpoint=f"{PROGRAM}.categories", icon="calculator", weight=30),
        MenuItem(title=_l("Outside data"), endpoint=f"{PROGRAM}.comparisons", icon="arrows-diff", weight=31),
        MenuItem(title=_l("Transfers"), endpoint=f"{PROGRAM}.transfers", icon="transfer", weight=40),
        MenuItem(title=_l("Network of help"), endpoint=f"{PROGRAM}.places", icon="map-pin", weight=50),
    ]


@hookimpl
def dashboard_cards(user: User, program_year: ProgramYear) -> list[Card]:
    """The figures of a year."""
    return pair_cards.cards_of(user, program_year)


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    """One file for one person; what must name somebody with a file comes first."""
    transferred.merge_transfers(kept, dropped)
    paired.merge_pairs(kept, dropped)
    people.merge_files(kept, dropped)


@hookimpl
def person_moved(person: Person, org: Org) -> None:
    """The file goes along, and what hangs on it."""
    transferred.move_file(person, org)


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The file and the household, what outside data said of it, pairs and visits, transfers."""
    answers = (compared.personal_data, people.personal_data, paired.personal_data, transferred.personal_data)
    return [record for answer in answers for record in answer(person, action)]


@hookimpl
def migrations() -> Path:
    """The folder of revisions."""
    return Path(__file__).parent / "migrations"


@hookimpl
def year_copied(source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """The subsistence lines of unions."""
    return lines.copy_lines(source, target)
