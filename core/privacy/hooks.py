"""What the core answers about consents when two files become one, and when a person is shown or erased."""

from flask_babel import gettext as _
from sqlalchemy import delete, update

from core.extensions import db
from core.people.models import Person
from core.plugin.hookspecs import hookimpl
from core.plugin.types import PersonalDataAction, PersonalRecord
from core.privacy.consents import consents_of, title_of
from core.privacy.models import Consent


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    """The consents are those of the kept file."""
    db.session.execute(update(Consent).where(Consent.person_id == dropped.id).values(person_id=kept.id))


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """What the person agreed to; erasing removes it."""
    found = consents_of(person.id)
    if action == "erase" and found:
        db.session.execute(delete(Consent).where(Consent.person_id == person.id))
        erased = _("%(count)s consents were removed.", count=len(found))
        return [PersonalRecord(title=_("Consents"), values={_("Erased"): erased})]
    return [
        PersonalRecord(
            title=_("Consents"),
            values={
                _("What for"): title_of(processing),
                _("Given on"): consent.given_on.isoformat(),
                _("Evidence"): consent.evidence,
                _("Withdrawn on"): consent.withdrawn_on.isoformat() if consent.withdrawn_on else "—",
            },
        )
        for consent, processing in found
    ]
