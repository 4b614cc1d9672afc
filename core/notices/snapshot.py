"""What a notice shows of an entry: texts, masked, made by the database for any number of entries at once.

A notice is an official document: its headings and the titles of codes are Chinese, whatever its writer reads. Names and
numbers are masked as in :mod:`core.people.numbers`. A text that somebody typed can hold a number as well, or the name
that is masked beside it: neither gets through.
"""

from collections.abc import Sequence
from typing import Any

from flask_babel import force_locale
from sqlalchemy import ColumnElement, DateTime, Numeric, Text, case, cast, func, literal

from core.lists.types import Column
from core.notices.models import NoticeLine
from core.org.models import Org
from core.people.models import Person
from core.people.numbers import NUMBER
from core.plugin.types import Register
from core.web.filters import NOTHING

#: Kinds of columns that a notice may show. Those that a list knows for numbers of persons are not among them.
SHOWABLE = ("text", "number", "yuan", "day", "moment", "choice")
PERSON, ID_NUMBER, UNION = "__person", "__id_number", "__union"


def columns_to_show(register: Register) -> list[Column]:
    """The columns of the register that a notice may show beside whose entry it is."""
    return [column for column in register.columns if column.kind in SHOWABLE]


def headings(register: Register, columns: Sequence[Column]) -> list[dict[str, str]]:
    """``{name, title}`` of everything that a line shows, in Chinese, in order."""
    whose = {UNION: "所在单位"} if register.of_people else {UNION: "单位"}
    if register.of_people:
        whose = {PERSON: "姓名", ID_NUMBER: "身份证号", **whose}
    with force_locale("zh"):
        chosen = {column.name: f"{column.title}{'（元）' if column.kind == 'yuan' else ''}" for column in columns}
    return [{"name": name, "title": title} for name, title in (whose | chosen).items()]


def shown_values(register: Register, columns: Sequence[Column]) -> ColumnElement[Any]:
    """The SQL of ``NoticeLine.shown`` from the register's model, joined with :class:`Org` and, of people, Person."""
    values: dict[str, ColumnElement[Any]] = {UNION: Org.name.expression}
    if register.of_people:
        values |= {PERSON: masked_name(Person.name), ID_NUMBER: masked_id(Person.id_number_tail)}
    with force_locale("zh"):
        values |= {column.name: _text(register, column) for column in columns}
    pairs = [part for name, value in values.items() for part in (literal(name), func.coalesce(value, NOTHING))]
    return cast(func.jsonb_build_object(*pairs), NoticeLine.shown.type)


def masked_name(name: Any) -> ColumnElement[str]:
    """:func:`core.people.numbers.mask_name` in SQL."""
    length = func.char_length(name)
    short = func.concat(func.left(name, 1), func.repeat("*", length - 1))
    return case((length < 3, short), else_=func.concat(func.left(name, 1), func.repeat("*", length - 2),
                                                       func.right(name, 1)))  # fmt: skip


def masked_id(tail: Any) -> ColumnElement[str]:
    """:func:`core.people.numbers.mask_id` in SQL."""
    return func.concat("*" * 14, func.right(tail, 4))


def _text(register: Register, column: Column) -> ColumnElement[Any]:
    value: Any = getattr(register.model, column.name) if column.expression is None else column.expression
    match column.kind:
        case "yuan":
            return func.to_char(value / literal(100, Numeric), "FM999,999,999,999,990.00")
        case "number":
            return cast(func.trim_scale(cast(value, Numeric)), Text)
        case "day" | "moment":
            local = func.timezone("Asia/Shanghai", value) if isinstance(value.type, DateTime) else value
            return func.to_char(local, "YYYY-MM-DD")
        case "choice" if column.choices:
            titles = {code: str(title) for code, title in column.choices.items()}
            return case(titles, value=cast(value, Text), else_=_masked_text(register, cast(value, Text)))
        case _:
            return _masked_text(register, cast(value, Text))


def _masked_text(register: Register, text: ColumnElement[str]) -> ColumnElement[Any]:
    text = func.regexp_replace(text, NUMBER, "****", "g")
    if register.of_people:
        text = func.replace(text, Person.name, masked_name(Person.name))
    return func.nullif(text, "")
