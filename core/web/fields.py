"""What fields of forms hold, as JSON values for the database, and as people read it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from wtforms import DateField, DecimalField, Field, SelectField, SelectMultipleField
from wtforms.widgets import TextInput

from core.errors import ZhijiaError
from core.money import parse_yuan, yuan


class YuanField(Field):
    """An amount of money: shows yuan, takes ``1250.50``, ``1100万元`` or ``1.25亿元``; ``data`` is whole fen."""

    widget = TextInput()
    data: int | None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return yuan(self.data) if self.data is not None else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read yuan into fen; nothing entered is none."""
        text = str(valuelist[0]).strip() if valuelist else ""
        try:
            self.data = parse_yuan(text) if text else None
        except ZhijiaError as error:
            self.data = None
            raise ValueError(str(error)) from error


def to_json(value: Any) -> Any:
    """A field's value for JSON: days as ISO text, money as whole fen, decimals as text."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def from_json(field: Field, value: Any) -> Any:
    """The value for ``field`` again. Raises :class:`ValueError` for money that is no whole number of fen."""
    if value is None:
        return None
    if isinstance(field, DateField):
        return date.fromisoformat(value)
    if isinstance(field, YuanField) and (not isinstance(value, int) or isinstance(value, bool)):
        raise ValueError(_("%(value)s is not a whole number of fen.", value=value))
    return Decimal(value) if isinstance(field, DecimalField) else value


def shown(field: Field) -> str:
    """The value of a field as people read it."""
    if field.data is None or field.data == "":
        return "—"
    if isinstance(field, SelectMultipleField):
        titles = {value: label for value, label, *_rest in field.iter_choices()}
        return "、".join(str(titles.get(value, value)) for value in field.data) or "—"
    if isinstance(field, SelectField):
        titles = {value: label for value, label, *_rest in field.iter_choices()}
        return str(titles.get(field.data, field.data))
    if isinstance(field.data, bool):
        return str(_("Yes") if field.data else _("No"))
    if isinstance(field, YuanField):
        return str(_("%(amount)s yuan", amount=yuan(field.data)))
    return str(field.data)
