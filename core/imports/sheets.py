"""The files that imports hand out: an empty list to fill in, and the bad rows with the reason beside each."""

from collections.abc import Iterator
from typing import IO

from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import BooleanField, SelectField

from core.extensions import db
from core.imports.fields import fields_of
from core.imports.merging import secrets_of
from core.imports.models import Import, ImportRow
from core.money import plain_yuan
from core.plugin.types import Register
from core.registers.sheets import write_xlsx
from core.web.fields import YuanField
from core.web.forms import Form


def write_template(register: Register, target: IO[bytes]) -> None:
    """An empty list with its headings, as xlsx; a star stands behind those that must be there."""
    headings = [f"{field.heading}*" if field.required else field.heading for field in fields_of(register)]
    write_xlsx(target, headings, [], str(register.title))


def write_errors(one: Import, register: Register, target: IO[bytes]) -> None:
    """The bad rows as they were uploaded, with a column that says what is wrong, as xlsx; it can be uploaded again."""
    fields = fields_of(register)
    headings = [field.heading for field in fields]
    names = [field.name for field in fields]
    write_xlsx(target, [*headings, _("What is wrong")], _bad_rows(one, register.form(), names), str(register.title))


def as_typed(form: Form, row: ImportRow) -> dict[str, str]:
    """Every field of a staged row as somebody would type it."""
    plain = {name: _text(form, name, value) for name, value in row.values.items()}
    return plain | secrets_of(row)


def _bad_rows(one: Import, form: Form, names: list[str]) -> Iterator[list[str]]:
    rows = db.session.scalars(
        select(ImportRow)
        .where(ImportRow.import_id == one.id, ImportRow.errors != [])
        .order_by(ImportRow.line)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        typed = as_typed(form, row)
        yield [*(typed.get(name, "") for name in names), " ".join(row.errors)]


def _text(form: Form, name: str, value: object) -> str:
    """A value as the file had it: what is no value of the field's kind was wrong, and stands there as it was typed."""
    field = form._fields.get(name)
    if value is None:
        return ""
    if isinstance(field, SelectField):
        titles = {str(code): str(label) for code, label, *_more in field.iter_choices()}
        return "、".join(titles.get(str(one), str(one)) for one in (value if isinstance(value, list) else [value]))
    if isinstance(field, BooleanField) and isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    return plain_yuan(value) if isinstance(field, YuanField) and isinstance(value, int) else str(value)
