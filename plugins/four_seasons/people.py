"""The list when two files become one person, and when somebody is looked up or erased."""

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import aliased

from core.api import Payment, Person, PersonalDataAction, PersonalRecord, ProgramYear, Refused, db, encrypt
from plugins.four_seasons.models import Hardship, Import, ImportRow
from plugins.four_seasons.titles import CATEGORY_TITLES, IMPORT_STATE_TITLES


def merge_rows(kept: Person, dropped: Person) -> None:
    """Each year lists the person once, under the file that is kept.

    Where both are listed the row of ``dropped`` goes, unless a run paid it: then it stays, as that payment's reason.
    """
    other = aliased(Hardship)
    both = exists().where(other.person_id == kept.id, other.program_year_id == Hardship.program_year_id)
    paid = exists().where(
        Payment.person_id == dropped.id, Payment.program_year_id == Hardship.program_year_id, ~Payment.returned
    )
    mine = Hardship.person_id == dropped.id
    db.session.execute(delete(Hardship).where(mine, both, ~paid).execution_options(synchronize_session=False))
    db.session.execute(
        update(Hardship).where(mine, ~both).values(person_id=kept.id).execution_options(synchronize_session=False)
    )


def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The rows of every year, and what uploaded lists still hold; erasing blanks the causes and those lines."""
    if action == "erase":
        _refuse_waiting(person)
    records = _listed(person) + _uploaded(person)
    if action == "erase":
        db.session.execute(update(Hardship).where(Hardship.person_id == person.id).values(cause=""))
        _blank_lines(person)
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


def _uploaded(person: Person) -> list[PersonalRecord]:
    rows = db.session.execute(
        select(Import.file_name, Import.state, ImportRow.line)
        .join(ImportRow, ImportRow.import_id == Import.id)
        .where(ImportRow.id_number_digest == person.id_number_digest)
        .order_by(Import.id.desc(), ImportRow.line)
    )
    return [
        PersonalRecord(
            title=_("Uploaded lists"),
            values={_("File"): name, _("Line"): str(line), _("State"): str(IMPORT_STATE_TITLES[state])},
        )
        for name, state, line in rows
    ]


def _refuse_waiting(person: Person) -> None:
    waiting = db.session.scalar(
        select(Import.file_name)
        .join(ImportRow, ImportRow.import_id == Import.id)
        .where(ImportRow.id_number_digest == person.id_number_digest, Import.state.in_(("staged", "merging")))
        .limit(1)
    )
    if waiting is not None:
        raise Refused(
            _(
                "%(person)s stands in the uploaded list “%(file)s”; put it on the hardship list or cancel it first.",
                person=person.name,
                file=waiting,
            )
        )


def _blank_lines(person: Person) -> None:
    """The lines that were wrong stay countable in the file of what was wrong, without what they said."""
    db.session.execute(
        update(ImportRow)
        .where(ImportRow.id_number_digest == person.id_number_digest)
        .values(
            name="", cause="", bank_name="", id_number=encrypt("id_number", ""), id_number_digest=None,
            id_number_tail="", phone=None, bank_account=None,
        )
    )  # fmt: skip
