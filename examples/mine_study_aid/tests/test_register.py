"""The register and its pages, what happens at night, and what is kept about a student."""

from collections.abc import Callable

import pytest
from click.testing import Result
from core.api import SYSTEM, Org, Person, ProgramYear, Run, decrypt, enqueue
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from mine_study_aid import plugin, services
from mine_study_aid.forms import SettingsForm
from mine_study_aid.models import Student

AsUser = Callable[..., FlaskClient]
Enrol = Callable[..., Student]
NAME = "mine_study_aid"
PAGES = f"/2014/61-transport/{NAME}"
REGISTER = f"{PAGES}/registers/students"
VALUES = {"level": "bachelor", "school": "西安矿业学院", "enrolled_on": "2014-09-01", "graduates_on": "2018-07-01"}


def add(browser: FlaskClient, person: Person, **changes: str) -> int:
    """Fill the form of the register in; the status of the answer."""
    number = decrypt("id_number", person.id_number)
    return browser.post(f"{REGISTER}/add", data={"id_number": number, **VALUES, **changes}).status_code


def test_a_clerk_of_the_industry_union_keeps_the_register(
    year: ProgramYear, make_person: Callable[..., Person], as_user: AsUser
) -> None:
    clerk, person = as_user("clerk", "61-transport"), make_person("610102-bus")
    assert add(clerk, person) == 302
    assert person.name in clerk.get(f"{REGISTER}/").text
    assert add(clerk, person) == 400  # nobody is on it twice
    assert person.name in as_user("clerk", "610102-bus").get(f"{REGISTER}/").text


@pytest.mark.parametrize(
    ("role", "org_code", "of", "status"),
    [
        ("clerk", "61-transport", "610102", 400),  # of the region, not of the industry
        ("clerk", "610102", "610102-bus", 404),  # the county does not see what an industry union runs
        ("auditor", "61-transport", "610102-bus", 403),
    ],
)
def test_nobody_else_does(
    year: ProgramYear,
    make_person: Callable[..., Person],
    as_user: AsUser,
    role: str,
    org_code: str,
    of: str,
    status: int,
) -> None:
    assert add(as_user(role, org_code), make_person(of)) == status


def test_nobody_beside_sees_or_changes_anything(
    year: ProgramYear, db: SQLAlchemy, enrol: Enrol, assert_walls: Callable[..., int]
) -> None:
    student = enrol()
    person = db.session.get_one(Person, student.person_id)
    assert assert_walls(year, hidden=[person.name, student.school], rows={"students": student.id}) > 10


@pytest.mark.parametrize(("graduates_on", "status"), [("2014-09-02", 302), ("2014-09-01", 400), ("", 400)])
def test_graduation_comes_after_enrolment(
    year: ProgramYear, make_person: Callable[..., Person], as_user: AsUser, graduates_on: str, status: int
) -> None:
    assert add(as_user("clerk", "61-transport"), make_person("610102-bus"), graduates_on=graduates_on) == status


@pytest.mark.parametrize(("amount", "is_right"), [("0.01", True), ("0", False), ("", False)])
def test_each_level_needs_an_amount(db: SQLAlchemy, amount: str, is_right: bool) -> None:
    form = SettingsForm(data={"senior_school": 1, "junior_college": 1, "bachelor": 1})
    form.bachelor.process_formdata([amount])
    form.bachelor.raw_data = [amount]
    assert form.bachelor.validate(form) == is_right


def test_the_report_counts_and_adds_up(
    year: ProgramYear, enrol: Enrol, pay_out: Callable[..., Run], as_user: AsUser
) -> None:
    for level, account in (("senior_school", True), ("senior_school", False), ("bachelor", True)):
        enrol(level, with_account=account)
    pay_out(year, f"{NAME}.by_level")
    page = as_user("leader", "61-transport").get(f"{PAGES}/reports/by_level").text
    assert all(figure in page for figure in ("2,000.00", "5,000.00", "7,000.00"))


def test_a_line_follows_its_person_to_another_union(
    year: ProgramYear, db: SQLAlchemy, enrol: Enrol, run_jobs: Callable[[], int], small_tree: dict[str, Org]
) -> None:
    student = enrol()
    person = db.session.get_one(Person, student.person_id)
    there = small_tree["61-transport"]
    person.org_id, person.org_path = there.id, there.path
    enqueue(f"{NAME}.follow_people", SYSTEM, year.org_path, program_year_id=year.id)
    assert run_jobs() == 1
    assert db.session.scalars(select(Student.org_path)).all() == [there.path]
    assert services.follow_people(SYSTEM, year) == 0  # a second time there is nothing to do


def test_two_files_of_one_person_become_one_line(db: SQLAlchemy, enrol: Enrol) -> None:
    kept, dropped, third = (
        db.session.get_one(Person, enrol(level).person_id) for level in ("bachelor", "senior_school", "senior_school")
    )
    plugin.person_merged(kept, dropped)
    lines = db.session.execute(select(Student.person_id, Student.level).order_by(Student.id)).all()
    assert lines == [(kept.id, "bachelor"), (third.id, "senior_school")]


def test_what_is_kept_about_a_student_is_shown_and_erased(db: SQLAlchemy, enrol: Enrol) -> None:
    student = enrol()
    person = db.session.get_one(Person, student.person_id)
    (shown,) = plugin.personal_data(person, "show")
    assert "安康中学" in shown.values.values()
    plugin.personal_data(person, "erase")
    assert student.school == ""


@pytest.mark.parametrize("command", ["db check --plugin", "plugin check"])
def test_nothing_is_wrong_with_the_tables_the_pages_and_the_texts(
    db: SQLAlchemy, run_command: Callable[..., Result], command: str
) -> None:
    done = run_command(*command.split(), NAME)
    assert (done.exit_code, done.output) == (0, f"{NAME} ok\n")


def test_the_tables_can_be_taken_back(db: SQLAlchemy, run_command: Callable[..., Result]) -> None:
    assert run_command("db", "downgrade", "--plugin", NAME, "--to", "base", "--yes").exit_code == 0
    assert run_command("db", "upgrade").exit_code == 0
