"""Keyset pages in any order: a place in a list is the sort value and the id of a row, however far down it stands.

Rows without a value come last in both directions. They are a part of the list of their own, and a page is read part by
part, since one condition for both (``value > x OR value IS NULL``) would keep the database from walking an index.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, and_, true, tuple_

from core.lists.types import Expression
from core.web.paging import no_such_page

LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by: ``name`` as the address says it, with ``-`` before it downwards."""

    name: str
    key: Expression
    nullable: bool

    @property
    def down(self) -> bool:
        """Whether the largest comes first."""
        return self.name.startswith("-")


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a sorted list; ``back`` asks for the page before it, else for the page after it."""

    value: Any
    id: int
    back: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a sorted list to be read in one go."""

    condition: ColumnElement[bool]
    sorted_by: tuple[UnaryExpression[Any] | Expression, ...]


def parts(order: Order, row_id: Expression, place: Place | None) -> Iterator[Part]:
    """What is to be read one after the other until a page is full, from a place on or from the beginning.

    Where the page before a place is asked for, all is read upside down.
    """
    back = place is not None and place.back
    for empty in sorted({False, order.nullable}, reverse=back):
        condition = _from(order, row_id, place, empty)
        if condition is not None:
            keys = (row_id,) if empty else (order.key, row_id)
            downwards = order.down is not back
            yield Part(condition, tuple(key.desc() if downwards else key for key in keys))


def _from(order: Order, row_id: Expression, place: Place | None, empty: bool) -> ColumnElement[bool] | None:
    """The rows of one part behind the place, or before it; none where the whole part lies on its other side."""
    here = _is_in(order, empty)
    if place is None:
        return here
    if empty is not (place.value is None):
        return here if empty is not place.back else None
    after, upwards = (row_id, place.id) if empty else _pair(order, row_id, place), order.down is place.back
    left, right = after
    return and_(here, left > right if upwards else left < right)


def _pair(order: Order, row_id: Expression, place: Place) -> tuple[Any, Any]:
    return tuple_(order.key, row_id), (place.value, place.id)


def _is_in(order: Order, empty: bool) -> ColumnElement[bool]:
    if empty:
        return order.key.is_(None)
    return order.key.is_not(None) if order.nullable else true()


def token_of(order: Order, value: Any, row_id: int) -> str:
    """The place of a row, for an address."""
    plain = value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
    text = json.dumps([order.name, plain, row_id], ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(order: Order, token: str, *, back: bool = False) -> Place:
    """The place that an address names in a list sorted so. Raises :class:`ZhijiaError` for what names none."""
    try:
        if len(token) > LONGEST:
            raise ValueError
        name, plain, row_id = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if name != order.name or type(row_id) is not int or not 0 <= row_id < 2**63:
            raise ValueError
        return Place(_value(order, plain), row_id, back)
    except (ValueError, TypeError, InvalidOperation, RecursionError, binascii.Error) as error:
        raise no_such_page() from error


def _value(order: Order, plain: Any) -> Any:
    if plain is None and order.nullable:
        return None
    kind = order.key.type.python_type
    if issubclass(kind, date):
        return _instant(plain) if issubclass(kind, datetime) else date.fromisoformat(plain)
    if kind is Decimal:
        return Decimal(plain)
    if type(plain) is not kind or (kind is int and abs(plain) >= 2**63) or (kind is str and "\0" in plain):
        raise ValueError
    return plain


def _instant(plain: str) -> datetime:
    found = datetime.fromisoformat(plain)
    if found.tzinfo is None:
        raise ValueError
    return found
