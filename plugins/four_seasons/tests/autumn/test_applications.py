"""Applications for study aid: what the form, an import and the database take, and what each of them refuses."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.api import Org, Person, ProgramYear, db, today
from core.imports import services as imports
from core.imports.models import ImportRow
from core.registers.models import RecordChange
from core.users.testing import AsUser, Browser, MakeUser
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.registers import AUTUMN_APPLICATIONS
from plugins.four_seasons.tests.autumn.students import (
    AMOUNTS,
    PAGES,
    SENT,
    SETTINGS,
    Files,
    number_of,
    switch_on,
    whose,
)
from plugins.four_seasons.tests.conftest import id_number, sheet

pytestmark = pytest.mark.services
MakePerson = Callable[..., Person]
DAY = timedelta(days=1)
MINE_PAGES = "/2014/61/mine_family_aid"
ADD = f"{PAGES}/registers/applications/add"
NOBODY = "Nobody with this identity number is on file; take the parent on file first."
THE_STUDENT = "The parent is the student."
NO_FILE = "The parent is not on the hardship file of this year"
TOO_LATE = "This day lies after the closing date for applications of the year."
ELSEWHERE = "The student applies in another program of study aid of this year; one is possible."
FUTURE = "This day lies in the future."
BEFORE = "The student graduates before being admitted."


@pytest.fixture
def student(year: ProgramYear, make_person: MakePerson) -> Person:
    return make_person("610102001")


@pytest.fixture
def parent(year: ProgramYear, make_person: MakePerson) -> Person:
    """A worker of another city."""
    return make_person("610202")


@pytest.fixture
def clerk(year: ProgramYear, as_user: AsUser) -> Browser:
    """A clerk of the county, who does not see the other city."""
    return as_user("clerk", "610102")


def send(clerk: Browser, person: Person, **values: str) -> Any:
    return clerk.post(ADD, data=whose(person) | SENT | values)


def told(make_user: MakeUser, year: ProgramYear, *rows: dict[str, str]) -> list[str]:
    """What an import says of each row."""
    headings = list(rows[0])
    content = sheet([list(row.values()) for row in rows], headings)
    one = imports.upload(make_user("clerk"), AUTUMN_APPLICATIONS, year, content, "list.xlsx")
    found = select(ImportRow.errors).where(ImportRow.import_id == one.id).order_by(ImportRow.line)
    return [" ".join(errors) for errors in db.session.scalars(found)]


def in_database(**values: Any) -> None:
    """Change the one application by raw SQL."""
    changes = ", ".join(f"{name} = :{name}" for name in values)
    try:
        db.session.execute(text(f"UPDATE four_seasons_application SET {changes}"), values)  # noqa: S608  # our names
    finally:
        db.session.rollback()


def test_an_application_names_the_parent_by_number_and_keeps_none(
    year: ProgramYear, clerk: Browser, student: Person, parent: Person
) -> None:
    assert send(clerk, student, parent=number_of(parent)).status_code == 302
    row = db.session.scalars(select(Application)).one()
    assert (row.person_id, row.parent_id, row.state, row.org_path) == (student.id, parent.id, "draft", student.org_path)
    history = db.session.scalars(select(RecordChange)).one()
    for kept in (row.parent, str(history.values)):
        assert number_of(parent)[6:14] not in kept  # nor the day of birth
    page = clerk.get(f"{PAGES}/registers/applications/{row.id}").text
    assert row.parent.partition(" ")[0] in page
    assert row.parent.partition(" ")[2] not in page
    assert parent.name not in page  # of another city
    lists = clerk.get(f"{PAGES}/registers/applications/").text
    assert student.name in lists
    assert parent.name not in lists


def test_an_empty_field_leaves_who_is_named(
    year: ProgramYear, clerk: Browser, student: Person, parent: Person, make_person: MakePerson
) -> None:
    send(clerk, student, parent=number_of(parent))
    row = db.session.scalars(select(Application)).one()
    address = f"{PAGES}/registers/applications/{row.id}/change"

    def change(**values: str) -> int:
        page = clerk.get(address).text
        seen = page.partition('name="seen" value="')[2].partition('"')[0].replace("&#34;", '"')
        return clerk.post(address, data=SENT | {"seen": seen} | values).status_code

    assert change(school="渭河大学") == 302
    db.session.refresh(row)
    assert (row.school, row.parent_id) == ("渭河大学", parent.id)
    other = make_person("610103")
    assert change(parent=number_of(other)) == 302
    db.session.refresh(row)
    assert row.parent_id == other.id
    assert change(parent=number_of(student)) == 400
    db.session.refresh(row)
    assert row.parent_id == other.id


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"school": " "}, "This field is required."),
        ({"level": "doctor"}, "Not a valid choice."),
        ({"basis": "rich"}, "Not a valid choice."),
        ({"other_aid": "lottery"}, "Not a valid choice."),
        ({"admitted_on": ""}, "This field is required."),
        ({"graduates_on": "2014-08-10"}, BEFORE),
        ({"applied_on": "2014-08-28"}, TOO_LATE),
        ({"parent": "61010219800101"}, "number"),
        ({"parent": id_number(77)}, NOBODY),
        ({"basis": "on_file"}, NO_FILE),
    ],
)
def test_what_no_application_can_say_is_told_at_its_field(
    clerk: Browser, student: Person, values: dict[str, str], sentence: str
) -> None:
    page = send(clerk, student, **values)
    assert page.status_code == 400
    assert sentence in page.text
    assert db.session.scalars(select(Application)).all() == []


def test_what_was_typed_stands_in_the_page_that_refuses_it(clerk: Browser, student: Person, parent: Person) -> None:
    """Else the entry would be saved without the parent at the next try."""
    page = send(clerk, student, parent=number_of(parent), school="")
    assert page.status_code == 400
    assert f'value="{number_of(parent)}"' in page.text


@pytest.mark.parametrize(
    "values", [{"graduates_on": "2014-08-11"}, {"applied_on": "2014-08-27"}, {"admitted_on": "2014-08-20"}]
)
def test_what_lies_at_the_boundary_is_taken(clerk: Browser, student: Person, values: dict[str, str]) -> None:
    assert send(clerk, student, **values).status_code == 302


@pytest.mark.parametrize("name", ["admitted_on", "applied_on"])
def test_today_is_taken_and_tomorrow_is_not(
    year: ProgramYear, clerk: Browser, student: Person, make_user: MakeUser, name: str
) -> None:
    year.settings = year.settings | {"applications_until": None}
    db.session.commit()
    now = today()
    days = {"graduates_on": (now + 900 * DAY).isoformat(), name: (now + DAY).isoformat()}
    assert FUTURE in send(clerk, student, **days).text
    assert told(make_user, year, whose(student) | SENT | days)[0].endswith(FUTURE)
    assert send(clerk, student, **(days | {name: now.isoformat()})).status_code == 302
    with pytest.raises(IntegrityError, match=f"ck_four_seasons_application_{name}"):
        in_database(**{name: now + DAY})


def test_an_import_is_told_the_same_sentences(
    year: ProgramYear, student: Person, parent: Person, make_user: MakeUser, make_person: MakePerson
) -> None:
    others = [make_person("610102001") for _time in range(6)]
    wrong: list[dict[str, str]] = [
        {"parent": id_number(77)},
        {"parent": number_of(others[1])},
        {"basis": "on_file", "parent": number_of(parent)},
        {"applied_on": "2014-08-28"},
        {"graduates_on": "2014-08-10"},
        {"parent": number_of(parent)},
    ]
    rows = [whose(person) | SENT | values for person, values in zip(others, wrong, strict=True)]
    said = told(make_user, year, *rows)
    for sentence, found in zip((NOBODY, THE_STUDENT, NO_FILE, TOO_LATE, BEFORE), said, strict=False):
        assert sentence in found
    assert said[5] == ""


def test_an_import_finds_the_parent_too(
    year: ProgramYear, student: Person, parent: Person, make_user: MakeUser, run_jobs: Callable[[], int]
) -> None:
    row = whose(student) | SENT | {"parent": number_of(parent)}
    user = make_user("clerk")
    one = imports.upload(user, AUTUMN_APPLICATIONS, year, sheet([list(row.values())], list(row)), "list.xlsx")
    staged = db.session.scalars(select(ImportRow)).one()
    assert (staged.errors, number_of(parent)[6:14] in str(staged.values)) == ([], False)
    imports.start_merge(user, one, AUTUMN_APPLICATIONS, year, only_good=False)
    run_jobs()
    made = db.session.scalars(select(Application)).one()
    assert (made.person_id, made.parent_id, made.state) == (student.id, parent.id, "draft")


def test_the_parent_is_not_the_student(clerk: Browser, student: Person, year: ProgramYear) -> None:
    page = send(clerk, student, parent=number_of(student))
    assert page.status_code == 400
    assert THE_STUDENT in page.text
    assert send(clerk, student).status_code == 302
    with pytest.raises(IntegrityError, match="ck_four_seasons_application_parent_id"):
        in_database(parent_id=student.id)


def test_the_database_refuses_by_itself(clerk: Browser, student: Person, year: ProgramYear) -> None:
    assert send(clerk, student).status_code == 302
    in_database(applied_on=date(2014, 8, 27))
    with pytest.raises(IntegrityError, match="after the closing date"):
        in_database(applied_on=date(2014, 8, 28))
    with pytest.raises(IntegrityError, match="ck_four_seasons_application_graduates_on"):
        in_database(graduates_on=date(2014, 8, 10))
    with pytest.raises(IntegrityError, match="the parent is not on file"):
        in_database(parent=f"x {'00' * 32}")
    for name in ("basis", "level", "other_aid"):
        with pytest.raises(IntegrityError, match=f"ck_four_seasons_application_{name}"):
            in_database(**{name: "x"})


def test_a_student_applies_once_a_year(year: ProgramYear, clerk: Browser, student: Person, make_user: MakeUser) -> None:
    assert send(clerk, student).status_code == 302
    again = send(clerk, student)
    assert again.status_code == 400
    assert "This person is in the register already." in again.text
    rows = [whose(student) | SENT, whose(student) | SENT]
    assert "stands in line 2 already" in told(make_user, year, *rows)[1]
    columns = "program_year_id, person_id, org_id, org_path, level, school, admitted_on, graduates_on, applied_on"
    with pytest.raises(IntegrityError, match="uq_four_seasons_application_program_year_id_person_id"):
        db.session.execute(
            text(f"INSERT INTO four_seasons_application ({columns}) SELECT {columns} FROM four_seasons_application")  # noqa: S608  # the names above, nothing from outside
        )


def test_a_student_applies_in_one_program_of_the_year(
    year: ProgramYear, as_user: AsUser, student: Person, make_user: MakeUser
) -> None:
    switch_on("mine_family_aid")
    clerk = as_user("clerk")
    values = whose(student) | {name: value for name, value in SENT.items() if name != "basis"}
    assert clerk.post(f"{MINE_PAGES}/registers/mine_applications/add", data=values).status_code == 302
    page = send(clerk, student)
    assert page.status_code == 400
    assert ELSEWHERE in page.text
    assert ELSEWHERE in told(make_user, year, whose(student) | SENT)[0]
    db.session.execute(text("UPDATE four_seasons_application SET state = 'refused'"))
    db.session.commit()
    assert send(clerk, student).status_code == 302


def test_only_the_child_of_a_worker_on_file_applies_as_such(
    year: ProgramYear, clerk: Browser, student: Person, parent: Person, make_user: MakeUser
) -> None:
    claim = {"basis": "on_file", "parent": number_of(parent)}
    assert NO_FILE in send(clerk, student, **claim).text
    Files.on_file = {parent.id}
    assert told(make_user, year, whose(student) | SENT | claim) == [""]
    assert send(clerk, student, **claim).status_code == 302
    assert db.session.scalars(select(Application.basis)).one() == "on_file"


def test_without_a_program_of_files_every_parent_counts_as_not_on_file(
    app: Flask, small_tree: dict[str, Org], as_user: AsUser, make_person: MakePerson
) -> None:
    switch_on("autumn_study_aid", **SETTINGS)
    clerk, student, parent = as_user("clerk"), make_person("610102001"), make_person("610102001")
    Files.on_file = {parent.id}
    said = "No program of workers in hardship is on: every parent counts as not on file."
    assert said in clerk.get(f"{PAGES}/").text
    assert NO_FILE in send(clerk, student, basis="on_file", parent=number_of(parent)).text
    switch_on("dossiers")
    assert said not in clerk.get(f"{PAGES}/").text
    assert send(clerk, student, basis="on_file", parent=number_of(parent)).status_code == 302


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"senior_on_file": 0}, "The amount must be more than 0 yuan."),
        ({"bachelor_difficult": 0}, "The amount must be more than 0 yuan."),
        ({"rule": "pool"}, "To share a pool, the pool must be more than 0 yuan."),
        ({"ends_on": "2014-07-31"}, "The last day of the campaign lies before the first."),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    app: Flask, small_tree: dict[str, Org], wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Exception, match=sentence):
        switch_on("autumn_study_aid", **(SETTINGS | wrong))
    assert len(AMOUNTS) == 6


def test_the_pages_are_for_those_in_reach(
    year: ProgramYear, as_user: AsUser, make_person: MakePerson, assert_walls: Callable[..., None]
) -> None:
    student, parent = make_person("610202"), make_person("610202", name="虚构家长")
    assert send(as_user("clerk"), student, parent=number_of(parent)).status_code == 302
    row = db.session.scalars(select(Application.id)).one()
    assert_walls(year, hidden=[student.name, parent.name], rows={"applications": row})
