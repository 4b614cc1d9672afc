"""The chart of accounts (会计科目), which is data: ``ZHIJIA_CHART`` can name the federation's own.

``data/chart.csv`` follows the 工会会计制度 of 2009 (财会〔2009〕7号): its codes and names. A floor is the least that an
account may hold, counted on its own side: cash, the bank and the goods in stock never fall below nothing.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.config import settings_of
from core.errors import ConfigError

FILE = Path(__file__).parent / "data" / "chart.csv"
#: The book that every program posts to; budget control and insurance have books of their own.
STATUTORY = "statutory"
BANK = "102"
HIGHER_GRANTS = "403"
GRANTS_TO_LOWER = "506"
#: How the codes of spending begin, as the union accounting system of 2009 numbers them.
SPENDING = "5"
#: Source of money -> the income that a union books what it raises itself under.
INCOME = {"finance": "404", "union": "402", "society": "408", "dues": "401"}
#: What the house itself posts to; a chart without them cannot be used.
NEEDED = (BANK, *INCOME.values(), HIGHER_GRANTS, GRANTS_TO_LOWER)
COLUMNS = ["book", "code", "name", "name_en", "side", "floor_fen"]


@dataclass(frozen=True)
class AccountTitle:
    """One line of the chart; ``name`` is the official Chinese wording, ``side`` 1 for debit and -1 for credit."""

    book: str
    code: str
    name: str
    name_en: str
    side: int
    floor_fen: int | None


Chart = dict[tuple[str, str], AccountTitle]


def chart() -> Chart:
    """The chart of this installation by (book, code)."""
    return read_chart(settings_of().chart or FILE)


@cache
def read_chart(file: Path) -> Chart:
    """Read and check a chart. Raises :class:`ConfigError` with one sentence that names the line."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, strict=True)
            if reader.fieldnames != COLUMNS:
                raise ConfigError(f"The chart {file} must begin with the line {','.join(COLUMNS)}.")
            titles = [_title(file, reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"The chart {file} cannot be read: {error}.") from error
    found = {(title.book, title.code): title for title in titles}
    if len(found) < len(titles):
        raise ConfigError(f"The chart {file} names an account twice.")
    missing = [code for code in NEEDED if (STATUTORY, code) not in found]
    if missing:
        raise ConfigError(f"The chart {file} lacks {', '.join(missing)} of the book {STATUTORY}.")
    return found


def _title(file: Path, line: int, row: dict[str, str]) -> AccountTitle:
    whole = None not in row and None not in row.values()  # a line too long, or too short
    floor = row["floor_fen"]
    named = whole and all(row[name] for name in COLUMNS[:4]) and row["side"] in ("1", "-1")
    if not named or (floor and not floor.isdecimal()):
        raise ConfigError(
            f"The chart {file} is wrong in line {line}: it takes book, code, names, 1 or -1, and fen or nothing."
        )
    return AccountTitle(
        row["book"], row["code"], row["name"], row["name_en"], int(row["side"]), int(floor) if floor else None
    )
