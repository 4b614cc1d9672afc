"""The chart of accounts (会计科目), which is data: ``data/chart.csv`` can be replaced by the federation's own."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "data" / "chart.csv"
#: The book that every program posts to; others (budget control, insurance) come with their programs.
STATUTORY = "statutory"
BANK = "102"
HIGHER_GRANTS = "403"
GRANTS_TO_LOWER = "506"
#: Source of money -> the income that a union books what it raises itself under.
INCOME = {"finance": "404", "union": "402", "society": "408", "dues": "401"}


@dataclass(frozen=True)
class AccountTitle:
    """One line of the chart; ``name`` is the official Chinese wording."""

    code: str
    name: str
    name_en: str


@cache
def chart() -> dict[str, AccountTitle]:
    """The chart by code."""
    with FILE.open(encoding="utf-8", newline="") as handle:
        return {row["code"]: AccountTitle(**row) for row in csv.DictReader(handle)}
