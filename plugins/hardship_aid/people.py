"""Files and households when two people on file become one, and when somebody is looked up or erased."""

from flask_babel import gettext as _
from sqlalchemy import Select, case, cast, delete, func, select, update
from sqlalchemy.types import Date

from core.api import Person, PersonalDataAction, PersonalRecord, Refused, db
from plugins.hardship_aid.files.flow import STATES
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.words import CAUSES, RELATIONS

#: A file in one of these gives way to that of the person who is kept: nobody counts on it.
GIVES_WAY = ("draft", "returned", "refused", "removed", "out")
#: Stands where a word is owed and was erased.
ERASED = "—"


def merge_files(kept: Person, dropped: Person) -> None:
    """One person has one file: that of ``kept``; where there is none, that of ``dropped``, at the union of ``kept``.

    Where both have one, that of ``dropped`` goes with its household, and its history goes over to ``kept``. Raises
    :class:`Refused` for one that is under way or on file.
    """
    files = {file.person_id: file for file in db.session.scalars(_files_of(kept, dropped))}
    mine, other = files.get(kept.id), files.get(dropped.id)
    if other is None:
        return
    if mine is None:
        place = {"org_id": kept.org_id, "org_path": kept.org_path}
        db.session.execute(update(Member).where(Member.person_id == dropped.id).values(place))
        # The members follow by their foreign key.
        db.session.execute(update(File).where(File.id == other.id).values(person_id=kept.id, **place))
        return
    if other.state not in GIVES_WAY:
        raise Refused(
            _("Both have a file of workers in hardship. Keep the one whose file is on file, or remove the other first.")
        )
    db.session.execute(delete(Member).where(Member.person_id == dropped.id))
    db.session.execute(delete(File).where(File.id == other.id))


def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The file, and each member of the household. Erasing leaves the figures, and no name, school or word of reason."""
    file = db.session.scalar(select(File).where(File.person_id == person.id))
    if file is None:
        return []
    members = db.session.scalars(select(Member).where(Member.person_id == person.id).order_by(Member.id))
    records = [_file(file), *map(_member, members)]
    if action == "erase":
        _erase(person)
    return records


def _files_of(kept: Person, dropped: Person) -> Select[File]:
    return select(File).where(File.person_id.in_((kept.id, dropped.id))).with_for_update()


def _erase(person: Person) -> None:
    db.session.execute(
        update(File)
        .where(File.person_id == person.id)
        .values(
            head_name=case((File.head == "self", ""), else_=ERASED),
            cause_note="",
            visitors="",
        )
    )
    db.session.execute(
        update(Member)
        .where(Member.person_id == person.id)
        .values(
            name=func.concat(ERASED, Member.id),  # twins stay two
            school="",
            born_on=cast(func.date_trunc("year", Member.born_on), Date),
        )
    )


def _file(file: File) -> PersonalRecord:
    values = {
        _("State"): str(STATES.get(file.state, file.state)),
        _("Applied on"): file.applied_on.isoformat(),
        _("Cause of hardship"): str(CAUSES[file.cause]),
        _("More about the cause"): file.cause_note or "—",
        _("Name of the head"): file.head_name or "—",
        _("Visitors"): file.visitors or "—",
    }
    return PersonalRecord(title=_("File of a worker in hardship"), values=values)


def _member(member: Member) -> PersonalRecord:
    values = {
        _("Name"): member.name,
        _("Relation to the worker"): str(RELATIONS[member.relation]),
        _("Born on"): member.born_on.isoformat(),
        _("School"): member.school or "—",
    }
    return PersonalRecord(title=_("Member of the household"), values=values)
