"""Changing the register, apart from its form. Each service commits once; what a hook calls leaves that to the core."""

from core.api import Actor, Org, Person, PersonalDataAction, PersonalRecord, ProgramYear, db, record
from flask_babel import gettext as _
from sqlalchemy import delete, select, update

from .models import Student
from .words import LEVELS, PROGRAM


def follow_people(actor: Actor, program_year: ProgramYear) -> int:
    """Move lines to the union that their person is under now; returns how many. A second time it finds none."""
    moved = db.session.scalars(
        update(Student)
        .where(Student.sponsor_id == program_year.org_id)
        .where(Person.id == Student.person_id, Person.org_id != Student.org_id)
        .values(org_id=Person.org_id, org_path=Person.org_path)
        .returning(Student.id)
    ).all()
    if moved:
        record(actor, f"{PROGRAM}.follow", f"program_year:{program_year.id}", program_year.org_path, moved=len(moved))
    db.session.commit()
    return len(moved)


def merge(kept: Person, dropped: Person) -> None:
    """Move the lines of ``dropped`` to ``kept``, except where the sponsor has ``kept`` on the register already."""
    there = select(Student.sponsor_id).where(Student.person_id == kept.id)
    of_dropped = Student.person_id == dropped.id
    db.session.execute(delete(Student).where(of_dropped, Student.sponsor_id.in_(there)))
    db.session.execute(update(Student).where(of_dropped).values(person_id=kept.id))


def personal_records(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The lines of a person; erasing takes the school away, as level and days explain what was paid."""
    rows = db.session.execute(
        select(Student, Org.name).join(Org, Org.id == Student.sponsor_id).where(Student.person_id == person.id)
    )
    found = []
    for student, sponsor in rows:
        if action == "erase":
            student.school = ""
        level = str(LEVELS.get(student.level, student.level))
        days = f"{student.enrolled_on} – {student.graduates_on}"
        values = {_("Sponsor"): sponsor, _("Level"): level, _("School"): student.school, _("From and to"): days}
        found.append(PersonalRecord(title=_("Register of students"), values=values))
    return found
