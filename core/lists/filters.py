"""Reading what a list is asked for from an address: every value is checked, each fault a sentence at its field."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ARRAY, ColumnElement, func, or_
from werkzeug.datastructures import MultiDict

from core.config import LOCAL_ZONE
from core.errors import NotFound, ZhijiaError
from core.lists.forms import PREFIX, SPANS, filter_form, filtered
from core.lists.paging import Order
from core.lists.queries import Asked, is_about, is_among, order_by, order_of
from core.lists.types import Column, Listing
from core.money import parse_yuan
from core.org.queries import visible
from core.org.scope import Scope, subtree
from core.web.forms import Form

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


class Reading:
    """One reading of an address: the form as it was filled in, what it asks for, and whether anything was wrong.

    What is wrong is left out of ``asked``, so that the list is there all the same.
    """

    def __init__(self, listing: Listing, scope: Scope, args: MultiDict[str, str]) -> None:
        plain = MultiDict((name, value.replace("\0", "")) for name, value in args.items(multi=True))
        self.listing, self.scope = listing, scope
        self.form: Form = filter_form(listing)(plain)
        self.failed = False
        self.person_id = plain.get("person", type=int) if listing.person_id is not None else None
        if any("\0" in value for value in args.values()):
            self.refuse(ZhijiaError(_("A character that no text has cannot be looked for.")))
        self._conditions: list[ColumnElement[bool]] = []
        self._order: Order | None = None
        self._read()
        sort = plain.get("sort", "")
        self.asked = Asked(tuple(self._conditions), self._args(), self._sorted(sort), sort)

    def _read(self) -> None:
        if self.person_id is not None:
            self._conditions.append(is_about(self.listing, max(0, min(self.person_id, 2**63 - 1))))
        for column in filtered(self.listing):
            self._add(partial(self._of_column, column))
        if "org" in self.form:
            self._add(self._of_org)
        if "text" in self.form:
            self._add(self._of_search)  # last: how it is best found depends on what else was asked for

    def _add(self, read: Callable[[], list[ColumnElement[bool]]]) -> None:
        try:
            self._conditions += read()
        except ZhijiaError as error:
            self.refuse(error)

    def refuse(self, error: ZhijiaError) -> None:
        """Say at its field what was wrong."""
        self.form.refuse(error)
        self.failed = True

    def _text(self, name: str) -> str:
        return str(self.form[name].data or "")

    def _of_column(self, column: Column) -> list[ColumnElement[bool]]:
        name, value = PREFIX + column.name, self.listing.value(column)
        if column.kind == "choice":
            return self._of_choice(column, name)
        if column.kind in SPANS:
            return _span(column, value, self._text(name + "-from"), self._text(name + "-to"))
        text = self._text(name)
        if not text:
            return []
        begins = self._text(name + "-how") == "begins"
        return [value.istartswith(text, autoescape=True) if begins else value.icontains(text, autoescape=True)]

    def _of_choice(self, column: Column, name: str) -> list[ColumnElement[bool]]:
        chosen = [code for code in self.form[name].data or [] if code]
        for code in chosen:
            if code not in column.choices:
                raise ZhijiaError(_("“%(code)s” is not one of the choices.", code=code), field=name)
        if not chosen:
            return []
        value = self.listing.value(column)
        if isinstance(value.type, ARRAY):
            return [or_(*(func.array_position(value, code).is_not(None) for code in chosen))]
        kind = value.type.python_type
        return [value.in_([kind(code) for code in chosen])]

    def _of_org(self) -> list[ColumnElement[bool]]:
        code = self._text("org")
        if not code:
            return []
        org = visible(self.scope, code)
        column = self.listing.column("org")
        if org is None or column is None:
            raise NotFound(_("There is no organisation with the code “%(code)s” here.", code=code), field="org")
        return [subtree(self.listing.key(column), org.path)]

    def _of_search(self) -> list[ColumnElement[bool]]:
        text = self._text("text")
        if not text or self.listing.search is None:
            return []
        so_far = tuple(self._conditions)

        def among(condition: ColumnElement[bool]) -> bool:
            return is_among(self.listing, self.scope, *so_far, condition)

        found = self.listing.search(text, among)
        if found.order is not None:
            self._order = order_by("text", found.order)
        return [found.condition]

    def _sorted(self, name: str) -> Order | None:
        """What was asked for; else what the search is best sorted by; else the list's own order."""
        if not name:
            return self._order
        order = order_of(self.listing, name)
        if order is None:
            self.refuse(ZhijiaError(_("The list cannot be sorted by this column.")))
        return order

    def _args(self) -> dict[str, Any]:
        """What was filled in, for addresses: also what is wrong, so that it can be put right."""
        args = {field.name: field.data for field in self.form if field.data}
        for name in [name for name in args if name.endswith("-how")]:
            if args[name] == "has" or not args.get(name.removesuffix("-how")):
                del args[name]
        return args | ({"person": self.person_id} if self.person_id is not None else {})


def _span(column: Column, value: Any, first: str, last: str) -> list[ColumnElement[bool]]:
    name = PREFIX + column.name
    low, high = _bound(column, first, name + "-from"), _bound(column, last, name + "-to")
    if low is not None and high is not None and low > high:
        raise ZhijiaError(_("The end of the span lies before its beginning."), field=name + "-to")
    conditions = [] if low is None else [value >= (_midnight(low) if column.kind == "moment" else low)]
    if high is not None:
        moment = column.kind == "moment"
        conditions.append(value < _midnight(high + timedelta(days=1)) if moment else value <= high)
    return conditions


def _bound(column: Column, text: str, field: str) -> Any:
    if not text:
        return None
    try:
        if column.kind == "yuan":
            return parse_yuan(text)
        return _number(text) if column.kind == "number" else _day(text)
    except ZhijiaError as error:
        raise ZhijiaError(str(error), field=field) from error


def _number(text: str) -> Decimal:
    plain = text.replace(",", "").replace("，", "")
    if not _NUMBER.fullmatch(plain):
        raise ZhijiaError(_("“%(text)s” is not a number.", text=text))
    return Decimal(plain)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ZhijiaError(_("“%(text)s” is not a day; write it as 2014-01-31.", text=text)) from error
    if day.year in (1, 9999):  # the midnight of such a day may lie outside of what can be written
        raise ZhijiaError(_("“%(text)s” is not a day; write it as 2014-01-31.", text=text))
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL_ZONE)
