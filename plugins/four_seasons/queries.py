"""Reading the hardship list and its imports. Every list keeps to a scope; nothing here writes."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from core.api import (
    Org,
    Payment,
    Person,
    ProgramYear,
    Run,
    RunChunk,
    SchemeContext,
    Scope,
    db,
    subtree,
)
from plugins.four_seasons.models import CATEGORIES, Hardship

PAGE = 50


@dataclass(frozen=True)
class Filters:
    """What a reader asked the list for; ``text`` is the beginning of a name, of its pinyin or of its initials."""

    category: str | None = None
    org: Org | None = None
    text: str = ""


@dataclass(frozen=True)
class ListRow:
    """One worker on the list, as the page shows it."""

    id: int
    name: str
    id_number_tail: str
    account_tail: str | None
    org_name: str
    org_path: str
    category: str
    cause: str


def hardship_page(
    program_year: ProgramYear, scope: Scope, filters: Filters, after: tuple[str, int] | None = None
) -> list[ListRow]:
    """A page of the list in the order of the tree, one row more than :data:`PAGE` if there is a next page.

    ``after`` is ``(org_path, id)`` of the last row of the page before.
    """
    query = (
        select(
            Hardship.id,
            Person.name,
            Person.id_number_tail,
            Person.bank_account_tail,
            Org.name,
            Hardship.org_path,
            Hardship.category,
            Hardship.cause,
        )
        .join(Person, Person.id == Hardship.person_id)
        .join(Org, Org.id == Hardship.org_id)
        .where(*_conditions(program_year, scope, filters))
        .order_by(Hardship.org_path, Hardship.id)
        .limit(PAGE + 1)
    )
    if after is not None:
        query = query.where(tuple_(Hardship.org_path, Hardship.id) > after)
    return [ListRow(*row) for row in db.session.execute(query)]


def count_by_category(program_year: ProgramYear, scope: Scope, filters: Filters | None = None) -> dict[str, int]:
    """Category -> number on the list, every category named."""
    query = (
        select(Hardship.category, func.count())
        .where(*_conditions(program_year, scope, filters or Filters()))
        .group_by(Hardship.category)
    )
    if filters and filters.text:
        query = query.join(Person, Person.id == Hardship.person_id)
    found = dict(db.session.execute(query).all())
    return {category: found.get(category, 0) for category in CATEGORIES}


def is_paid() -> ColumnElement[bool]:
    """The condition that a run that stands pays the worker in this year, under this file or one merged into it."""
    file = aliased(Person)
    same_year = (Payment.program_year_id == Hardship.program_year_id) & ~Payment.returned
    own = exists().where(same_year, Payment.person_id == Hardship.person_id)
    former = exists().where(same_year, Payment.person_id == file.id, file.merged_into_id == Hardship.person_id)
    return or_(own, former)


def paid_so_far(context: SchemeContext) -> int:
    """Fen that other runs pay of this item in the program year."""
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(Payment.amount_fen), 0)).where(
                Payment.program_year_id == context.program_year_id,
                Payment.item == context.item,
                Payment.run_id != context.run_id,
                ~Payment.returned,
            )
        )
        or 0
    )


def paid_fen(program_year: ProgramYear, scope: Scope) -> int:
    """Fen that the posted runs of a year pay in the scope, by the union that pays."""
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(RunChunk.total_fen), 0))
            .join(Run, Run.id == RunChunk.run_id)
            .where(
                Run.program_year_id == program_year.id,
                RunChunk.entry_id.is_not(None),
                scope.covers(RunChunk.org_path),
            )
        )
        or 0
    )


def _conditions(program_year: ProgramYear, scope: Scope, filters: Filters) -> list[ColumnElement[bool]]:
    conditions = [Hardship.program_year_id == program_year.id, scope.covers(Hardship.org_path)]
    if filters.category:
        conditions.append(Hardship.category == filters.category)
    if filters.org is not None:
        conditions.append(subtree(Hardship.org_path, filters.org.path))
    if filters.text:
        text = filters.text.lower()
        conditions.append(
            or_(
                Person.name.startswith(filters.text, autoescape=True),
                Person.pinyin.startswith(text, autoescape=True),
                Person.initials.startswith(text, autoescape=True),
            )
        )
    return conditions
