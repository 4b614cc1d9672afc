"""What categories keep about a person: a decision about the file, and lists from outside that the person is in."""

from flask_babel import gettext as _
from sqlalchemy import delete, select, update

from core.api import Person, PersonalDataAction, PersonalRecord, db
from plugins.hardship_aid.categories.models import Hit, Outside
from plugins.hardship_aid.categories.words import KINDS
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.words import OUTCOMES


def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The decision and the hits; erasing takes the hits, what lists say of the person, and the reason of the decision.

    A file that was decided about keeps its category, as what was paid rests on it.
    """
    records = _decided(person) + _found(person)
    if action == "erase":
        mine = select(File.id).where(File.person_id == person.id)
        options = {"synchronize_session": False}
        db.session.execute(delete(Hit).where(Hit.file_id.in_(mine)), execution_options=options)
        db.session.execute(delete(Outside).where(Outside.digest == person.id_number_digest), execution_options=options)
        reason = update(File).where(File.person_id == person.id, File.decided.is_not(None)).values(decided_because="—")
        db.session.execute(reason, execution_options=options)
    return records


def _decided(person: Person) -> list[PersonalRecord]:
    files = db.session.scalars(select(File).where(File.person_id == person.id, File.decided.is_not(None)))
    return [
        PersonalRecord(
            title=_("Category of hardship"),
            values={_("Category decided"): str(OUTCOMES[file.decided or ""]), _("Why"): file.decided_because},
        )
        for file in files
    ]


def _found(person: Person) -> list[PersonalRecord]:
    hits = db.session.scalars(
        select(Hit).join(File, File.id == Hit.file_id).where(File.person_id == person.id).order_by(Hit.id)
    )
    return [
        PersonalRecord(
            title=_("Found in a list from outside"),
            values={_("What it says"): str(KINDS[hit.kind]), _("Found on"): hit.found_on.isoformat()},
        )
        for hit in hits
    ]
