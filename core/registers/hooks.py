"""What the history of registers answers beside the plugins: when people become one, are looked up or erased."""

from flask_babel import gettext as _
from sqlalchemy import select, update

from core.extensions import db
from core.people.models import Person
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import registry_of
from core.plugin.types import PersonalDataAction, PersonalRecord
from core.registers.history import shown_values
from core.registers.models import RecordChange
from core.registers.moving import follow_entries


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    """The history goes with the entries."""
    db.session.execute(update(RecordChange).where(RecordChange.person_id == dropped.id).values(person_id=kept.id))


@hookimpl(tryfirst=True)  # the typed front asks those last: the plugins have moved their entries by then
def person_moved(person: Person) -> None:
    """The history of an entry lies where the entry lies."""
    follow_entries(RecordChange, person)


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """What entries about the person held before they were changed. Erasing leaves who changed what, and no value."""
    lines = db.session.scalars(
        select(RecordChange)
        .where(RecordChange.person_id == person.id, RecordChange.values != {})
        .order_by(RecordChange.id)
    ).all()
    if action == "show":
        return [_shown(line) for line in lines]
    db.session.execute(update(RecordChange).where(RecordChange.person_id == person.id).values(values={}))
    if not lines:
        return []
    erased = _("The values of %(count)s changes were erased.", count=len(lines))
    return [PersonalRecord(title=_("History of registers"), values={_("Erased"): erased})]


def _shown(line: RecordChange) -> PersonalRecord:
    register = registry_of().registers.get(line.register)
    values = {name: pair[1] if pair[1] is not None else pair[0] for name, pair in line.values.items()}
    if register is None:
        return PersonalRecord(title=line.register, values={name: str(value) for name, value in values.items()})
    title = _("%(register)s: history", register=register.title)
    return PersonalRecord(title=title, values=dict(shown_values(register, values).values()))
