"""All are covered and none is missed: the list is taken from the files, and whoever is not reached is named."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Select, literal, select

from core.api import SYSTEM, Offer, Org, Person, Program, ProgramYear, Refused, Scope, db, hookimpl
from core.disbursements.services import cancel
from core.disbursements.testing import PayOut
from core.programs.services import disable, enable
from core.users.testing import AsUser, MakeUser
from plugins.four_seasons import plugin as four_seasons
from plugins.four_seasons.tests.conftest import MakePeople, computed_run
from plugins.four_seasons.tests.test_campaign import fund
from plugins.four_seasons.winter.covering import coverage, take_from_files
from plugins.four_seasons.winter.models import Hardship

EVERYWHERE = Scope(("/",))
PAGE = "/2014/61/winter_warmth/coverage"


class Files:
    """A program that keeps files: everybody in hardship is on file, deep."""

    @hookimpl
    def programs(self) -> list[Program]:
        return [Program(code="files_of", title="Files", title_zh="档案", title_en="Files")]

    @hookimpl
    def offers(self) -> list[Offer]:
        return [Offer(code="files_of.all", program="files_of", kind="hardship", select=self.everybody)]

    @staticmethod
    def everybody(_program_year: ProgramYear) -> Select[*tuple[Any, ...]]:
        category, cause = literal("deep").label("category"), literal("重大疾病").label("cause")
        return select(Person.id.label("person_id"), Person.org_id, Person.org_path, category, cause)


@pytest.fixture
def plugins() -> dict[str, object]:
    """The campaigns, and a program that keeps files."""
    return {"four_seasons": four_seasons, "files_of": Files()}


@pytest.fixture
def files(program_year: ProgramYear, small_tree: dict[str, Org], make_people: MakePeople) -> ProgramYear:
    """The year of the program that keeps files: two workers in 西安, one in 铜川."""
    make_people(2)
    make_people(1, "610202", start=10)
    return enable(SYSTEM, "files_of", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})


def figures(program_year: ProgramYear, scope: Scope = EVERYWHERE) -> tuple[int | None, int, int, int]:
    found = coverage(program_year, scope)
    return found.on_file, found.not_listed, found.listed, found.not_reached


def test_without_files_the_list_is_all_there_is(
    program_year: ProgramYear, make_people: MakePeople, make_user: MakeUser
) -> None:
    make_people(2)
    assert figures(program_year) == (None, 0, 0, 0)
    with pytest.raises(Refused, match="No program of this year keeps files"):
        take_from_files(make_user("clerk"), program_year)


def test_everybody_on_file_is_put_on_the_list_once(
    files: ProgramYear, program_year: ProgramYear, make_user: MakeUser
) -> None:
    clerk = make_user("clerk")
    assert figures(program_year) == (3, 3, 0, 0)
    assert take_from_files(clerk, program_year) == 3
    assert figures(program_year) == (3, 0, 3, 3)
    rows = db.session.execute(select(Hardship.category, Hardship.cause).distinct()).all()
    assert rows == [("deep", "重大疾病")]
    with pytest.raises(Refused, match="on the list already"):
        take_from_files(clerk, program_year)


def test_who_is_on_the_list_stays_as_they_are_there(
    files: ProgramYear, program_year: ProgramYear, make_user: MakeUser
) -> None:
    person = db.session.scalars(select(Person).order_by(Person.id)).first()
    assert person is not None
    place = {"person_id": person.id, "org_id": person.org_id, "org_path": person.org_path}
    db.session.add(Hardship(program_year_id=program_year.id, category="accidental", cause="失火", **place))
    db.session.commit()
    assert take_from_files(make_user("clerk"), program_year) == 2
    categories = db.session.scalars(select(Hardship.category).order_by(Hardship.person_id)).all()
    assert categories == ["accidental", "deep", "deep"]


def test_a_city_takes_and_sees_its_own(files: ProgramYear, program_year: ProgramYear, make_user: MakeUser) -> None:
    assert take_from_files(make_user("clerk", "6102"), program_year) == 1
    assert figures(program_year, Scope(("/61/6102/",))) == (1, 0, 1, 1)
    assert figures(program_year, Scope(("/61/6101/",))) == (2, 2, 0, 0)


def test_files_of_a_program_that_is_off_are_not_read(
    files: ProgramYear, program_year: ProgramYear, make_user: MakeUser
) -> None:
    disable(SYSTEM, files)
    assert figures(program_year) == (None, 0, 0, 0)


def test_whoever_left_the_files_of_people_is_not_put_on_the_list(
    files: ProgramYear, program_year: ProgramYear, make_user: MakeUser
) -> None:
    person = db.session.scalars(select(Person).order_by(Person.id)).first()
    assert person is not None
    person.active = False
    db.session.commit()
    assert take_from_files(make_user("clerk"), program_year) == 2


def test_only_a_run_that_is_posted_reaches(
    files: ProgramYear,
    program_year: ProgramYear,
    make_user: MakeUser,
    run_jobs: Callable[[], int],
    pay_out: PayOut,
) -> None:
    clerk, finance = make_user("clerk"), make_user("finance")
    take_from_files(clerk, program_year)
    fund(finance, program_year)
    cancel(clerk, computed_run(clerk, program_year, run_jobs))
    assert figures(program_year)[3] == 3
    pay_out(program_year, "four_seasons.winter", "6102")
    assert figures(program_year) == (3, 0, 3, 2)
    pay_out(program_year, "four_seasons.winter")
    assert figures(program_year) == (3, 0, 3, 0)
    assert coverage(program_year, EVERYWHERE).missed == []


def test_the_page_names_who_is_not_reached_and_takes_from_the_files(
    files: ProgramYear, program_year: ProgramYear, as_user: AsUser
) -> None:
    clerk = as_user("clerk", "6102")
    assert "Take 1 workers from the files" in clerk.get(PAGE).text
    assert clerk.post(f"{PAGE}/take").headers["Location"] == PAGE
    page = clerk.get(PAGE).text
    person = db.session.scalars(select(Person).where(Person.org_path.startswith("/61/6102/"))).one()
    assert person.name in page
    assert "Take 1 workers" not in page
    again = clerk.post(f"{PAGE}/take")
    assert again.status_code == 409
    assert "on the list already" in again.text
    assert as_user("leader", "6102").post(f"{PAGE}/take").status_code == 403
