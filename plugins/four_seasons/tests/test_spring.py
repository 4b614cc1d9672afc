"""Spring: employers and workers placed are counted once, beside the targets, with what job fairs bring."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, literal, select, text, true
from sqlalchemy.exc import IntegrityError

from core.api import (
    SYSTEM,
    NotFound,
    Offer,
    Org,
    Person,
    Program,
    ProgramYear,
    ReportContext,
    Scope,
    db,
    decrypt,
    hookimpl,
    today,
)
from core.people.merging import merge
from core.people.personal import show_data
from core.programs.copying import copy_year
from core.programs.queries import find
from core.programs.services import disable, enable
from core.users.testing import AsUser, Browser, MakeUser
from plugins.four_seasons import plugin as four_seasons
from plugins.four_seasons.spring import fictional
from plugins.four_seasons.spring.models import Employer, Placement, SpringTarget
from plugins.four_seasons.spring.reports import reached
from plugins.four_seasons.tests.conftest import MakePeople

pytestmark = pytest.mark.services
PAGES = "/2014/61/spring_jobs"
EMPLOYER = {"org_code": "6101", "name": "秦岭机械厂", "posts": "20", "form": "fair", "offered_on": "2014-02-10"}


class Fairs:
    """A program of job fairs: it placed everybody on file, and brought one employer of its own and one of ours."""

    @hookimpl
    def programs(self) -> list[Program]:
        return [Program(code="fairs", title="Fairs", title_zh="招聘会", title_en="Fairs")]

    @hookimpl
    def offers(self) -> list[Offer]:
        return [
            Offer(code="fairs.placed", program="fairs", kind="placement", select=self.placed),
            Offer(code="fairs.employers", program="fairs", kind="employer", select=self.employers),
        ]

    @staticmethod
    def placed(_program_year: ProgramYear) -> Select[*tuple[Any, ...]]:
        return select(Person.id.label("person_id"), Person.org_id, Person.org_path)

    @staticmethod
    def employers(_program_year: ProgramYear) -> Select[*tuple[Any, ...]]:
        names = select(literal("秦岭机械厂").label("name")).union_all(select(literal("渭河纺织厂"))).subquery()
        city = select(Org.id.label("org_id"), Org.path.label("org_path"), names.c.name)
        return city.join(names, true()).where(Org.code == "6101")


@pytest.fixture
def plugins() -> dict[str, object]:
    """The campaigns, and job fairs."""
    return {"four_seasons": four_seasons, "fairs": Fairs()}


@pytest.fixture
def spring(app: Flask, small_tree: dict[str, Org]) -> ProgramYear:
    """Spring of 2014, run by the province."""
    settings = {"employers": 2, "placed": 3}
    return enable(SYSTEM, "spring_jobs", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings=settings)


def place(clerk: Browser, person: Person, **values: str) -> Any:
    known = {"id_number": decrypt("id_number", person.id_number), "name": person.name, "org_code": "610102001"}
    given = {"employer": "秦岭机械厂", "way": "introduced", "placed_on": "2014-02-20"}
    return clerk.post(f"{PAGES}/registers/placements/add", data=known | given | values)


def figures(year: ProgramYear, *paths: str) -> list[int]:
    """Employers wanted and brought, workers wanted and placed."""
    rows = reached(ReportContext(program_year=year, scope=Scope(paths or ("/61/",)))).subquery().c
    names = ("employers_wanted", "employers", "placed_wanted", "placed")
    found = db.session.execute(select(*(rows[name] for name in names))).all()
    return [sum(int(row[place]) for row in found) for place in range(len(names))]


def test_each_city_has_its_line_which_is_copied_when_it_was_set(
    spring: ProgramYear, small_tree: dict[str, Org]
) -> None:
    lines = db.session.scalars(select(SpringTarget)).all()
    assert {line.org_path for line in lines} == {"/61/6101/", "/61/6102/", "/61/6111/", "/61/61-transport/"}
    first = next(line for line in lines if line.org_path == "/61/6101/")
    first.employers, first.placed = 5, 0
    db.session.commit()
    assert figures(spring) == [5, 0, 0, 0]
    copy_year(SYSTEM, 2014, 2015, [spring.id])
    copied = find(2015, "61", "spring_jobs")
    assert copied is not None
    assert figures(copied) == [5, 0, 0, 0]


def test_an_employer_counts_once_at_a_union(spring: ProgramYear, as_user: AsUser) -> None:
    clerk = as_user("clerk")
    address = f"{PAGES}/registers/employers/add"
    assert clerk.post(address, data=EMPLOYER).status_code == 302
    again = clerk.post(address, data=EMPLOYER)
    assert again.status_code == 400
    assert "The register has an entry with this value already." in again.text
    assert clerk.post(address, data=EMPLOYER | {"name": "无岗厂", "posts": "0"}).status_code == 400
    assert db.session.scalars(select(Employer.name)).all() == ["秦岭机械厂"]
    assert figures(spring) == [0, 1, 0, 0]
    assert figures(spring, "/61/6102/") == [0, 0, 0, 0]


def test_a_worker_is_placed_once_a_year(spring: ProgramYear, as_user: AsUser, make_people: MakePeople) -> None:
    clerk, (person,) = as_user("clerk"), make_people(1)
    assert place(clerk, person).status_code == 302
    again = place(clerk, person, employer="渭河纺织厂")
    assert again.status_code == 400
    assert "This person is in the register already." in again.text
    assert figures(spring) == [0, 0, 0, 1]


def test_nobody_is_placed_on_a_day_to_come(spring: ProgramYear, as_user: AsUser, make_people: MakePeople) -> None:
    clerk, (person,) = as_user("clerk"), make_people(1)
    tomorrow = (today() + timedelta(days=1)).isoformat()
    page = place(clerk, person, placed_on=tomorrow)
    assert page.status_code == 400
    assert "This day lies in the future." in page.text
    assert place(clerk, person, placed_on=today().isoformat()).status_code == 302
    with pytest.raises(IntegrityError, match="ck_four_seasons_placement_placed_on"):
        db.session.execute(text("UPDATE four_seasons_placement SET placed_on = placed_on + 1"))


def test_what_job_fairs_brought_is_counted_once_with_ours(
    spring: ProgramYear, as_user: AsUser, make_people: MakePeople, small_tree: dict[str, Org]
) -> None:
    clerk, people = as_user("clerk"), make_people(3)
    place(clerk, people[0])
    clerk.post(f"{PAGES}/registers/employers/add", data=EMPLOYER)
    fairs = enable(SYSTEM, "fairs", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})
    assert figures(spring) == [0, 2, 0, 3]
    assert "3 / 3" in clerk.get(f"{PAGES}/").text
    disable(SYSTEM, fairs)
    assert figures(spring) == [0, 1, 0, 1]


def test_two_files_become_one_placement(spring: ProgramYear, as_user: AsUser, make_people: MakePeople) -> None:
    clerk, (kept, dropped, other) = as_user("clerk"), make_people(3)
    for person in (kept, dropped):
        place(clerk, person)
    merge(SYSTEM, Scope(("/",)), kept.id, dropped.id)
    assert db.session.scalars(select(Placement.person_id)).all() == [kept.id]
    place(clerk, other)
    merge(SYSTEM, Scope(("/",)), kept.id, other.id)
    assert db.session.scalars(select(Placement.person_id)).all() == [kept.id]
    (shown,) = [one for one in show_data(SYSTEM, Scope(("/",)), kept.id) if one.title == "Placement"]
    assert shown.values["Name of the employer"] == "秦岭机械厂"


def test_the_pages_are_for_those_in_reach(
    spring: ProgramYear, as_user: AsUser, make_people: MakePeople, assert_walls: Callable[..., None]
) -> None:
    (person,) = make_people(1, "610202", start=10)
    clerk = as_user("clerk")
    assert place(clerk, person, org_code="610202").status_code == 302
    clerk.post(f"{PAGES}/registers/employers/add", data=EMPLOYER | {"org_code": "6102"})
    target = db.session.scalars(select(SpringTarget.id).where(SpringTarget.org_path == "/61/6102/")).one()
    rows = {
        "placements": db.session.scalars(select(Placement.id)).one(),
        "employers": db.session.scalars(select(Employer.id)).one(),
        "spring_targets": target,
    }
    assert_walls(spring, hidden=[person.name, "秦岭机械厂"], rows=rows)


def test_a_fictional_spring_is_made_once(
    app: Flask, spring: ProgramYear, make_people: MakePeople, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_people(3)
    monkeypatch.setattr(fictional, "EMPLOYERS", 5)
    monkeypatch.setattr(fictional, "PLACED", 2)
    command = ["four-seasons", "make-season", "spring_jobs", "--year", "2014", "--sponsor", "61", "--user", "finance"]
    assert isinstance(app.test_cli_runner().invoke(args=command).exception, NotFound)
    make_user("finance", username="finance")
    assert app.test_cli_runner().invoke(args=command).output.split("\n")[:2] == ["employers 5", "placed 2"]
    assert app.test_cli_runner().invoke(args=command).output.split("\n")[:2] == ["employers 0", "placed 0"]
    names = list(db.session.scalars(select(Employer.name)))
    assert len(set(names)) == 5 and all("虚构" in name for name in names)
