"""The chart is data: the one that comes along is right, another one can be named, and a wrong one says so at start."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from core import create_app
from core.config import Settings, load_settings
from core.errors import ConfigError
from core.ledger.chart import COLUMNS, FILE, STATUTORY, read_chart
from core.plugin.registry import Registry, given, load
from core.plugin.types import EntryKind
from tests.disbursements import aid


def lines() -> list[list[str]]:
    with FILE.open(encoding="utf-8", newline="") as handle:
        return list(csv.reader(handle))


def write(folder: Path, rows: list[list[str]]) -> Path:
    file = folder / "chart.csv"
    with file.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)
    read_chart.cache_clear()
    return file


def test_sides_and_floors_of_the_chart() -> None:
    """Assets and spending stand on the debit side, all else on the credit side; what can be touched has a floor."""
    for title in read_chart(FILE).values():
        assert title.side == (1 if title.code[0] in "15" else -1), title
    assert {code for (book, code), title in read_chart(FILE).items() if title.floor_fen == 0} == {"101", "102", "141"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: rows.pop(0), "must begin with the line book,code"),
        (lambda rows: rows.append(rows[1]), "names an account twice"),
        (lambda rows: rows.append(["statutory", "1", "x", "x", "0", ""]), "wrong in line"),
        (lambda rows: rows.append(["statutory", "1", "x", "x", "1", "-1"]), "wrong in line"),
        (lambda rows: rows.append(["statutory", "1", "x", "", "1", ""]), "wrong in line"),
        (lambda rows: rows.append(["statutory", "1", "x", "x", "1"]), "wrong in line"),
        (lambda rows: rows.append(["statutory", "1", "x", "x", "1", "", "more"]), "wrong in line"),
        (lambda rows: rows.pop(2), "lacks 102"),
    ],
)
def test_a_wrong_chart_says_what_is_wrong(tmp_path: Path, change: object, sentence: str) -> None:
    rows = lines()
    assert rows[0] == COLUMNS
    change(rows)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=sentence):
        read_chart(write(tmp_path, rows))


def test_a_chart_that_is_not_there_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        create_app(replace(settings, chart=tmp_path / "none.csv"), discover=False)


def test_another_chart_is_named_by_a_variable(tmp_path: Path) -> None:
    settings = load_settings({"ZHIJIA_INSTANCE": str(tmp_path), "ZHIJIA_CHART": str(tmp_path / "chart.csv")})
    assert settings.chart == tmp_path / "chart.csv"
    assert load_settings({"ZHIJIA_INSTANCE": str(tmp_path)}).chart is None
    file = write(tmp_path, [*lines(), ["statutory", "509", "其他", "Other", "1", ""]])
    assert (STATUTORY, "509") in read_chart(file)


def test_a_plugin_that_posts_to_an_unknown_account_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = EntryKind(code="aid.paid", title_zh="发放补助", debit="599", credit="102")
    monkeypatch.setattr(aid, "entry_kinds", aid.hookimpl(lambda: [wrong]))
    registry = Registry(accounts=frozenset({"102"}))
    load(registry, given({"aid": aid}), strict=False)
    assert "posts to '599', which the chart does not have" in str(registry.failed["aid"])
