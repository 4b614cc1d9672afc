"""Tables that people keep in Excel: read row by row as text, and written so that no cell is taken for a formula.

Reads xlsx and CSV (UTF-8, or GB18030 as Chinese Excel saves it). Every cell comes as text, as a person would type it.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from flask import Response, send_file
from flask_babel import gettext as _
from python_calamine import CalamineError, CalamineWorkbook, ZipError

from core.errors import ZhijiaError
from core.lists.types import Text

#: What an xlsx may hold when unpacked; far above any list, far below what a machine's memory holds.
LARGEST_UNPACKED = 200 * 1024 * 1024
#: From here on Excel keeps only 15 digits of a number and puts zeros for the others.
FIRST_ROUNDED = 10**15
#: A sheet holds 1,048,576 rows, of which the heading takes one.
LONGEST_SHEET = 1_000_000
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\]")
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not empty. ``line`` counts from 1 as Excel shows it.

    ``rounded`` holds the positions of cells that Excel kept as a number of more than 15 digits, so that their last
    digits are lost.
    """

    line: int
    values: tuple[str, ...]
    rounded: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Record:
    """One row under its column names. ``rounded`` names the columns whose number has lost its last digits."""

    line: int
    values: Mapping[str, str]
    rounded: frozenset[str] = frozenset()


def read_rows(path: Path, name: str | None = None) -> Iterator[Row]:
    """The rows of the first sheet of an xlsx, or of a CSV; ``name`` is the file's name when ``path`` has another.

    Raises :class:`ZhijiaError` with one sentence where the file is of another kind or broken.
    """
    kind = Path(name or path.name).suffix.lower()
    if kind == ".xlsx":
        return _read_xlsx(path)
    if kind == ".csv":
        return _read_csv(path)
    raise ZhijiaError(_("“%(name)s” is not a list that can be read; use xlsx or CSV.", name=name or path.name))


def by_columns(rows: Iterator[Row], titles: Mapping[str, Text], required: Iterable[str]) -> Iterator[Record]:
    """Rows under the keys of ``titles`` (key -> heading); the first row must hold the headings, in any order.

    Headings that nobody knows are left alone. Raises :class:`ZhijiaError` where the file is empty, a required column
    is missing, or a heading stands there twice.
    """
    head = next(rows, None)
    if head is None:
        raise ZhijiaError(_("The file is empty."))
    positions = _positions(head.values, titles)
    missing = [str(titles[key]) for key in required if key not in positions]
    if missing:
        raise ZhijiaError(_("The file lacks the column %(names)s.", names="、".join(missing)))
    return _records(rows, positions)


def write_xlsx(
    target: IO[bytes], heading: Sequence[str], rows: Iterable[Sequence[str | int | Decimal]], sheet: str
) -> None:
    """Write a table in bounded memory. Numbers can be added up in it (a ``Decimal`` shows two decimals).

    All else is text, and a cell that looks like a formula is made harmless. What a sheet's name cannot hold is left out
    of ``sheet``. What is longer than a sheet goes on in the next one, under the same headings.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with closing(xlsxwriter.Workbook(target, options)) as book:
        whole, money = book.add_format({"num_format": "0"}), book.add_format({"num_format": "0.00"})
        text = book.add_format({"num_format": "@"})
        name = _NOT_IN_SHEET_NAMES.sub(" ", sheet)[:31].strip("' ")
        page = _new_page(book, name, heading, text)
        for count, row in enumerate(rows):
            number = count % LONGEST_SHEET
            if count and not number:
                page = _new_page(book, name and f"{name[:27]} {count // LONGEST_SHEET + 1}", heading, text)
            for column, value in enumerate(row):
                if isinstance(value, str):
                    page.write_string(number + 1, column, harmless(value), text)
                else:
                    page.write_number(number + 1, column, value, whole if isinstance(value, int) else money)


def _new_page(book: Any, name: str, heading: Sequence[str], text: Any) -> Any:
    page = book.add_worksheet(name or None)
    bold = book.add_format({"bold": True, "num_format": "@"})
    page.freeze_panes(1, 0)
    page.set_column(0, len(heading) - 1, 20, text)
    for column, title in enumerate(heading):
        page.write_string(0, column, title, bold)
    return page


def send_xlsx(write: Callable[[IO[bytes]], None], name: str) -> Response:
    """The answer of a page that hands out what ``write(target)`` writes, as a file called ``name``.

    The file is held in memory: for lists of some ten thousand rows.
    """
    target = io.BytesIO()
    write(target)
    target.seek(0)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return send_file(target, mimetype=kind, as_attachment=True, download_name=name, max_age=0)


def harmless(value: str) -> str:
    """The text with an apostrophe in front if a spreadsheet would run it as a formula; reading takes it off again."""
    return f"'{value}" if value.startswith(_FORMULA_SIGNS) else value


def _positions(heading: Sequence[str], titles: Mapping[str, Text]) -> dict[str, int]:
    keys = {str(title): key for key, title in titles.items()}
    positions: dict[str, int] = {}
    for position, text in enumerate(heading):
        key = keys.get("".join(text.split()).rstrip("*＊"))
        if key is None:
            continue
        if key in positions:
            raise ZhijiaError(_("The file has the column %(name)s twice.", name=titles[key]))
        positions[key] = position
    return positions


def _records(rows: Iterator[Row], positions: Mapping[str, int]) -> Iterator[Record]:
    for row in rows:
        yield Record(
            row.line,
            {key: row.values[at] if at < len(row.values) else "" for key, at in positions.items()},
            frozenset(key for key, at in positions.items() if at in row.rounded),
        )


def _read_xlsx(path: Path) -> Iterator[Row]:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
        if unpacked > LARGEST_UNPACKED:
            raise ZhijiaError(_("The xlsx file is too large; please split it."))
        book = CalamineWorkbook.from_path(str(path))
        sheet = book.get_sheet_by_index(0)
        yield from _rows(enumerate(sheet.iter_rows(), start=1))
    except (zipfile.BadZipFile, CalamineError, ZipError) as error:
        raise ZhijiaError(
            _("The xlsx file cannot be read: it is broken, protected by a password, or of another kind.")
        ) from error


def _read_csv(path: Path) -> Iterator[Row]:
    encoding = _encoding_of(path)
    with path.open(encoding=encoding, newline="") as handle:
        lines = csv.reader(handle)
        try:
            yield from _rows((lines.line_num, values) for values in lines)
        except csv.Error as error:
            raise ZhijiaError(_("Line %(line)s of the CSV file cannot be read.", line=lines.line_num)) from error


def _encoding_of(path: Path) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding, newline="") as handle:
                while text := handle.read(io.DEFAULT_BUFFER_SIZE * 8):
                    if "\0" in text:
                        break
                else:
                    return encoding
        except UnicodeDecodeError:
            continue
    raise ZhijiaError(_("The CSV file is not text in UTF-8 or GB18030."))


def _rows(lines: Iterable[tuple[int, Sequence[Any]]]) -> Iterator[Row]:
    for line, cells in lines:
        values = tuple(_as_text(cell) for cell in cells)
        if any(values):
            yield Row(line, values, frozenset(at for at, cell in enumerate(cells) if _is_rounded(cell)))


def _is_rounded(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool) and abs(cell) >= FIRST_ROUNDED


def _as_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    text = str(cell).strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA_SIGNS) else text
