"""What this plugin tells the core; the logic lies in the modules beside it."""

from pathlib import Path

from core.api import (
    Column,
    EntryKind,
    JobSpec,
    Permission,
    Person,
    PersonalDataAction,
    PersonalRecord,
    Program,
    Register,
    Report,
    Scheme,
    hookimpl,
)
from flask_babel import lazy_gettext as _l

from . import jobs as background
from . import reports as figures
from . import schemes as rules
from . import services
from .forms import SettingsForm, StudentForm
from .models import Student
from .words import EDIT, LEVELS, PROGRAM, REASONS, VIEW

EVERYONE = ("admin", "clerk", "reviewer", "finance", "auditor", "leader")


@hookimpl
def programs() -> list[Program]:
    """The program, with what a year needs to be told."""
    return [
        Program(
            code=PROGRAM,
            title=_l("Study aid for mine-disaster families"),
            title_zh="矿难家庭助学",
            title_en="Study aid for mine-disaster families",
            settings_form=SettingsForm,
            view_permission=VIEW,
        )
    ]


@hookimpl
def permissions() -> list[Permission]:
    """Everybody sees the register of their own unions; clerks keep it."""
    return [
        Permission(code=VIEW, title=_l("See Study aid for mine-disaster families"), roles=EVERYONE),
        Permission(code=EDIT, title=_l("Edit Study aid for mine-disaster families"), roles=("clerk",)),
    ]


@hookimpl
def registers() -> list[Register]:
    """The students, from enrolment to graduation."""
    return [
        Register(
            code=f"{PROGRAM}.students",
            program=PROGRAM,
            title=_l("Register of students"),
            model=Student,
            form=StudentForm,
            columns=(
                Column(name="level", title=_l("Level"), kind="choice", choices=LEVELS),
                Column(name="school", title=_l("School")),
                Column(name="enrolled_on", title=_l("Enrolled on"), kind="day"),
                Column(name="graduates_on", title=_l("Graduates on"), kind="day"),
            ),
            view_permission=VIEW,
            edit_permission=EDIT,
        )
    ]


@hookimpl
def schemes() -> list[Scheme]:
    """Who gets how much. Nobody gets one ``item`` twice in a program year."""
    return [
        Scheme(
            code=f"{PROGRAM}.by_level",
            program=PROGRAM,
            title=_l("By level"),
            item="by_level",
            entry_kind=f"{PROGRAM}.payment",
            select=rules.by_level,
            reasons=REASONS,
        )
    ]


@hookimpl
def entry_kinds() -> list[EntryKind]:
    """What a run posts: the accounts are those of the chart of the trade unions."""
    return [
        EntryKind(
            code=f"{PROGRAM}.payment",
            title_zh="矿难家庭助学支出",
            debit="50205",
            credit="102",
        )
    ]


@hookimpl
def jobs() -> list[JobSpec]:
    """What happens every night."""
    return [
        JobSpec(
            name=f"{PROGRAM}.follow_people",
            title=_l("Move lines of the register to the unions of their people"),
            func=background.follow_people,
            program=PROGRAM,
            schedule="30 2 * * *",
        )
    ]


@hookimpl
def reports() -> list[Report]:
    """What came of it."""
    return [
        Report(
            code=f"{PROGRAM}.by_level",
            program=PROGRAM,
            title=_l("Students by level"),
            permission=VIEW,
            columns=(
                Column(name="level", title=_l("Level"), kind="choice", choices=LEVELS),
                Column(name="students", title=_l("Students"), kind="number"),
                Column(name="paid", title=_l("Paid"), kind="number"),
                Column(name="amount_fen", title=_l("Amount (yuan)"), kind="yuan"),
            ),
            select=figures.by_level,
        )
    ]


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    """Two files were one person."""
    services.merge(kept, dropped)


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """What is kept about a person."""
    return services.personal_records(person, action)


@hookimpl
def migrations() -> Path:
    """The folder of revisions."""
    return Path(__file__).parent / "migrations"
