"""Values for whatever form a plugin declares, so that a new register is asked about without a line here."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from wtforms import BooleanField, DateField, DecimalField, Field, IntegerField, SelectField, SelectMultipleField
from wtforms import StringField as TextField
from wtforms.validators import Length, NumberRange

from core.api import Form, Register, YuanField

#: Code of a field (``meals.bids:dish``) -> how it is filled, where its kind alone does not say it.
FILLED: dict[str, Callable[[str], Any]] = {
    "four_seasons.visit_plans:source": lambda _marker: "union",  # of which the house has money
    "four_seasons.applications:graduates_on": lambda _marker: date(2018, 7, 1),  # after being admitted
    "four_seasons.applications:parent": lambda _marker: "",  # nobody of this name is on file
    "four_seasons.mine_applications:graduates_on": lambda _marker: date(2018, 7, 1),
    "four_seasons.mine_applications:parent": lambda _marker: "",
    "hardship_aid.centres:phone": lambda _marker: "029-87654321",
    "hardship_aid.files:head": lambda _marker: "other",  # else the head has no name of its own
}


def filled(form: Form, names: Sequence[str], marker: str, code: str = "") -> dict[str, Any]:
    """A value for each of these fields, as a service takes it; texts are the marker."""
    special = {name: FILLED[f"{code}:{name}"] for name in names if f"{code}:{name}" in FILLED}
    found = {name: special[name](marker) if name in special else _value(form[name], marker) for name in names}
    return found | {name: "" for name in names if not _counts(form[name], found)}


def _counts(field: Field, values: dict[str, Any]) -> bool:
    """Whether the value of another field lets this one count (``OnlyIf``)."""
    other, _is, codes = (getattr(field.flags, "only_if", None) or "").partition("=")
    return not other or str(values.get(other)) in codes.split("|")


def own_values(register: Register, marker: str) -> dict[str, Any]:
    """What an entry holds besides whose it is."""
    form = register.form()
    names = [field.short_name for field in form if field.short_name not in register.form.whose]
    return filled(form, names, marker, register.code)


def typed(form_class: type[Form], values: dict[str, Any]) -> dict[str, Any]:
    """The same as a browser sends it."""
    form = form_class(data=values)
    found = {name: _typed(form[name], value) for name, value in values.items() if name in form}
    return {name: text for name, text in found.items() if text is not None}


def _typed(field: Field, value: Any) -> Any:
    if value is None or value is False:
        return None
    if value is True:
        return "y"
    if isinstance(value, list):
        return value
    return field._value() if hasattr(field, "_value") else str(value)


def _value(field: Field, marker: str) -> Any:
    match field:
        case SelectMultipleField():
            return [_first_choice(field)]
        case SelectField():
            return _first_choice(field)
        case YuanField():
            return 100_00
        case IntegerField() | DecimalField():
            return max((check.min or 0 for check in field.validators if isinstance(check, NumberRange)), default=1) or 1
        case DateField():
            return date(2014, 3, 5)
        case BooleanField():
            return True
        case TextField():
            longest = min((check.max for check in field.validators if isinstance(check, Length) and check.max > 0),
                          default=len(marker))  # fmt: skip
            assert longest >= len(marker), (
                f"{field.short_name} is too short to be known again: give it a line in FILLED"
            )
            return marker
    raise AssertionError(f"say in FILLED how the field {field.short_name!r} is filled")


def _first_choice(field: SelectField) -> Any:
    return next(value for value in choices_of(field) if value)


def choices_of(field: Field) -> dict[Any, str]:
    """Value -> title of a field that has choices; nothing of any other."""
    return (
        {value: str(title) for value, title, *_rest in field.iter_choices()} if isinstance(field, SelectField) else {}
    )
