"""Files that could be the same as one that is about to be made, though under another identity number (疑似重复建档)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from core.api import Person, ProgramYear
from plugins.hardship_aid.files.models import File, Member


def similar_files(_program_year: ProgramYear, row: Mapping[str, ColumnElement[Any]]) -> tuple[Select[int], ...]:
    """The ids of files of somebody else who has the name and day of birth, the phone or the account of this worker, or
    lives with a member who has the name and day of birth.

    Phone and account count as they were typed and, where the worker was known before, as they are on file. Each is
    looked up by itself, as an index serves each.
    """
    me = aliased(Person)
    somebody_else = File.person_id.is_distinct_from(row["person_id"])
    of_workers = select(File.id).join(Person, Person.id == File.person_id).where(somebody_else)
    of_members = select(File.id).join(Member, Member.person_id == File.person_id).where(somebody_else)
    name, born_on = row["person_name"], row["person_born_on"]
    return (
        of_workers.where(Person.pinyin == row["person_pinyin"], Person.name == name, Person.born_on == born_on),
        of_workers.where(Person.phone_digest == row["person_phone_digest"]),
        of_workers.where(Person.bank_account_digest == row["person_bank_account_digest"]),
        of_workers.join(me, me.phone_digest == Person.phone_digest).where(me.id == row["person_id"]),
        of_workers.join(me, me.bank_account_digest == Person.bank_account_digest).where(me.id == row["person_id"]),
        of_members.where(Member.name == name, Member.born_on == born_on),
    )
