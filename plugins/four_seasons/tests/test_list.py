"""The hardship list: one by one, its pages, and who sees what."""

from collections.abc import Callable
from datetime import date

import pytest

from core.api import Forbidden, NotFound, Person, ProgramYear, Refused, Scope, User, ZhijiaError, db
from core.disbursements import services as runs
from core.registers import services as registers
from core.registers.listing import listing_of
from core.users.testing import AsUser, MakeUser
from plugins.four_seasons.tests.conftest import MakePeople, computed_run, id_number
from plugins.four_seasons.winter import allotting, queries, services
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.winter.registers import HARDSHIP
from tests.lists.reading import lines

pytestmark = pytest.mark.services
LIST = "/2014/61/winter_warmth/registers/hardship/"
WORKER = {
    "name": "王芳",
    "org_code": "610102001",
    "category": "deep",
    "cause": "重病",
    "bank_account": "6222020000000001",
}
PROVINCE, XIAN, TONGCHUAN = Scope(("/61/",)), Scope(("/61/6101/",)), Scope(("/61/6102/",))


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


def add(actor: User, program_year: ProgramYear, **changes: str) -> Hardship:
    values = WORKER | {"id_number": id_number(1)} | changes
    row: Hardship = registers.add(actor, HARDSHIP, program_year, values)
    return row


@pytest.mark.parametrize(
    ("field", "value"),
    [("id_number", "61010219800101002"), ("id_number", "610102198001010020"), ("phone", "12"), ("bank_account", "1")],
)
def test_a_wrong_number_is_refused_at_its_field(clerk: User, program_year: ProgramYear, field: str, value: str) -> None:
    with pytest.raises(ZhijiaError) as refusal:
        add(clerk, program_year, **{field: value})
    assert refusal.value.field == field


@pytest.mark.parametrize("code", ["999999", "610202"])
def test_an_unknown_union_and_one_of_others_are_refused_alike(
    make_user: MakeUser, program_year: ProgramYear, code: str
) -> None:
    with pytest.raises(NotFound, match=f"no union with the code “{code}”"):
        add(make_user("clerk", "6101"), program_year, org_code=code)


def test_nobody_is_on_the_list_twice(clerk: User, program_year: ProgramYear) -> None:
    add(clerk, program_year)
    with pytest.raises(Refused, match="in the register already"):
        add(clerk, program_year)


def test_a_number_on_file_under_another_name_is_refused(clerk: User, program_year: ProgramYear) -> None:
    add(clerk, program_year)
    with pytest.raises(Refused, match="another name"):
        add(clerk, program_year, name="王方")


def test_somebody_on_file_at_a_union_of_others_is_refused(
    make_user: MakeUser, program_year: ProgramYear, make_people: MakePeople
) -> None:
    (person,) = make_people(1, "610202")
    with pytest.raises(Refused, match="another union"):
        add(make_user("clerk", "6101"), program_year, name=person.name, id_number=id_number(0))


def test_somebody_no_longer_on_file_is_refused(clerk: User, program_year: ProgramYear, make_people: MakePeople) -> None:
    (person,) = make_people(1)
    person.active = False
    db.session.commit()
    with pytest.raises(Refused, match="no longer on file"):
        add(clerk, program_year, name=person.name, id_number=id_number(0))


def test_somebody_on_file_elsewhere_in_the_scope_stays_where_they_are(
    clerk: User, program_year: ProgramYear, make_people: MakePeople
) -> None:
    (person,) = make_people(1, "610202")
    row = add(clerk, program_year, name=person.name, id_number=id_number(0))
    assert (row.person_id, row.org_path) == (person.id, "/61/6102/610202/")


def test_an_unknown_worker_is_taken_on_file_with_sealed_numbers(clerk: User, program_year: ProgramYear) -> None:
    row = add(clerk, program_year)
    person = db.session.get_one(Person, row.person_id)
    assert (person.name, person.bank_account_tail, row.category) == ("王芳", "0001", "deep")
    assert b"6222020000000001" not in bytes(person.bank_account or b"")


def test_a_worker_whom_a_run_pays_stays_on_the_list_until_it_is_cancelled(
    clerk: User, make_user: MakeUser, program_year: ProgramYear, run_jobs: Callable[[], int]
) -> None:
    row = add(clerk, program_year)
    finance = make_user("finance")
    allotting.allot_to_unions(finance, program_year, date(2014, 1, 10))
    allotting.book_own_funds(finance, program_year, date(2014, 1, 10))
    run = computed_run(clerk, program_year, run_jobs)
    with pytest.raises(Refused, match="A run pays this worker"):
        registers.remove(clerk, HARDSHIP, program_year, row)
    runs.cancel(clerk, run)
    registers.remove(clerk, HARDSHIP, program_year, row)
    assert db.session.query(Hardship).count() == 0


def test_only_who_may_edit_there_removes(make_user: MakeUser, clerk: User, program_year: ProgramYear) -> None:
    row = add(clerk, program_year)
    with pytest.raises(Forbidden):
        registers.remove(make_user("clerk", "6102"), HARDSHIP, program_year, row)


def test_making_a_list_twice_adds_nobody(clerk: User, program_year: ProgramYear, make_people: MakePeople) -> None:
    make_people(40)
    assert services.make_list(clerk, program_year) == 40
    assert services.make_list(clerk, program_year) == 0
    assert sum(queries.count_by_category(program_year, PROVINCE).values()) == 40


def names(program_year: ProgramYear, scope: Scope, **asked: str) -> list[str]:
    return [line.values["person"] for line in lines(listing_of(HARDSHIP, program_year), scope, **asked)]


def test_nobody_comes_on_file_by_an_entry_that_is_refused(clerk: User, program_year: ProgramYear) -> None:
    with pytest.raises(Refused, match="does not take these values"):
        registers.add(clerk, HARDSHIP, program_year, WORKER | {"id_number": id_number(7), "category": "none"})
    assert db.session.query(Person).count() == 0


def test_the_list_keeps_to_the_scope(clerk: User, program_year: ProgramYear, make_people: MakePeople) -> None:
    make_people(3)
    make_people(2, "610202", start=10)
    services.make_list(clerk, program_year)
    assert len(names(program_year, XIAN)) == 3
    assert len(names(program_year, TONGCHUAN)) == 2
    assert names(program_year, Scope()) == []
    assert sum(queries.count_by_category(program_year, TONGCHUAN).values()) == 2


def test_the_list_is_found_by_name_pinyin_category_and_cause(clerk: User, program_year: ProgramYear) -> None:
    add(clerk, program_year)
    add(clerk, program_year, name="李娜", id_number=id_number(2), category="relative", cause="子女上学")
    wanted: list[dict[str, str]] = [
        {"text": "王"}, {"text": "lina"}, {"text": "ln"}, {"f-category": "deep"}, {"f-cause": "上学"}, {"text": "%"},
    ]  # fmt: skip
    found = [names(program_year, PROVINCE, **asked) for asked in wanted]
    assert found == [["王芳"], ["李娜"], ["李娜"], ["王芳"], ["李娜"], []]


def test_the_empty_list_says_what_to_do(as_user: AsUser, program_year: ProgramYear) -> None:
    page = as_user("clerk").get(LIST)
    assert page.status_code == 200
    assert "hardship/add" in page.text


def test_the_figures_of_the_year_lead_to_the_list(as_user: AsUser, program_year: ProgramYear) -> None:
    assert as_user("leader").get("/2014/61/winter_warmth/hardship").headers["Location"] == LIST


def test_a_wrong_form_shows_its_sentence_and_keeps_what_was_typed(as_user: AsUser, program_year: ProgramYear) -> None:
    page = as_user("clerk").post(LIST + "add", data=WORKER | {"id_number": "1"})
    assert page.status_code == 400
    assert "王芳" in page.text
    assert "invalid-feedback" in page.text


def test_a_worker_is_added_found_and_removed_on_the_pages(as_user: AsUser, program_year: ProgramYear) -> None:
    browser = as_user("clerk")
    data = WORKER | {"id_number": id_number(1)}
    assert browser.post(LIST + "add", data=data).status_code == 302
    assert "王芳" in browser.get(LIST + "?text=wf&org=6101").text
    assert "王芳" not in browser.get(LIST + "?org=6102").text
    row = db.session.query(Hardship).one()
    assert browser.post(f"{LIST}{row.id}/remove").status_code == 302
    assert db.session.query(Hardship).count() == 0


def test_a_reader_sees_the_list_but_changes_nothing(as_user: AsUser, clerk: User, program_year: ProgramYear) -> None:
    row = add(clerk, program_year)
    browser = as_user("auditor")
    page = browser.get(LIST)
    assert "王芳" in page.text
    assert "hardship/add" not in page.text
    assert browser.get(LIST + "add").status_code == 403
    assert browser.post(f"{LIST}{row.id}/remove").status_code == 403


def test_a_row_of_another_city_looks_as_if_it_were_not_there(
    as_user: AsUser, clerk: User, program_year: ProgramYear
) -> None:
    row = add(clerk, program_year)
    browser = as_user("clerk", "6102")
    assert "王芳" not in browser.get(LIST).text
    assert browser.post(f"{LIST}{row.id}/remove").status_code == 404
