"""What a list shows: its columns, and where its rows come from. Titles are lazy strings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from flask_babel import LazyString
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

Text: TypeAlias = str | LazyString
Expression: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]
Kind = Literal[
    "text", "number", "yuan", "day", "moment", "choice", "org", "person", "identity", "phone", "account"
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a list, a register or a report: ``name`` is the model's attribute, or the label in the select.

    ``kind`` says how a value is shown, looked for and added up: ``yuan`` is whole fen, and the heading gets the unit;
    ``moment`` an instant (UTC); ``choice`` a code of ``choices`` (or an array of them), shown in the colour (Tabler's
    name) of ``colours``. In a list it can be looked for unless ``filter`` is off, sorted by if ``sort`` is on (give it
    an index, see docs/writing-a-plugin.md), gets a sum in the footer with ``total``, and shows when asked for if it is
    ``hidden``.
    ``expression`` is the SQL of a computed column, ``order`` what it is sorted by where that is something else.
    """

    name: str
    title: Text
    kind: Kind = "text"
    choices: Mapping[str, Text] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    filter: bool = True
    sort: bool = False
    total: bool = False
    hidden: bool = False
    expression: Expression | None = None
    order: Expression | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search comes to: the condition, and what to sort by, which is best the column of the index it uses."""

    condition: ColumnElement[bool]
    order: Expression | None = None


#: ``search(text, among)`` reads what somebody typed; ``among(condition)`` says whether any row of the list fits it.
Search: TypeAlias = Callable[[str, Callable[[ColumnElement[bool]], bool]], Found]


@dataclass(frozen=True, slots=True)
class Join:
    """A table that every row has exactly one row of, or (``outer``) at most one."""

    target: Any
    on: ColumnElement[bool]
    outer: bool = False


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list of the house, from which every page of it is made.

    ``model`` has ``id``. Rows keep to a scope by ``org_path``, or, where that is none, by what ``where`` says already.
    ``where`` are the conditions of belonging. ``person_id`` is given where rows are about people; an exact identity
    number can then be looked for. ``search`` reads the field above the list, which is called ``search_title``.
    ``also`` are values that every row brings along though no column shows them.
    ``order`` is what the list is sorted by unless asked otherwise: a column's name, with ``-`` before it downwards.
    """

    code: str
    title: Text
    model: type[Any]
    columns: tuple[Column, ...]
    org_path: Expression | None
    where: tuple[ColumnElement[bool], ...] = ()
    joins: tuple[Join, ...] = ()
    person_id: Expression | None = None
    search: Search | None = None
    search_title: Text = ""
    also: Mapping[str, Expression] = field(default_factory=dict)
    order: str = "org"

    def column(self, name: str) -> Column | None:
        """The column with this name."""
        return next((column for column in self.columns if column.name == name), None)

    def value(self, column: Column) -> Expression:
        """The SQL of a column."""
        found: Expression = getattr(self.model, column.name) if column.expression is None else column.expression
        return found

    def key(self, column: Column) -> Expression:
        """What a column is sorted by."""
        return self.value(column) if column.order is None else column.order


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a list: the values of the columns that were asked for, and the place of a page in the list."""

    id: int
    org_path: str
    values: Mapping[str, Any]
    key: Any = None


@dataclass(frozen=True, kw_only=True)
class Action:
    """A link: above a list, at the end of a row, or, with the rows that were chosen, to the page that asks back."""

    title: Text
    url: str
    icon: str = "point"
