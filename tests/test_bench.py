"""The harness of ``make bench``: medians by turns, the table, and the file of figures."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.harness import Bench, Result, Work, measure, save, table

WITH_FLOOR = Result("disburse.compute", 136_000, 1.5, 1.0, 1.5, 1.5)
WITHOUT = Result("people.make", 136_000, 21.0, None, None, 20)


def clock(*seconds: float) -> Iterator[float]:
    """A clock that reads so many seconds for each step in turn."""
    for each in seconds:
        yield 0.0
        yield each


def test_value_and_floor_take_turns_and_the_median_counts() -> None:
    order: list[str] = []
    work = Work(lambda: order.append("run"), lambda: order.append("floor"), lambda: order.append("reset"))
    readings = clock(9, 1, 3, 100, 6, 2)
    result = measure("a", 10, work, 1.5, lambda: next(readings))
    assert order == ["reset", "run", "reset", "floor"] * 3
    assert result == Result("a", 10, 6, 2, 3, 1.5)
    assert not result.met


def test_without_a_floor_the_aim_is_in_seconds() -> None:
    readings = clock(2, 1, 3)
    result = measure("a", 10, Work(lambda: None), 2, lambda: next(readings))
    assert result == Result("a", 10, 2, None, None, 2)
    assert result.met


def test_the_table_names_what_missed_its_aim() -> None:
    assert table([WITH_FLOOR, WITHOUT]).splitlines() == [
        "name                    n  seconds  floor  ratio   aim",
        "disburse.compute  136,000    1.500  1.000   1.50   1.5",
        "people.make       136,000   21.000                20 s  missed",
    ]


def test_figures_of_benches_that_were_not_run_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "latest.json"
    save([WITH_FLOOR, WITHOUT], file)
    newer = Result("people.make", 136_000, 19.0, None, None, 20)
    assert save([newer], file) == [WITH_FLOOR, newer]
    rows = json.loads(file.read_text())
    assert [list(row) for row in rows] == [["name", "n", "seconds", "floor_seconds", "ratio", "aim"]] * 2
    assert rows[1]["ratio"] is None


def test_every_bench_has_a_name_by_area_and_none_twice() -> None:
    benches = command.found()
    assert all("." in bench.name and bench.n > 0 and bench.aim != 0 for bench in benches)
    assert len({(bench.name, bench.n) for bench in benches}) == len(benches) > 0


def test_a_prefix_that_fits_nothing_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "INSTANCE", tmp_path)
    monkeypatch.setattr(command, "found", lambda: [Bench("a.b", 1, 1, lambda _app: Work(lambda: None))])
    assert command.main(["c."]) == 2
    assert capsys.readouterr().err == "No bench begins with 'c.'.\n"
