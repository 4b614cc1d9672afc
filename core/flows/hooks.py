"""What the steps of entries answer beside the plugins: when people become one, are looked up or erased, and when
a year ends.
"""

from flask_babel import gettext as _
from sqlalchemy import select, update

from core.extensions import db
from core.flows.models import FlowStep
from core.flows.queries import in_review
from core.people.models import Person
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import registry_of
from core.plugin.types import Blocker, PersonalDataAction, PersonalRecord
from core.programs.models import ProgramYear
from core.registers.moving import follow_entries
from core.web.filters import local_day


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    """The steps go with the entries."""
    db.session.execute(update(FlowStep).where(FlowStep.person_id == dropped.id).values(person_id=kept.id))


@hookimpl(tryfirst=True)  # the typed front asks those last: the plugins have moved their entries by then
def person_moved(person: Person) -> None:
    """The steps of an entry lie where the entry lies."""
    follow_entries(FlowStep, person)


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """What was said about entries of the person. Erasing leaves who did what, and no word."""
    said = select(FlowStep).where(FlowStep.person_id == person.id, FlowStep.comment != "").order_by(FlowStep.id)
    steps = db.session.scalars(said).all()
    if action == "show":
        return [_shown(step) for step in steps]
    db.session.execute(update(FlowStep).where(FlowStep.person_id == person.id).values(comment=""))
    if not steps:
        return []
    erased = _("%(count)s comments were erased.", count=len(steps))
    return [PersonalRecord(title=_("Handling of entries"), values={_("Erased"): erased})]


@hookimpl
def year_blockers(program_year: ProgramYear) -> list[Blocker]:
    """What waits at a union could never be decided once the year is closed for good."""
    return [
        Blocker(
            step="close",
            sentence=_(
                "%(register)s: %(count)s entries still wait for a decision; decide on them first.",
                register=register.title,
                count=count,
            ),
        )
        for register, count in in_review(program_year)
    ]


def _shown(step: FlowStep) -> PersonalRecord:
    register = registry_of().registers.get(step.register)
    name = register.title if register else step.register
    title = _("%(register)s: comment of %(day)s", register=name, day=local_day(step.at))
    return PersonalRecord(title=title, values={step.actor: step.comment})
