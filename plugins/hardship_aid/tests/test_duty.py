"""The yearly duty to visit: who is reminded from when on, what the year's pages and the report show of it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from core.api import SYSTEM, Org, Person, ProgramYear, Scope, db, enqueue
from core.reports.queries import Look, find_report, table_of
from core.tasks.models import Task
from core.users.testing import AsUser, MakeUser
from plugins.hardship_aid.pairing import queries
from plugins.hardship_aid.pairing.duty import remind
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.paired import open_file, pair, visit

EVERYWHERE = Scope(("/",))
OCTOBER = date(2014, 10, 1)
MakePerson = Callable[..., Person]


def waiting() -> list[str]:
    """The unions at which a task waits, by code."""
    query = select(Org.code).join(Task, Task.org_id == Org.id).where(Task.done_at.is_(None)).order_by(Org.code)
    return list(db.session.scalars(query))


def worker(year: ProgramYear, make_person: MakePerson, code: str = "610102", **changes: Any) -> Person:
    person = make_person(code)
    open_file(year, person, **changes)
    return person


def test_unions_are_reminded_from_the_first_day_of_the_last_quarter(
    program_year: ProgramYear, make_person: MakePerson
) -> None:
    for code in ("610102", "610102", "610202"):
        pair(program_year, worker(program_year, make_person, code))
    assert remind(program_year, date(2014, 9, 30)) == 0
    assert waiting() == []
    assert remind(program_year, OCTOBER) == 2
    assert remind(program_year, OCTOBER) == 0
    assert waiting() == ["610102", "610202"]
    task = db.session.scalars(select(Task).where(Task.done_at.is_(None))).first()
    assert task is not None
    assert (task.due_on, task.permission, task.program_year_id, task.data) == (
        date(2014, 12, 31), "hardship_aid.edit", program_year.id, {"year": 2014})  # fmt: skip


def test_the_month_and_the_number_of_visits_are_settings(program_year: ProgramYear, make_person: MakePerson) -> None:
    program_year.settings = {**program_year.settings, "remind_from_month": 6, "visits_a_year": 2}
    made = pair(program_year, worker(program_year, make_person))
    visit(program_year, made)
    assert remind(program_year, date(2014, 5, 31)) == 0
    assert remind(program_year, date(2014, 6, 1)) == 1
    visit(program_year, made, date(2014, 6, 2))
    remind(program_year, date(2014, 6, 3))
    assert waiting() == []
    program_year.settings = {**program_year.settings, "visits_a_year": 0}
    pair(program_year, worker(program_year, make_person))
    assert remind(program_year, OCTOBER) == 0


def test_a_task_is_finished_when_nobody_is_left(program_year: ProgramYear, make_person: MakePerson) -> None:
    first, second = (pair(program_year, worker(program_year, make_person)) for _time in range(2))
    other = pair(program_year, worker(program_year, make_person, "610202"))
    remind(program_year, OCTOBER)
    visit(program_year, first)
    remind(program_year, OCTOBER)
    assert waiting() == ["610102", "610202"]
    visit(program_year, second)
    remind(program_year, OCTOBER)
    assert waiting() == ["610202"]
    db.session.delete(other)
    remind(program_year, OCTOBER)
    assert waiting() == []
    visit(program_year, first, date(2014, 5, 1))
    assert remind(program_year, OCTOBER) == 0


def test_a_pair_that_ended_before_the_end_of_the_year_asks_for_no_visit(
    program_year: ProgramYear, make_person: MakePerson
) -> None:
    """The year is looked at on its last day, as it is over."""
    pair(program_year, worker(program_year, make_person), ended_on=date(2014, 12, 30))
    assert queries.count_lacking(program_year, EVERYWHERE) == 0
    pair(program_year, worker(program_year, make_person), ended_on=date(2014, 12, 31))
    pair(program_year, worker(program_year, make_person), paired_on=date(2014, 12, 31))
    pair(program_year, worker(program_year, make_person), paired_on=date(2015, 1, 1))
    assert queries.count_lacking(program_year, EVERYWHERE) == 2
    assert queries.count_standing(program_year, EVERYWHERE) == 2


def test_a_leader_with_a_new_post_has_visited_already(program_year: ProgramYear, make_person: MakePerson) -> None:
    person = worker(program_year, make_person)
    visit(program_year, pair(program_year, person, ended_on=date(2014, 6, 30)))
    pair(program_year, person, post="局长", paired_on=date(2014, 7, 1))
    assert queries.count_lacking(program_year, EVERYWHERE) == 0


def test_a_running_year_is_looked_at_today(
    program_year: ProgramYear, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.hardship_aid.pairing.queries.today", lambda: date(2014, 7, 1))
    pair(program_year, worker(program_year, make_person), ended_on=date(2014, 6, 30))
    pair(program_year, worker(program_year, make_person), ended_on=date(2014, 7, 1))
    assert queries.count_lacking(program_year, EVERYWHERE) == 1


def test_the_job_of_the_clock_reminds(
    program_year: ProgramYear, make_person: MakePerson, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from_clock = "plugins.hardship_aid.pairing.duty.today"
    pair(program_year, worker(program_year, make_person))
    for day, places in ((date(2014, 9, 30), []), (OCTOBER, ["610102"])):
        monkeypatch.setattr(from_clock, lambda day=day: day)
        enqueue("hardship_aid.unvisited", SYSTEM, program_year.org_path, program_year_id=program_year.id, key=str(day))
        assert run_jobs() == 1
        assert waiting() == places


def test_the_pages_name_who_is_left_out(
    program_year: ProgramYear, make_person: MakePerson, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [pair(program_year, worker(program_year, make_person), leader=f"领导{at}") for at in range(3)]
    visit(program_year, made[0])
    alone, draft = (open_file(program_year, make_person("610102"), state=state) for state in ("on_file", "draft"))
    clerk = as_user("clerk", "610102")
    page = clerk.get(f"{PAGES}/pairs/unvisited").text
    assert "领导0" not in page
    assert page.index("领导1") < page.index("领导2")
    assert f"registers/pairs/{made[1].id}" in page
    page = clerk.get(f"{PAGES}/pairs/unpaired").text
    assert f"registers/files/{alone.id}" in page
    assert f"registers/files/{draft.id}" not in page
    monkeypatch.setattr("plugins.hardship_aid.pairing.queries.PAGE", 1)
    first = clerk.get(f"{PAGES}/pairs/unvisited").text
    assert "领导1" in first
    assert "领导2" not in first
    second = clerk.get(f"{PAGES}/pairs/unvisited?after={made[1].id}").text
    assert "领导2" in second
    assert "领导1" not in second
    assert clerk.get(f"{PAGES}/pairs/unpaired?after={10**30}").status_code == 200
    stranger = as_user("clerk", "610202").get(f"{PAGES}/pairs/unvisited").text
    assert "领导1" not in stranger
    assert "Nobody is left out" in stranger


def test_the_cards_of_the_year_keep_to_the_reader(
    program_year: ProgramYear, make_person: MakePerson, as_user: AsUser
) -> None:
    made = pair(program_year, worker(program_year, make_person))
    visit(program_year, made)
    for _time in range(2):
        pair(program_year, worker(program_year, make_person, "610202"))
    figures = [as_user("leader", code).get(f"{PAGES}/").text for code in ("61", "610102", "610202")]
    for page, standing, lacking in zip(figures, (3, 1, 2), (2, 0, 2), strict=True):
        cards = " ".join(page.split())
        assert f'Pairs of leaders and workers</div> <div class="stat"><span class="stat-value">{standing}<' in cards
        assert f">{lacking}<" in cards.partition("Pairs without enough visits</")[2][:200]


def report(user: Any, year: ProgramYear, *by: str, top: Org | None = None) -> dict[tuple[str, ...], list[int]]:
    """Heads -> pairs, leaders, workers, visits, lacking, unpaired; the sums under ``()``."""
    coverage = find_report(year, "coverage")
    assert coverage is not None
    table = table_of(user, year, coverage, Look(by, top))
    lines = {tuple(line.heads): [int(value or 0) for value in line.values] for line in table.lines}
    return lines | {(): [int(value or 0) for value in table.totals or ()]}


def test_leaders_and_workers_are_counted_once_at_every_level(
    program_year: ProgramYear, make_person: MakePerson, make_user: MakeUser, small_tree: dict[str, Org]
) -> None:
    first, second, third = (worker(program_year, make_person) for _time in range(3))
    far = worker(program_year, make_person, "610202")
    worker(program_year, make_person)  # with nobody
    worker(program_year, make_person, state="draft")
    made = pair(program_year, first, rank="section", leader="甲")
    pair(program_year, first, rank="division", leader="乙")
    pair(program_year, second, rank="section", leader="甲")
    pair(program_year, third, rank="section", leader="甲", unit="另一单位")
    pair(program_year, far, rank="section", leader="甲")  # at another union another
    gone = pair(program_year, third, rank="enterprise", leader="丙", ended_on=date(2014, 5, 1))
    visit(program_year, made)
    visit(program_year, made, date(2014, 4, 1))
    visit(program_year, gone)
    user = make_user("leader", "61")
    whole = [5, 4, 4, 3, 4, 1]
    by_rank = report(user, program_year, "rank")
    assert by_rank == {
        ("Division level",): [1, 1, 1, 0, 1, 0],
        ("Section level and below",): [4, 3, 3, 2, 3, 0],
        ("Leader of an enterprise",): [0, 0, 0, 1, 0, 0],
        ("—",): [0, 0, 0, 0, 0, 1],
        (): whole,
    }
    assert report(user, program_year)[()] == whole
    here = [4, 3, 3, 3, 3, 1]
    by_union = report(user, program_year, "org_path")
    assert by_union[()] == whole
    assert sorted(values for heads, values in by_union.items() if heads) == sorted([here, [1, 1, 1, 0, 1, 0]])
    assert report(user, program_year, "org_path", top=small_tree["610102"])[()] == here
    assert report(make_user("leader", "610202"), program_year)[()] == [1, 1, 1, 0, 1, 0]
    both = report(user, program_year, "org_path", "rank")
    assert [sum(column) for column in zip(*(v for k, v in both.items() if k), strict=True)] == whole
