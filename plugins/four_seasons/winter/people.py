"""The list when two files become one person, and when somebody is looked up or erased."""

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import aliased

from core.api import Payment, Person, PersonalDataAction, PersonalRecord, ProgramYear, db
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.words import CATEGORY_TITLES


def merge_rows(kept: Person, dropped: Person) -> None:
    """Each year lists the person once, under the file that is kept.

    Where both are listed the row of ``dropped`` goes, unless a run paid it: then it stays, as that payment's reason.
    """
    other = aliased(Hardship)
    both = exists().where(other.person_id == kept.id, other.program_year_id == Hardship.program_year_id)
    paid = exists().where(
        Payment.payee_id == dropped.id, Payment.program_year_id == Hardship.program_year_id, ~Payment.returned
    )
    mine = Hardship.person_id == dropped.id
    db.session.execute(delete(Hardship).where(mine, both, ~paid).execution_options(synchronize_session=False))
    db.session.execute(
        update(Hardship).where(mine, ~both).values(person_id=kept.id).execution_options(synchronize_session=False)
    )


def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The rows of every year; erasing blanks the causes."""
    records = _listed(person)
    if action == "erase":
        db.session.execute(update(Hardship).where(Hardship.person_id == person.id).values(cause=""))
    return records


def _listed(person: Person) -> list[PersonalRecord]:
    rows = db.session.execute(
        select(Hardship.category, Hardship.cause, ProgramYear.year)
        .join(ProgramYear, ProgramYear.id == Hardship.program_year_id)
        .where(Hardship.person_id == person.id)
        .order_by(ProgramYear.year.desc(), Hardship.id)
    )
    return [
        PersonalRecord(
            title=_("Hardship list"),
            values={_("Year"): str(year), _("Category"): str(CATEGORY_TITLES[category]), _("Cause"): cause or "—"},
        )
        for category, cause, year in rows
    ]
