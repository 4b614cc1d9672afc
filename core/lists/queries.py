"""Reading lists: a page, the whole, the count and the sums, always within the scope that is given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, inspect, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql.visitors import iterate

from core.extensions import db
from core.lists.models import ListView
from core.lists.paging import Order, Place, parts
from core.lists.types import Column, Expression, Line, Listing
from core.org.models import Org
from core.org.queries import called
from core.org.scope import Scope
from core.people.models import Person
from core.people.queries import person_id_of
from core.people.secrets import digest

PAGE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is narrowed down to and sorted by; ``args`` says the same in an address, ``sort`` left out."""

    conditions: tuple[ColumnElement[bool], ...] = ()
    args: Mapping[str, Any] | None = None
    order: Order | None = None
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, and whether there is one before it and one behind it."""

    lines: Sequence[Line]
    has_previous: bool
    has_next: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """The number of rows, and the sums of the columns that have one."""

    count: int
    sums: Mapping[str, Any]


def order_of(listing: Listing, name: str) -> Order | None:
    """The order that an address names: by a column that can be sorted by."""
    column = listing.column(name.removeprefix("-"))
    if column is None or not (column.sort or name.removeprefix("-") == listing.order.removeprefix("-")):
        return None
    return order_by(name, listing.key(column))


def usual_order(listing: Listing, asked: Asked) -> Order:
    """What a list is sorted by: what was asked for, or its own order."""
    order = asked.order or order_of(listing, listing.order)
    if order is None:
        raise LookupError(f"the list {listing.code!r} has no column {listing.order!r}")
    return order


def order_by(name: str, key: Expression) -> Order:
    """The order by an expression; only a column of a table that says so never lacks a value."""
    plain = key.property.columns[0] if isinstance(key, InstrumentedAttribute) else key
    return Order(name, key, getattr(plain, "nullable", True))


def page_of(
    listing: Listing, scope: Scope, asked: Asked, columns: Sequence[Column], place: Place | None = None
) -> Page:
    """Up to :data:`PAGE` lines after a place, before it (``place.back``), or from the beginning."""
    order = usual_order(listing, asked)
    query = _lines(listing, scope, asked, columns, order)
    rows: list[Any] = []
    for part in parts(order, listing.model.id, place):
        left = PAGE + 1 - len(rows)
        if left:
            rows += db.session.execute(query.where(part.condition).order_by(*part.sorted_by).limit(left))
    more, back = len(rows) > PAGE, place is not None and place.back
    names = _names(listing, columns)
    lines = [_line(row, names) for row in rows[:PAGE]]
    return Page(lines[::-1] if back else lines, more if back else place is not None, back or more)


def every_line(
    listing: Listing, scope: Scope, asked: Asked, columns: Sequence[Column], limit: int | None = None
) -> Iterator[Line]:
    """The whole list in its order, a thousand lines at a time."""
    order = usual_order(listing, asked)
    key = order.key.desc() if order.down else order.key
    last = listing.model.id.desc() if order.down else listing.model.id
    query = _lines(listing, scope, asked, columns, order).order_by(key.nulls_last(), last).limit(limit)
    names = _names(listing, columns)
    return (_line(row, names) for row in db.session.execute(query.execution_options(yield_per=1000)))


def rows_of(listing: Listing, scope: Scope, asked: Asked) -> Select[int]:
    """The ids of the rows, for an ``INSERT … SELECT``, an ``IN`` or a count."""
    query: Select[int] = select(listing.model.id)
    return _narrowed(query, listing, scope, asked)


def values_of(listing: Listing, scope: Scope, values: Mapping[str, Expression]) -> Select[*tuple[Any, ...]]:
    """These values of each row under their names, for what adds them up elsewhere."""
    query: Select[*tuple[Any, ...]] = select(*(value.label(name) for name, value in values.items()))
    return _narrowed(query, listing, scope, Asked())


def has_more_than(limit: int, listing: Listing, scope: Scope, asked: Asked) -> bool:
    """Whether the list is longer; counts no further than it must."""
    counted = rows_of(listing, scope, asked).limit(limit + 1).subquery()
    return db.session.execute(select(func.count()).select_from(counted)).scalar_one() > limit


def count_of(listing: Listing, scope: Scope, asked: Asked) -> int:
    """How many rows there are."""
    return totals_of(listing, scope, asked, ()).count


def totals_of(listing: Listing, scope: Scope, asked: Asked, columns: Sequence[Column]) -> Totals:
    """The count, and the sums of those of ``columns`` that have one, over the whole list as it is narrowed down."""
    summed = [column for column in columns if column.total]
    query = select(func.count(), *(func.sum(listing.value(column)) for column in summed))
    count, *sums = db.session.execute(_narrowed(query, listing, scope, asked)).one()
    return Totals(count, {column.name: total for column, total in zip(summed, sums, strict=True)})


def is_among(listing: Listing, scope: Scope, *conditions: ColumnElement[bool]) -> bool:
    """Whether any row of the list fits."""
    return db.session.scalars(rows_of(listing, scope, Asked(conditions)).limit(1)).first() is not None


def is_about(listing: Listing, person_id: int) -> ColumnElement[bool]:
    """The rows about one person, under this file or one that was merged into it."""
    if listing.person_id is None:
        raise LookupError(f"the list {listing.code!r} is not about people")
    file = aliased(Person)
    files = select(file.id).where((file.id == person_id) | (file.merged_into_id == person_id))
    return listing.person_id.in_(files)


def person_in(listing: Listing, scope: Scope, id_number: str) -> int | None:
    """The id of the person with this (normalised) identity number, if the list has a row about them."""
    person_id = db.session.scalar(select(person_id_of(digest("id_number", id_number))))
    return person_id if person_id is not None and is_among(listing, scope, is_about(listing, person_id)) else None


def orgs_like(scope: Scope, text: str) -> Sequence[Org]:
    """A few unions of the scope whose code, name, pinyin or initials fit what is being typed."""
    if not text:
        return ()
    query = select(Org).where(scope.covers(Org.path), called(text), Org.active)
    return db.session.scalars(query.order_by(func.length(Org.path), Org.path).limit(10)).all()


def views_of(user_id: int, listing: Listing) -> Sequence[ListView]:
    """What a user keeps for a list: the columns (without a name) and the saved filters, by name."""
    mine = (ListView.user_id == user_id) & (ListView.listing == listing.code)
    return db.session.scalars(select(ListView).where(mine).order_by(ListView.name)).all()


def _lines(listing: Listing, scope: Scope, asked: Asked, columns: Sequence[Column], order: Order) -> Select[Any]:
    path = listing.org_path if listing.org_path is not None else getattr(listing.model, "org_path")  # noqa: B009
    wanted = {column.name: listing.value(column) for column in columns} | dict(listing.also)
    values = [value.label(f"c{number}") for number, value in enumerate(wanted.values())]
    query: Select[Any] = select(listing.model.id, path, order.key.label("sorted"), *values)
    return _narrowed(query, listing, scope, asked)


def _narrowed(query: Select[Any], listing: Listing, scope: Scope, asked: Asked) -> Select[Any]:
    """The query on the tables that it needs, with every condition. No list is read otherwise."""
    within = true() if listing.org_path is None else scope.covers(listing.org_path)
    query = query.select_from(listing.model).where(*listing.where, within, *asked.conditions)
    used = {getattr(part, "table", None) for part in iterate(query)}
    for join in listing.joins:
        if inspect(join.target).selectable in used:
            query = query.join(join.target, join.on, isouter=join.outer)
    return query


def _line(row: Any, names: Sequence[str]) -> Line:
    row_id, org_path, key, *values = row
    return Line(row_id, org_path, dict(zip(names, values, strict=True)), key)


def _names(listing: Listing, columns: Sequence[Column]) -> list[str]:
    return list(dict.fromkeys([*(column.name for column in columns), *listing.also]))
