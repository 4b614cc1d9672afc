"""Streaming the rows of a file into the staging table, each checked by itself on the way."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from flask_babel import gettext as _

from core.bulk import NULL, bytes_in_copy, copy_columns, in_copy
from core.errors import ZhijiaError
from core.imports.cells import FormCells, PersonalCells, TextCells, Typed, all_as_json, lost_digits, of_column
from core.imports.fields import PERSONAL, Field, unit_of
from core.imports.models import ImportRow
from core.imports.reading import Found
from core.people.secrets import keys
from core.plugin.types import Register
from core.registers.sheets import Block, Column
from core.wall import beyond_scope
from core.web.forms import Form

#: A longer list is split.
MOST_ROWS = 200_000
#: A line with more faults than this is not a row of the list at all.
MOST_ERRORS = 20
#: Rows between two reports of progress.
STEP = 5_000
STAGED = ("import_id", "line", "values", "secret", "id_number_digest", "id_number_tail", "errors")
Progress = Callable[[int, int], None]


@beyond_scope("imports.stage")  # no row asks anew whose import it is
def copy_list(import_id: int, register: Register, fields: Sequence[Field], found: Found, progress: Progress) -> int:
    """Check the rows one by one and stage them, in the caller's transaction and bounded memory; how many.

    ``found.columns`` says what each column is. Raises :class:`ZhijiaError` where there are no rows, or too many.
    """
    reader = _Reader(import_id, register, fields, found)
    count = copy_columns(ImportRow.__tablename__, STAGED, _staged(reader, found.blocks(), progress))
    if not count:
        raise ZhijiaError(_("The file has headings, but no rows."))
    return count


def _staged(reader: "_Reader", blocks: Iterator[Block], progress: Progress) -> Iterator[Sequence[Sequence[object]]]:
    count = said = 0
    for block in blocks:
        staged = reader.read(block)
        count += len(staged[0])
        if count > MOST_ROWS:
            raise ZhijiaError(_("The file has more than %(count)s rows; please split it.", count=f"{MOST_ROWS:,}"))
        if count - said >= STEP:
            progress(count, 0)
            said = count
        yield staged


class _Reader:
    """What turns blocks of rows into columns of the staging table: one form for all of them."""

    def __init__(self, import_id: int, register: Register, fields: Sequence[Field], found: Found) -> None:
        self._import_id, self._form, self._width = import_id, register.form(), len(found.headings)
        self._plain: list[tuple[int, str, FormCells | TextCells]] = []
        self._keys = keys()  # now, as the rows are made while the connection is streaming
        self._personal: list[tuple[int, str, PersonalCells]] = []
        self._titles: dict[int, str] = {}
        for field in fields:
            at = found.columns.index(field.name) if field.name in found.columns else -1
            self._titles[at] = field.title
            if field.name in register.form.whose and field.name in PERSONAL:
                cells = PersonalCells(field.name, field.title, required=field.required)
                self._personal.append((at, field.name, cells))
            elif field.name in self._form:
                unit = unit_of(found.headings[at]) if at >= 0 and field.is_money else ""
                self._plain.append((at, field.name, FormCells(self._form, field.name, field.title, unit)))
            else:
                self._plain.append((at, field.name, TextCells()))
        self._around = [
            cells for _at, _name, cells in self._plain if isinstance(cells, FormCells) and cells.looks_around
        ]
        self._whole = type(self._form).validate is not Form.validate

    def read(self, block: Block) -> Sequence[Sequence[object]]:
        """The columns of :data:`STAGED`, without the rows that are empty."""
        columns = block.columns(self._width)
        if not any(all(column.texts) for column in columns):
            block = block.without_empty()
            columns = block.columns(self._width)
        count = len(block.lines)
        if not count:
            return [[] for _column in STAGED]
        columns.append(Column([""] * count))  # found at -1, by fields that stand above no column
        errors: dict[int, list[str]] = {}
        values = []
        for at, _name, cells in self._plain:
            found, faults = cells.column(columns[at].texts)
            values.append(found)
            _add(errors, faults)
        sealed = self._seal(columns, count, errors)
        if self._around or self._whole:
            texts = [column.texts for column in columns]
            _add(
                errors, {at: self._look_around([text[at] for text in texts]) for at in range(count) if at not in errors}
            )
        self._add_rounded(columns, errors)
        said = ["[]"] * count
        for at, sentences in errors.items():
            said[at] = json.dumps(sentences[:MOST_ERRORS], ensure_ascii=False)
        objects = in_copy(_objects([name for _at, name, _cells in self._plain], values, count))
        return [[self._import_id] * count, block.lines, objects, *sealed, in_copy(said)]

    def _seal(self, columns: Sequence[Column], count: int, errors: dict[int, list[str]]) -> Sequence[Sequence[str]]:
        """The personal numbers of the rows: encrypted together, and what the identity number is found by."""
        if not self._personal:
            return [NULL] * count, [NULL] * count, [""] * count
        parts, digests, tails = [], [NULL] * count, [""] * count
        for at, name, cells in self._personal:
            rounded = columns[at].rounded  # what is wrong with those is that, whatever their digits say now
            numbers, faults = cells.column(columns[at].texts)
            faults = {row: said for row, said in faults.items() if row not in rounded}
            parts.append(all_as_json(numbers))
            _add(errors, faults)
            if name == "id_number":
                digest = self._keys.digest
                digests = bytes_in_copy(digest("id_number", number) for number in numbers)
                for row in (*faults, *rounded, *(at for at, number in enumerate(numbers) if not number)):
                    digests[row] = NULL
                tails = in_copy(["" if row in rounded else number[-4:] for row, number in enumerate(numbers)])
        secrets = self._keys.encrypt_all(
            "import_row", _objects([name for _at, name, _cells in self._personal], parts, count)
        )
        return bytes_in_copy(secrets), digests, tails

    def _add_rounded(self, columns: Sequence[Column], errors: dict[int, list[str]]) -> None:
        for at, column in enumerate(columns):
            if column.rounded and at in self._titles:
                _add(errors, {row: [lost_digits(self._titles[at])] for row in column.rounded})

    def _look_around(self, texts: Sequence[str]) -> list[str]:
        """What rules say that look at the whole row, once the form is filled with it."""
        for at, name, cells in (*self._plain, *self._personal):
            if isinstance(cells, FormCells):
                cells.enter(texts[at])
            elif name in self._form:
                self._form[name].process(Typed(name, texts[at]))
        if not self._whole:
            return [sentence for cells in self._around for sentence in cells.faults()]
        if self._form.validate():
            return []
        named = ((name, sentence) for name, sentences in self._form.errors.items() if name for sentence in sentences)
        said = [of_column(str(self._form[name].label.text), str(sentence)) for name, sentence in named]
        return said + [str(sentence) for sentence in self._form.form_errors]


def _add(errors: dict[int, list[str]], faults: Mapping[int, Sequence[str]]) -> None:
    for at, sentences in faults.items():
        if sentences:
            errors.setdefault(at, []).extend(sentences)


def _objects(names: Sequence[str], values: Sequence[Sequence[str]], count: int) -> list[str]:
    """JSON objects of these names, from their values column by column."""
    if not names:
        return ["{}"] * count
    template = ", ".join(f"{json.dumps(name)}: %s" for name in names)
    return list(map(f"{{{template}}}".__mod__, zip(*values, strict=True)))
