"""The form above a list, made from its columns. Sent in the address; an identity number never is."""

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, SelectField, SelectMultipleField, StringField

from core.lists.types import Column, Listing
from core.web.forms import Form, options

#: Before the name of a column in an address, so that no column is mistaken for another argument of it.
PREFIX = "f-"
#: Kinds looked for between two values, and the kind of their fields.
SPANS = {"number": "text", "yuan": "text", "day": "date", "moment": "date"}
#: Kinds that the fields above every list look for, not a filter of their own.
FIXED = frozenset({"org", "person", "identity", "phone", "account"})
HOW = {"has": _l("contains"), "begins": _l("begins with")}


class NameForm(Form):
    """The name under which a filter is saved."""

    name = StringField(_l("Save this filter as"), render_kw={"autocomplete": "off", "maxlength": 60})


def filter_form(listing: Listing) -> type[Form]:
    """The fields that a list can be narrowed down with."""
    fields: dict[str, Any] = {}
    if listing.search:
        fields["text"] = StringField(listing.search_title, render_kw={"autocomplete": "off", "maxlength": 50})
    if listing.column("org"):
        fields["org"] = StringField(
            _l("Union and those below it (code)"),
            render_kw={"autocomplete": "off", "maxlength": 64, "list": "list-orgs"},
        )
    for column in filtered(listing):
        fields |= dict(_fields(column))
    return type("FilterForm", (Form,), fields)


def filtered(listing: Listing) -> list[Column]:
    """The columns that have a filter of their own."""
    return [column for column in listing.columns if column.filter and column.kind not in FIXED]


def _fields(column: Column) -> Iterator[tuple[str, Field]]:
    name = PREFIX + column.name
    if column.kind == "choice":
        yield name, SelectMultipleField(column.title, choices=options(column.choices), validate_choice=False)
    elif column.kind in SPANS:
        unit = {"yuan": _("%(title)s (yuan)", title=column.title)}.get(column.kind, str(column.title))
        kw = {"type": SPANS[column.kind], "autocomplete": "off", "maxlength": 30}
        yield name + "-from", StringField(_("%(title)s from", title=unit), render_kw=kw)
        yield name + "-to", StringField(_("%(title)s to", title=unit), render_kw=kw)
    else:
        yield name, StringField(column.title, render_kw={"autocomplete": "off", "maxlength": 100})
        yield name + "-how", SelectField(column.title, choices=options(HOW), validate_choice=False)
