"""Placements when two files become one person, and when somebody is looked up."""

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import aliased

from core.api import Person, PersonalRecord, ProgramYear, db
from plugins.four_seasons.spring.models import Placement
from plugins.four_seasons.words import JOB_WAYS


def merge_rows(kept: Person, dropped: Person) -> None:
    """Each year places the person once, under the file that is kept."""
    other, mine = aliased(Placement), Placement.person_id == dropped.id
    both = exists().where(other.person_id == kept.id, other.program_year_id == Placement.program_year_id)
    db.session.execute(delete(Placement).where(mine, both).execution_options(synchronize_session=False))
    db.session.execute(
        update(Placement).where(mine).values(person_id=kept.id).execution_options(synchronize_session=False)
    )


def personal_data(person: Person) -> list[PersonalRecord]:
    """Every placement; who employed somebody is left out of it when the person is erased, as the row says no more."""
    rows = db.session.execute(
        select(Placement, ProgramYear.year)
        .join(ProgramYear, ProgramYear.id == Placement.program_year_id)
        .where(Placement.person_id == person.id)
        .order_by(Placement.id)
    )
    return [
        PersonalRecord(
            title=_("Placement"),
            values={
                _("Year"): str(year),
                _("Name of the employer"): row.employer,
                _("How"): str(JOB_WAYS[row.way]),
                _("Employed since"): row.placed_on.isoformat(),
            },
        )
        for row, year in rows
    ]
