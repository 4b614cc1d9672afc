"""Aid to workers in hardship (困难职工帮扶): hook implementations only."""

from pathlib import Path

from flask_babel import lazy_gettext as _l

from core.api import (
    Copied,
    Permission,
    Person,
    PersonalDataAction,
    PersonalRecord,
    Program,
    ProgramYear,
    Register,
    hookimpl,
)
from plugins.hardship_aid import people
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
def migrations() -> Path:
    """The folder of revisions."""
    return Path(__file__).parent / "migrations"


@hookimpl
def year_copied(source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """The subsistence lines of unions."""
    return lines.copy_lines(source, target)


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    """One file for one person."""
    people.merge_files(kept, dropped)


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The file and the household."""
    return people.personal_data(person, action)
