"""Finding the list in a file: its sheet, its heading row, and then its rows under the fields of a register."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

from flask_babel import gettext as _

from core.errors import ZhijiaError
from core.imports.fields import Field, matched
from core.registers.sheets import Block, Row, Sheet, sheets_of

#: The heading row is one of the first rows that are not empty; titles and notes may stand above it.
SEARCHED = 10
#: More columns than any form has fields; a file with more was not made for a register.
MOST_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class Found:
    """The list of a file: its headings, the field of each (see :func:`matched`), and where it stands."""

    headings: list[str]
    columns: list[str | None]
    line: int
    sheet: Sheet

    def blocks(self) -> Iterator[Block]:
        """The lines below the headings. Raises :class:`ZhijiaError` where cells of them are merged."""
        for _first, last in self.sheet.merged():
            if last > self.line:
                sentence = _("Cells are merged down to line %(line)s; undo the merging, so that every row is whole.")
                raise ZhijiaError(sentence % {"line": last})
        for block in self.sheet.blocks():
            above = bisect_right(block.lines, self.line)
            if above < len(block.lines):
                yield Block(block.lines[above:], block.cells[above:]) if above else block


def find_list(content: IO[bytes], file_name: str, fields: Sequence[Field], remembered: Mapping[str, str]) -> Found:
    """The one list of the file. Raises :class:`ZhijiaError` with one sentence where there is none, or several."""
    sheets = sheets_of(content, file_name)
    tops = [(sheet, list(islice(sheet.rows(), SEARCHED))) for sheet in sheets]
    if not any(rows for _sheet, rows in tops):
        raise ZhijiaError(_("The file is empty."))
    lists = [found for sheet, rows in tops if (found := _heading_of(sheet, rows, fields, remembered))]
    if not lists:
        titles = "、".join(field.title for field in fields if field.required)
        raise ZhijiaError(
            _("None of the first ten rows holds the headings of this register: %(titles)s.", titles=titles)
        )
    if len(lists) > 1:
        names = "、".join(f"“{found.sheet.title}”" for found in lists)
        raise ZhijiaError(
            _("The sheets %(names)s all hold lists; put them into one, or upload each alone.", names=names)
        )
    found = lists[0]
    if len(found.headings) > MOST_COLUMNS:
        raise ZhijiaError(
            _("The file has %(count)s columns; leave only those of this register.", count=len(found.headings))
        )
    return found


def _heading_of(
    sheet: Sheet, rows: Sequence[Row], fields: Sequence[Field], remembered: Mapping[str, str]
) -> Found | None:
    """The row that most fields stand in; of several the first."""
    best, most = None, 0
    for row in rows:
        headings = list(row.values)
        while not headings[-1]:
            headings.pop()
        columns = matched(headings, fields, remembered)
        count = len({name for name in columns if name})
        if count > most:
            best, most = Found(headings, columns, row.line, sheet), count
    return best
