"""Streaming the rows of a file into the staging table, each checked by itself on the way."""

import json
from collections.abc import Callable, Iterator, Sequence

from flask_babel import gettext as _

from core.bulk import copy_rows
from core.errors import ZhijiaError
from core.imports.cells import FormCells, PersonalCells, TextCells, Typed, lost_digits, of_column
from core.imports.fields import PERSONAL, Field, unit_of
from core.imports.models import ImportRow
from core.imports.reading import Found
from core.people.secrets import keys
from core.plugin.types import Register
from core.registers.sheets import Row
from core.web.forms import Form

#: A longer list is split.
MOST_ROWS = 200_000
#: A line with more faults than this is not a row of the list at all.
MOST_ERRORS = 20
#: Rows between two reports of progress.
STEP = 5_000
STAGED = ("import_id", "line", "values", "secret", "id_number_digest", "id_number_tail", "errors")
Progress = Callable[[int, int], None]


def copy_list(import_id: int, register: Register, fields: Sequence[Field], found: Found, progress: Progress) -> int:
    """Check the rows one by one and stage them, in the caller's transaction and bounded memory; how many.

    ``found.columns`` says what each column is. Raises :class:`ZhijiaError` where there are no rows, or too many.
    """
    reader = _Reader(register, fields, found)
    count = copy_rows(ImportRow.__tablename__, STAGED, _staged(import_id, reader, found.rows(), progress))
    if not count:
        raise ZhijiaError(_("The file has headings, but no rows."))
    return count


def _staged(import_id: int, reader: "_Reader", rows: Iterator[Row], progress: Progress) -> Iterator[Sequence[object]]:
    for count, row in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise ZhijiaError(_("The file has more than %(count)s rows; please split it.", count=f"{MOST_ROWS:,}"))
        if not count % STEP:
            progress(count, 0)
        yield (import_id, *reader.read(row))


class _Reader:
    """What turns rows into staged rows: one form for all of them."""

    def __init__(self, register: Register, fields: Sequence[Field], found: Found) -> None:
        self._form = form = register.form()
        self._keys = keys()
        self._plain: list[tuple[int, str, FormCells | TextCells]] = []
        self._personal: list[tuple[int, str, PersonalCells]] = []
        self._titles: dict[int, str] = {}
        for field in fields:
            at = found.columns.index(field.name) if field.name in found.columns else -1
            self._titles[at] = field.title
            key = json.dumps(field.name)
            if field.name in register.form.whose and field.name in PERSONAL:
                self._personal.append((at, key, PersonalCells(field.name, field.title, required=field.required)))
            elif field.name in form:
                unit = unit_of(found.headings[at]) if at >= 0 and field.is_money else ""
                self._plain.append((at, key, FormCells(form, field.name, field.title, unit)))
            else:
                self._plain.append((at, key, TextCells()))
        self._around = [
            cells for _at, _key, cells in self._plain if isinstance(cells, FormCells) and cells.looks_around
        ]
        self._whole = type(form).validate is not Form.validate

    def read(self, row: Row) -> tuple[object, ...]:
        """The columns of the staging table after the id of the import."""
        values, width = row.values, len(row.values)
        errors: list[str] = []
        parts = []
        for at, key, cells in self._plain:
            cell = cells.read(values[at] if 0 <= at < width else "")
            parts.append(f"{key}: {cell.json}")
            if cell.errors:
                errors += cell.errors
        secret, digest, tail = self._seal(row, errors)
        if (self._around or self._whole) and not errors:
            errors += self._look_around(row)
        if row.rounded:
            errors += [lost_digits(self._titles[at]) for at in sorted(row.rounded) if at in self._titles]
        said = json.dumps(errors[:MOST_ERRORS], ensure_ascii=False) if errors else "[]"
        return row.line, f"{{{', '.join(parts)}}}", secret, digest, tail, said

    def _seal(self, row: Row, errors: list[str]) -> tuple[bytes | None, bytes | None, str]:
        """The personal numbers of a row: encrypted together, and what its identity number is found by."""
        parts, digest, tail = [], None, ""
        for at, key, cells in self._personal:
            text = row.values[at] if 0 <= at < len(row.values) else ""
            if at in row.rounded:  # what is wrong with it is that, whatever its digits say now
                parts.append(f"{key}: {json.dumps(text)}")
                continue
            number, as_json, said = cells.read(text)
            parts.append(f"{key}: {as_json}")
            if said:
                errors += said
            if cells.name == "id_number":
                tail = (number or text)[-4:]
                digest = self._keys.digest("id_number", number) if number else None
        if not parts:
            return None, None, ""
        return self._keys.encrypt("import_row", f"{{{', '.join(parts)}}}"), digest, tail

    def _look_around(self, row: Row) -> list[str]:
        """What rules say that look at the whole row, once the form is filled with it."""
        width = len(row.values)
        for at, name, cells in (*self._plain, *self._personal):
            text = row.values[at] if 0 <= at < width else ""
            if isinstance(cells, FormCells):
                cells.enter(text)
            elif json.loads(name) in self._form:
                self._form[json.loads(name)].process(Typed(json.loads(name), text))
        if not self._whole:
            return [sentence for cells in self._around for sentence in cells.faults()]
        if self._form.validate():
            return []
        named = ((name, sentence) for name, sentences in self._form.errors.items() if name for sentence in sentences)
        said = [of_column(str(self._form[name].label.text), str(sentence)) for name, sentence in named]
        return said + [str(sentence) for sentence in self._form.form_errors]
