"""Who gets how much."""

from datetime import date
from typing import Any

from core.api import Person, ProgramYear, SchemeContext
from sqlalchemy import BigInteger, Select, case, cast, select

from .models import Student
from .words import LEVELS


def by_level(context: SchemeContext) -> Select[Any]:
    """Every student of the sponsor who studies in the year, once: the amount of their level in fen, or why none.

    Who graduated before the year began is not asked about any more.
    """
    counted_on = date.fromisoformat(context.settings["counted_on"])
    amounts = {code: context.settings[code] for code in LEVELS}
    reason = case(
        (Student.enrolled_on > counted_on, "not_yet"),
        (Student.graduates_on < counted_on, "graduated"),
        (~Person.active, "inactive"),
        (Person.bank_account_digest.is_(None), "no_account"),
    )
    return (
        select(
            Student.person_id.label("payee_id"),
            Student.org_id,
            Student.org_path,
            cast(case(amounts, value=Student.level), BigInteger).label("amount_fen"),
            Student.level.label("basis"),
            reason.label("exclude_reason"),
        )
        .join(Person, Person.id == Student.person_id)
        .join(ProgramYear, ProgramYear.org_id == Student.sponsor_id)
        .where(ProgramYear.id == context.program_year_id, Student.graduates_on >= date(context.year, 1, 1))
    )
