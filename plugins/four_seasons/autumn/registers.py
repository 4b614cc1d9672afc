"""The applications of each program of study aid, as registers."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.api import Column, NewPersonRecordForm, Person, Register, Rule
from plugins.four_seasons.autumn.flow import flow_of
from plugins.four_seasons.autumn.forms import ApplicationForm, MineApplicationForm
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.rules import CLAIM, COMMON
from plugins.four_seasons.autumn.words import APPLICATIONS, BASES, LEVELS, MINE, OTHER_AID
from plugins.four_seasons.words import AUTUMN, EDIT, VIEW

_PARENT = aliased(Person, name="parent")
_NAME = select(_PARENT.name).where(_PARENT.id == Application.parent_id).correlate(Application).scalar_subquery()
PARENT = Column(name="parent_name", title=_l("Parent of the student"), kind="person", filter=False, expression=_NAME)
LEVEL = Column(name="level", title=_l("Level of school"), kind="choice", choices=LEVELS)
BASIS = Column(name="basis", title=_l("Applies as"), kind="choice", choices=BASES)


def applications(
    program: str,
    title: LazyString,
    form: type[NewPersonRecordForm],
    rules: tuple[Rule, ...],
    columns: tuple[Column, ...],
) -> Register:
    """The applications of a program; ``columns`` come first."""
    return Register(
        code=APPLICATIONS[program],
        program=program,
        title=title,
        model=Application,
        form=form,
        columns=(
            *columns,
            Column(name="school", title=_l("School")),
            Column(name="admitted_on", title=_l("Admitted on"), kind="day", hidden=True),
            Column(name="graduates_on", title=_l("Graduates on"), kind="day"),
            Column(name="other_aid", title=_l("Other aid"), kind="choice", choices=OTHER_AID, hidden=True),
            Column(name="applied_on", title=_l("Applied on"), kind="day"),
            # As the identity of a person it stands in no public notice; the database hides it from who must not see it.
            Column(
                name="parent_name", title=_l("Parent of the student"), kind="person", filter=False, expression=_NAME
            ),
            Column(name="account", title=_l("Bank card"), kind="account", expression=Person.bank_account_tail),
        ),
        view_permission=VIEW,
        edit_permission=EDIT,
        flow=flow_of(program),
        stays=lambda: Application.state_since > Application.created_at,
        stays_because=_l("An application that was submitted once stays; it can be refused or withdrawn."),
        rules=rules,
    )


AUTUMN_APPLICATIONS = applications(
    AUTUMN, _l("Applications for study aid"), ApplicationForm, (*COMMON, CLAIM), (LEVEL, BASIS)
)
MINE_APPLICATIONS = applications(
    MINE, _l("Applications of mine-disaster families"), MineApplicationForm, COMMON, (LEVEL,)
)
