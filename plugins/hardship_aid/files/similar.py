"""Files that could be the same as one that is about to be made, though under another identity number (疑似重复建档)."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, select, union
from sqlalchemy.orm import aliased

from core.api import (
    Person,
    ProgramYear,
    digest,
    parse_bank_account,
    parse_id_number,
    parse_phone,
    person_id_of,
    spell_name,
)
from plugins.hardship_aid.files.models import File, Member


def similar_files(_program_year: ProgramYear, values: Mapping[str, Any]) -> Select[Any]:
    """The ids of files of somebody else who has the name and day of birth, the phone or the account of this worker, or
    lives with a member who has the name and day of birth.

    Each is looked up by itself, as an index serves each. Raises :class:`ZhijiaError` at a number that is none.
    """
    number = parse_id_number(values["id_number"])
    same = person_id_of(digest("id_number", number.number))
    of_workers = (
        select(File.id).join(Person, Person.id == File.person_id).where(condition, File.person_id != same)
        for condition in (_namesake(values["name"], number.born_on), *_reached_alike(same, values))
    )
    of_members = (
        select(File.id)
        .join(Member, Member.person_id == File.person_id)
        .where(Member.name == values["name"], Member.born_on == number.born_on, File.person_id != same)
    )
    found = union(*of_workers, of_members).subquery()
    return select(found.c.id)


def _namesake(name: str, born_on: date) -> ColumnElement[bool]:
    return (Person.pinyin == spell_name(name).pinyin) & (Person.name == name) & (Person.born_on == born_on)


def _reached_alike(same: ScalarSelect[int], values: Mapping[str, Any]) -> Iterator[ColumnElement[bool]]:
    """The same phone or bank account: as it was typed, or as it is on file where the worker was known before."""
    me = aliased(Person)
    yield Person.phone_digest == select(me.phone_digest).where(me.id == same).scalar_subquery()
    yield Person.bank_account_digest == select(me.bank_account_digest).where(me.id == same).scalar_subquery()
    if values.get("phone"):
        yield Person.phone_digest == digest("phone", parse_phone(values["phone"]))
    if values.get("bank_account"):
        yield Person.bank_account_digest == digest("bank_account", parse_bank_account(values["bank_account"]))
