"""The visits when two files become one person, and when somebody is looked up."""

from flask_babel import gettext as _
from sqlalchemy import select, update

from core.api import Person, PersonalRecord, db, yuan
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.words import GIFT_TITLES


def merge_visits(kept: Person, dropped: Person) -> None:
    """Visits to either are visits to the one person."""
    db.session.execute(
        update(Visit)
        .where(Visit.person_id == dropped.id)
        .values(person_id=kept.id)
        .execution_options(synchronize_session=False)
    )


def personal_data(person: Person) -> list[PersonalRecord]:
    """Every visit; what was spent stays when somebody is erased."""
    rows = db.session.scalars(select(Visit).where(Visit.person_id == person.id).order_by(Visit.id))
    return [
        PersonalRecord(
            title=_("Visit"),
            values={
                _("Day of the visit"): visit.visited_on.isoformat(),
                _("What was brought"): f"{GIFT_TITLES[visit.kind]} {visit.gift}".rstrip(),
                _("Amount (yuan)"): yuan(visit.amount_fen),
            },
        )
        for visit in rows
    ]
