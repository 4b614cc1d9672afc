"""Tables that people keep in Excel: read row by row as text, and written so that no cell is taken for a formula.

Reads xlsx and CSV (UTF-8, UTF-16, or GB18030 as Chinese Excel saves it; with commas, semicolons or tabs). Every cell
comes as text, as a person would type it.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

import xlsxwriter
from flask import Response, send_file
from flask_babel import gettext as _
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    WorksheetNotFound,
    ZipError,
)

from core.errors import ZhijiaError
from core.registers.unpacking import check_unpacked
from core.scratch import scratch

Source: TypeAlias = Path | IO[bytes]
#: Signs from the beginning of a CSV that say by what it is divided.
SNIFFED = 4096
_DELIMITERS = (",", ";", "\t")
#: Cells that are read at a time.
BLOCK = 16_000
#: From here on Excel keeps only 15 digits of a number and puts zeros for the others.
FIRST_ROUNDED = 10**15
#: A sheet holds 1,048,576 rows, of which the heading takes one.
LONGEST_SHEET = 1_000_000
#: Characters that Excel takes in the head or foot of a page, without the codes around them.
LONGEST_FOOTER = 240
#: What a file says of itself: titles and values.
Mark: TypeAlias = Sequence[tuple[str, str]]
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\]")
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


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
class Block:
    """Some lines that follow each other, with their cells as they stand in the file; some may be empty."""

    lines: Sequence[int]
    cells: Sequence[Sequence[Any]]

    def rows(self) -> Iterator[Row]:
        """The lines that are not empty."""
        for line, cells in zip(self.lines, self.cells, strict=True):
            values = tuple([_plain_text(cell) if type(cell) is str else _as_text(cell) for cell in cells])
            if any(values):
                yield Row(line, values, frozenset([at for at, cell in enumerate(cells) if _is_rounded(cell)]))

    def without_empty(self) -> "Block":
        """The same without the lines that are empty."""
        filled = {row.line for row in self.rows()}
        kept = [at for at, line in enumerate(self.lines) if line in filled]
        return Block([self.lines[at] for at in kept], [self.cells[at] for at in kept])

    def columns(self, width: int) -> list["Column"]:
        """The first so many columns; what a line lacks is empty."""
        if not self.cells:
            return [Column([])] * width
        if min(map(len, self.cells)) >= width:
            turned = list(zip(*self.cells, strict=False))[:width]
        else:
            turned = list(zip(*((*cells[:width], *[""] * (width - len(cells))) for cells in self.cells), strict=True))
        return [_column_of(cells) for cells in turned]


class Column(NamedTuple):
    """The texts of one column, line by line, and which of them are numbers that have lost digits (see :class:`Row`)."""

    texts: list[str]
    rounded: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a file. ``blocks()`` reads it from its beginning; ``merged`` are the first and last lines of merged
    cells, counted from 1.
    """

    title: str
    blocks: Callable[[], Iterator[Block]]
    merged: Callable[[], list[tuple[int, int]]]

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty, from the beginning."""
        return (row for block in self.blocks() for row in block.rows())


def read_rows(source: Source, name: str | None = None) -> Iterator[Row]:
    """The rows of the first sheet of an xlsx, or of a CSV; ``name`` is the file's name when ``source`` has another.

    Raises :class:`ZhijiaError` with one sentence where the file is of another kind or broken.
    """
    if isinstance(source, Path):
        with source.open("rb") as content:
            yield from sheets_of(content, name or source.name)[0].rows()
    else:
        yield from sheets_of(source, name or "")[0].rows()


def sheets_of(content: IO[bytes], name: str) -> list[Sheet]:
    """The sheets of an xlsx, at least one; a CSV is one sheet.

    Raises :class:`ZhijiaError` with one sentence where the file is of another kind, broken, or would fill the memory.
    """
    kind = Path(name).suffix.lower()
    if kind == ".xlsx":
        return _sheets_of_xlsx(content)
    if kind == ".csv":
        encoding = cache(lambda: _encoding_of(content))
        return [Sheet("", lambda: _read_csv(content, encoding()), list)]
    raise ZhijiaError(_("“%(name)s” is not a list that can be read; use xlsx or CSV.", name=name))


def write_xlsx(
    target: IO[bytes],
    heading: Sequence[str],
    rows: Iterable[Sequence[str | int | Decimal]],
    sheet: str,
    mark: Mark = (),
) -> None:
    """Write a table in bounded memory. Numbers can be added up in it (a ``Decimal`` shows two decimals).

    All else is text, and a cell that looks like a formula is made harmless. What a sheet's name cannot hold is left out
    of ``sheet``. What is longer than a sheet goes on in the next one, under the same headings. ``mark`` says whose file
    it is: on every printed page, and on a sheet of its own at the end.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    # The writer keeps its rows in files beside; they must not lie about when it is killed.
    with scratch() as folder, closing(xlsxwriter.Workbook(target, options | {"tmpdir": str(folder)})) as book:
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
        if mark:
            _add_mark(book, mark)


def in_one_line(mark: Mark) -> str:
    """The mark as a line of text."""
    return " · ".join(f"{title}: {value}" for title, value in mark)


def _add_mark(book: Any, mark: Mark) -> None:
    printed = in_one_line(mark).replace("&", "&&")[:LONGEST_FOOTER]
    for page in book.worksheets():
        page.set_header(f"&C{printed}")
        page.set_footer(f"&L{printed}&R&P / &N" if len(printed) < LONGEST_FOOTER - 12 else f"&L{printed}")
    last = book.add_worksheet(_("About this file")[:31])
    last.set_column(0, 1, 30)
    for line, (title, value) in enumerate(mark):
        last.write_string(line, 0, title)
        last.write_string(line, 1, harmless(value))


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


def _sheets_of_xlsx(content: IO[bytes]) -> list[Sheet]:
    check_unpacked(content)
    try:
        book = CalamineWorkbook.from_filelike(content)
        titles = [item.name for item in book.sheets_metadata if item.typ == SheetTypeEnum.WorkSheet]
    except (CalamineError, ZipError, WorksheetNotFound) as error:
        raise _unreadable() from error
    if not titles:
        raise _unreadable()
    return [_sheet_of(book, title) for title in titles]


def _sheet_of(book: CalamineWorkbook, title: str) -> Sheet:
    @cache
    def sheet() -> CalamineSheet:
        try:
            return book.get_sheet_by_name(title)
        except (CalamineError, ZipError, WorksheetNotFound) as error:
            raise _unreadable() from error

    def merged() -> list[tuple[int, int]]:
        return [(first[0] + 1, last[0] + 1) for first, last in sheet().merged_cell_ranges or []]

    return Sheet(title, lambda: _in_blocks(enumerate(sheet().iter_rows(), start=1)), merged)


def _unreadable() -> ZhijiaError:
    return ZhijiaError(_("The xlsx file cannot be read: it is broken, protected by a password, or of another kind."))


def _read_csv(content: IO[bytes], encoding: str) -> Iterator[Block]:
    content.seek(0)
    handle = io.TextIOWrapper(content, encoding, newline="")
    try:
        head = handle.read(SNIFFED)
        handle.seek(0)
        lines = csv.reader(handle, delimiter=max(_DELIMITERS, key=head.count))
        yield from _in_blocks((lines.line_num, cells) for cells in lines)
    except csv.Error as error:
        raise ZhijiaError(_("Line %(line)s of the CSV file cannot be read.", line=lines.line_num)) from error
    finally:
        handle.detach()  # else the content would be closed with it


def _encoding_of(content: IO[bytes]) -> str:
    content.seek(0)
    marked = content.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        content.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while data := content.read(io.DEFAULT_BUFFER_SIZE * 8):
                if "\0" in decoder.decode(data):
                    break
            else:
                decoder.decode(b"", final=True)
                return encoding
        except UnicodeDecodeError:
            continue
    raise ZhijiaError(_("The CSV file is not text in UTF-8, UTF-16 or GB18030."))


def _in_blocks(lines: Iterable[tuple[int, Sequence[Any]]]) -> Iterator[Block]:
    """Blocks of so many cells, as a line of a hostile file may have any number of them."""
    numbers, rows, held = [], [], 0
    for line, cells in lines:
        numbers.append(line)
        rows.append(cells)
        held += len(cells)
        if held >= BLOCK or len(rows) >= BLOCK:
            yield Block(numbers, rows)
            numbers, rows, held = [], [], 0
    if rows:
        yield Block(numbers, rows)


def _column_of(cells: Sequence[Any]) -> Column:
    if set(map(type, cells)) == {str}:
        joined = "".join(cells)
        return Column(list(map(_plain_text if "'" in joined or "\0" in joined else str.strip, cells)))
    return Column(
        [_plain_text(cell) if type(cell) is str else _as_text(cell) for cell in cells],
        frozenset([at for at, cell in enumerate(cells) if _is_rounded(cell)]),
    )


def _is_rounded(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool) and abs(cell) >= FIRST_ROUNDED


def _plain_text(text: str) -> str:
    """The text without what was put around it, and without the sign NUL, which no database takes."""
    text = text.replace("\0", "").strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA_SIGNS) else text


def _as_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date) else _plain_text(str(cell))
