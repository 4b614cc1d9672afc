"""Putting workers on the hardship list one by one, and making a list for a demonstration."""

from flask_babel import gettext as _
from sqlalchemy import case, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from core.api import (
    Actor,
    NotFound,
    Person,
    PersonRow,
    ProgramYear,
    Refused,
    Scope,
    User,
    db,
    digest,
    parse_bank_account,
    parse_id_number,
    parse_phone,
    record,
    register_people,
    subtree,
)
from plugins.four_seasons import queries
from plugins.four_seasons.models import Hardship

EDIT = "four_seasons.edit"


def add_worker(
    actor: User,
    program_year: ProgramYear,
    scope: Scope,
    *,
    name: str,
    id_number: str,
    org_code: str,
    category: str,
    cause: str,
    phone: str = "",
    bank_account: str = "",
    bank_name: str = "",
) -> Hardship:
    """Put one worker on the list; somebody unknown is taken on file first, somebody known stays where they are.

    Raises :class:`ZhijiaError` at the field that is wrong, :class:`Refused` if the worker is on the list already.
    """
    number = parse_id_number(id_number).number
    row = PersonRow(
        org_code=org_code,
        name=name,
        id_number=number,
        phone=parse_phone(phone) if phone else None,
        bank_account=parse_bank_account(bank_account) if bank_account else None,
        bank_name=bank_name or None,
    )
    org = queries.known_orgs(scope, [org_code]).get(org_code)
    if org is None or not org.path.startswith(program_year.org_path):
        raise NotFound(_("There is no union with this code that you answer for."), field="org_code")
    person = queries.find_person(digest("id_number", number))
    if person is None:
        register_people(actor, [row], scope)
        person = queries.find_person(digest("id_number", number))
        assert person is not None  # noqa: S101  # it has just been registered
    _refuse_another(person, name, scope)
    hardship = _insert(program_year, person, category, cause)
    record(actor, "hardship.add", f"four_seasons_hardship:{hardship.id}", hardship.org_path, category=category)
    db.session.commit()
    return hardship


def _refuse_another(person: Person, name: str, scope: Scope) -> None:
    if person.name != name:
        raise Refused(_("This identity number is on file under another name."), field="name")
    if not scope.includes(person.org_path):
        raise Refused(_("This worker is on file at another union; ask for a transfer first."), field="org_code")


def _insert(program_year: ProgramYear, person: Person, category: str, cause: str) -> Hardship:
    hardship = db.session.scalars(
        insert(Hardship)
        .values(
            program_year_id=program_year.id,
            person_id=person.id,
            org_id=person.org_id,
            org_path=person.org_path,
            category=category,
            cause=cause,
            source="form",
        )
        .on_conflict_do_nothing()
        .returning(Hardship)
    ).one_or_none()
    if hardship is None:
        db.session.rollback()
        raise Refused(_("This worker is on the list already."), field="id_number")
    return hardship


def make_list(actor: Actor, program_year: ProgramYear) -> int:
    """Put everybody on file below the sponsor on the list, for a demonstration; returns how many were added.

    The mix depends on the person's id alone: of twenty, five deep, eleven relative and four by accident.
    """
    part = func.mod(Person.id, 20)
    category = case((part < 5, "deep"), (part < 16, "relative"), else_="accidental")
    cause = case((part < 5, "本人重病"), (part < 16, "子女上学"), else_="意外灾害")
    people = (
        select(literal(program_year.id), Person.id, Person.org_id, Person.org_path, category, cause, literal("made"))
        .where(subtree(Person.org_path, program_year.org_path), Person.active)
        .order_by(Person.org_path, Person.id)
    )
    columns = ["program_year_id", "person_id", "org_id", "org_path", "category", "cause", "source"]
    result = db.session.connection().execute(
        insert(Hardship).from_select(columns, people).on_conflict_do_nothing(),
        execution_options={"preserve_rowcount": True},
    )
    if result.rowcount:
        db.session.execute(text(f"ANALYZE {Hardship.__tablename__}"))  # a run may come before autovacuum does
        record(actor, "hardship.make", f"program_year:{program_year.id}", program_year.org_path, added=result.rowcount)
    db.session.commit()
    return int(result.rowcount)
