"""Aid to workers in hardship (困难职工帮扶): hook implementations only."""

from pathlib import Path

from flask import Blueprint
from flask_babel import lazy_gettext as _l

from core.api import (
    Copied,
    JobSpec,
    MenuItem,
    Permission,
    Person,
    PersonalDataAction,
    PersonalRecord,
    Program,
    ProgramYear,
    Register,
    Report,
    hookimpl,
)
from plugins.hardship_aid import views
from plugins.hardship_aid.categories import compare_views  # noqa: F401  # adds its pages
from plugins.hardship_aid.categories import jobs as category_jobs
from plugins.hardship_aid.categories import people as category_people
from plugins.hardship_aid.categories import views as category_views  # noqa: F401  # adds its pages
from plugins.hardship_aid.categories.reports import CATEGORIES
from plugins.hardship_aid.files.registers import FILES, MEMBERS
from plugins.hardship_aid.lines import years as lines
from plugins.hardship_aid.lines.registers import LINES
from plugins.hardship_aid.settings import SettingsForm
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
    """The pages."""
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
    """Files with the members of households, and the subsistence lines."""
    return [FILES, MEMBERS, LINES]


@hookimpl
def jobs() -> list[JobSpec]:
    """What workers do."""
    return [category_jobs.CLASSIFY, category_jobs.RECHECK]


@hookimpl
def reports() -> list[Report]:
    """Files by what they came to."""
    return [CATEGORIES]


@hookimpl
def menu_items() -> list[MenuItem]:
    """The tabs of a year."""
    return [
        MenuItem(title=_l("Categories of hardship"), endpoint="hardship_aid.categories", icon="calculator", weight=30),
        MenuItem(title=_l("Outside data"), endpoint="hardship_aid.comparisons", icon="arrows-diff", weight=31),
    ]


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """What was decided about the file, and in which lists from outside the worker is."""
    return category_people.personal_data(person, action)


@hookimpl
def migrations() -> Path:
    """The folder of revisions."""
    return Path(__file__).parent / "migrations"


@hookimpl
def year_copied(source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """The subsistence lines of unions."""
    return lines.copy_lines(source, target)
