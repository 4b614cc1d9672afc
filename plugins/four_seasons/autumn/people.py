"""Applications when two files become one person, and when somebody is looked up or erased: students and parents."""

from flask_babel import gettext as _
from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import aliased

from core.api import Payment, Person, PersonalDataAction, PersonalRecord, ProgramYear, Refused, db
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.words import LEVELS, STATES

#: An application in one of these gives way to the other of the same year: nobody counts on it.
GIVES_WAY = ("draft", "returned", "refused", "withdrawn")
_PLAIN = {"synchronize_session": False}


def merge_rows(kept: Person, dropped: Person) -> None:
    """Each year has one application of the student, under the file that is kept; a parent is the one person.

    Where both have one in a year, that of ``dropped`` goes, unless a run paid it: then it stays, as that payment's
    reason. Raises :class:`Refused` for one that is under way or approved, and where one is the other's child.
    """
    mine, other = Application.person_id == dropped.id, aliased(Application)
    both = exists().where(other.person_id == kept.id, other.program_year_id == Application.program_year_id)
    paid = exists().where(
        Payment.payee_id == dropped.id, Payment.program_year_id == Application.program_year_id, ~Payment.returned
    )
    counts = exists().where(mine, both, ~paid, Application.state.not_in(GIVES_WAY))
    if db.session.scalar(select(counts)):
        raise Refused(
            _("Both apply for study aid in the same year. Keep the file whose application counts, or refuse the other.")
        )
    pair = (kept.id, dropped.id)
    is_family = Application.person_id.in_(pair) & Application.parent_id.in_(pair)
    if db.session.scalar(select(exists().where(is_family))):
        raise Refused(_("An application for study aid names one of the two as the parent of the other."))
    db.session.execute(delete(Application).where(mine, both, ~paid).execution_options(**_PLAIN))
    db.session.execute(update(Application).where(mine, ~both).values(person_id=kept.id).execution_options(**_PLAIN))
    parent = Application.parent_id == dropped.id
    db.session.execute(update(Application).where(parent).values(parent_id=kept.id).execution_options(**_PLAIN))


def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """Every application of the student, or of their child; erasing blanks school and what the parent was named by."""
    rows = db.session.execute(
        select(Application, ProgramYear.year)
        .join(ProgramYear, ProgramYear.id == Application.program_year_id)
        .where(or_(Application.person_id == person.id, Application.parent_id == person.id))
        .order_by(ProgramYear.year.desc(), Application.id)
    ).all()
    records = [_record(row, year, person) for row, year in rows]
    if action == "erase":
        own, of_child = Application.person_id == person.id, Application.parent_id == person.id
        db.session.execute(update(Application).where(own).values(school="—").execution_options(**_PLAIN))
        db.session.execute(update(Application).where(of_child).values(parent="").execution_options(**_PLAIN))
    return records


def _record(row: Application, year: int, person: Person) -> PersonalRecord:
    if row.parent_id == person.id:  # nothing about the child, who is somebody else
        return PersonalRecord(title=_("Study aid of a child"), values={_("Year"): str(year)})
    values = {
        _("Year"): str(year),
        _("State"): str(STATES[row.state]),
        _("Level of school"): str(LEVELS[row.level]),
        _("School"): row.school,
        _("Applied on"): row.applied_on.isoformat(),
    }
    return PersonalRecord(title=_("Application for study aid"), values=values)
