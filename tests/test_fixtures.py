"""The fixtures that plugin authors get, tried with the plugins that this repository has."""

from datetime import date

import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import inspect, select

from core.api import (
    Org,
    Payment,
    Refused,
    budgets_of,
    decrypt,
    parse_bank_account,
    parse_id_number,
    scope_of,
    state_of,
    today,
)
from core.disbursements.testing import MakePerson, PayOut, SwitchOn
from core.users.testing import MakeUser
from tests.plugins_for_tests.reading_club import plugin as reading_club

pytestmark = pytest.mark.services
GRANT = 120_50


@pytest.fixture
def plugins() -> dict[str, object]:
    return {"reading_club": reading_club}


def test_db_has_the_tables_of_the_plugins_under_test(db: SQLAlchemy) -> None:
    assert "reading_club_book" in inspect(db.engine).get_table_names()


def test_a_year_is_open_whenever_it_is(program_year: SwitchOn) -> None:
    past, future = program_year("reading_club", grant=1), program_year("reading_club", today().year + 1, grant=1)
    assert (past.opens_on, future.opens_on) == (date(2014, 1, 1), today())
    assert state_of(past) == state_of(future) == "open"
    assert past.closes_on is None
    assert past.settings["notice_working_days"] == 0


def test_a_year_has_the_settings_and_the_sponsor_it_is_given(program_year: SwitchOn) -> None:
    year = program_year("reading_club", sponsor="61-transport", grant=GRANT, notice_working_days=3)
    assert (year.settings["grant"], year.settings["notice_working_days"]) == (GRANT, 3)
    assert year.org_path == "/61/61-transport/"


def test_people_are_different_and_their_numbers_are_valid(make_person: MakePerson) -> None:
    first, second = make_person(), make_person("610202", with_account=False, name="王芳")
    assert first.org_path == "/61/6101/610102/"
    assert (second.org_path, second.name, second.bank_account) == ("/61/6102/610202/", "王芳", None)
    numbers = {parse_id_number(decrypt("id_number", person.id_number)).number for person in (first, second)}
    assert len(numbers) == 2
    assert first.bank_account is not None
    assert parse_bank_account(decrypt("bank_account", first.bank_account))


@pytest.mark.parametrize("level", ["province", "city", "county"])
def test_pay_out_posts_a_run_whatever_level_pays(
    level: str, db: SQLAlchemy, program_year: SwitchOn, make_person: MakePerson, pay_out: PayOut
) -> None:
    people = [make_person("610102"), make_person("6102")]
    year = program_year("reading_club", grant=GRANT, paying_level=level, approvals_needed=2)
    run = pay_out(year, "reading_club.books")
    assert (run.state, run.paid, run.total_fen) == ("posted", 2, 2 * GRANT)
    paid = db.session.scalars(select(Payment.payee_id).where(Payment.run_id == run.id))
    assert sorted(paid) == sorted(person.id for person in people)


def test_pay_out_for_a_part_of_the_tree(
    small_tree: dict[str, Org],
    program_year: SwitchOn,
    make_person: MakePerson,
    make_user: MakeUser,
    pay_out: PayOut,
) -> None:
    for org_code in ("610102001", "610202"):
        make_person(org_code)
    year = program_year("reading_club", grant=GRANT)
    run = pay_out(year, "reading_club.books", "610102")
    assert run.total_fen == GRANT
    lines = budgets_of(year, scope_of(make_user("finance"), "ledger.view"))
    assert {line.org.code: line.used_fen for line in lines if line.used_fen} == {"6101": GRANT}


def test_pay_out_says_why_nothing_could_be_computed(
    small_tree: dict[str, Org], program_year: SwitchOn, pay_out: PayOut
) -> None:
    year = program_year("reading_club", grant=GRANT)
    with pytest.raises(AssertionError, match="names nobody"):
        pay_out(year, "reading_club.books")


def test_pay_out_does_not_pass_a_notice_over(program_year: SwitchOn, make_person: MakePerson, pay_out: PayOut) -> None:
    make_person()
    year = program_year("reading_club", grant=GRANT, notice_working_days=5)
    with pytest.raises(Refused, match="notice of 5 working days"):
        pay_out(year, "reading_club.books")
