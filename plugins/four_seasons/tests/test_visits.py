"""Visits: spent from the paying union's line once, told in both ledgers, seen when repeated, undone by a reversal."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from core.api import (
    Forbidden,
    NotFound,
    Person,
    ProgramYear,
    Refused,
    Scope,
    User,
    ZhijiaError,
    budgets_of,
    db,
    today,
)
from core.disbursements.verify_all import verify_all
from core.ledger.models import Activity, Entry, Hold
from core.programs.services import close as close_year
from core.users.testing import AsUser, MakeUser
from plugins.four_seasons.tests.conftest import MakePeople, id_number
from plugins.four_seasons.visits import people
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.visits.services import Visited, record_visit, undo_visit

pytestmark = pytest.mark.services
DAY = date(2014, 1, 20)
PAGE = "/2014/61/winter_warmth/visits"
VISIT = Visited(
    key="1", org_code="6101", visited_on=DAY, party="市总工会主席等 3 人", kind="cash", amount_fen=500_00,
    source="union", id_number=id_number(0),
)  # fmt: skip
FORM = {
    "key": "page", "org_code": "6101", "whom": "person", "id_number": id_number(0), "unit": "不看", "kind": "goods",
    "gift": "米面油", "visited_on": "2014-01-20", "party": "市总工会主席等 3 人", "amount": "500", "source": "union",
}  # fmt: skip


@pytest.fixture
def finance(make_user: MakeUser) -> User:
    return make_user("finance", "6101")


def line(program_year: ProgramYear) -> tuple[int, int, int]:
    db.session.expire_all()
    (row,) = budgets_of(program_year, Scope(("/61/6101/",)))
    return row.allotted_fen, row.held_fen, row.used_fen


def test_a_visit_is_spent_once_and_told_in_both_ledgers(funded: ProgramYear, finance: User) -> None:
    visit = record_visit(finance, funded, VISIT)
    assert record_visit(finance, funded, VISIT).id == visit.id
    assert line(funded) == (1_000_00, 0, 500_00)
    entry, told = db.session.get_one(Entry, visit.entry_id), db.session.get_one(Activity, visit.activity_id)
    assert (entry.kind, entry.effective_on, entry.happened_on) == ("four_seasons.visit", DAY, None)
    assert told.entry_id == entry.id
    assert (told.held_on, told.data["cadres"]) == (DAY, VISIT.party)
    name = db.session.scalar(text("SELECT name FROM core_person WHERE id = :id"), {"id": visit.person_id})
    assert name not in entry.description + str(told.data)  # what could not be erased there
    assert list(verify_all()) == []


def test_the_budget_is_spent_to_the_last_fen_and_no_further(funded: ProgramYear, finance: User) -> None:
    record_visit(finance, funded, replace(VISIT, amount_fen=999_99))
    other = replace(VISIT, id_number=id_number(1))
    with pytest.raises(Refused, match=r"lacks 0\.01 yuan"):
        record_visit(finance, funded, replace(other, key="2", amount_fen=2))
    record_visit(finance, funded, replace(other, key="3", amount_fen=1))
    assert line(funded) == (1_000_00, 0, 1_000_00)
    with pytest.raises(Refused, match="no budget of this source") as refusal:
        record_visit(finance, funded, replace(other, key="4", source="society"))
    assert refusal.value.field == "source"
    assert db.session.scalar(select(func.count()).select_from(Visit)) == 2


def test_a_second_visit_of_the_year_is_seen(funded: ProgramYear, finance: User) -> None:
    visit = record_visit(finance, funded, replace(VISIT, amount_fen=100_00))
    second = replace(VISIT, key="2", amount_fen=50_00)
    with pytest.raises(Refused, match=r"already: 1 visits, 100\.00 yuan, the last on 2014-01-20") as refusal:
        record_visit(finance, funded, second)
    assert refusal.value.field == "again"
    assert line(funded) == (1_000_00, 0, 100_00)
    record_visit(finance, funded, replace(VISIT, key="3", id_number=id_number(1)))  # somebody else
    record_visit(finance, funded, replace(second, again=True))
    undo_visit(finance, funded, visit, key="1", reason="误记")
    with pytest.raises(Refused, match=r"already: 1 visits, 50\.00 yuan"):
        record_visit(finance, funded, replace(second, key="4"))


@pytest.mark.as_owner
def test_what_a_run_paid_is_seen_too(funded: ProgramYear, finance: User) -> None:
    db.session.execute(text("SET session_replication_role = replica"))
    db.session.execute(text(
        "INSERT INTO core_payment (run_id, payee_id, program_year_id, item, chunk_org_id, org_id, org_path, amount_fen,"
        " basis, payee_name, account_tail) SELECT 1, id, :year, 'winter', org_id, org_id, org_path, 20000, '', '', ''"
        " FROM core_person"
    ), {"year": funded.id})  # fmt: skip
    db.session.execute(text("SET session_replication_role = DEFAULT"))
    db.session.commit()
    with pytest.raises(Refused, match=r"already: 200\.00 yuan by runs"):
        record_visit(finance, funded, VISIT)
    unit = replace(VISIT, key="2", id_number="", unit="西安某厂")
    assert record_visit(finance, funded, unit).unit == "西安某厂"


def test_undoing_frees_the_money_once(funded: ProgramYear, finance: User) -> None:
    visit = record_visit(finance, funded, VISIT)
    undo_visit(finance, funded, visit, key="1", reason="误记")
    undo_visit(finance, funded, visit, key="1", reason="误记")
    with pytest.raises(Refused, match="reversed already"):
        undo_visit(finance, funded, visit, key="2", reason="误记")
    assert line(funded) == (1_000_00, 0, 0)
    reversal = db.session.get_one(Entry, db.session.get_one(Visit, visit.id).reversal_id)
    assert (reversal.reverses, reversal.description) == (visit.entry_id, "误记")
    assert db.session.scalar(select(func.count()).where(Activity.entry_id == reversal.id)) == 1
    assert list(verify_all()) == []


WRONG: list[tuple[dict[str, object], str, str]] = [
    ({"org_code": "6102"}, "no union with this code", "org_code"),
    ({"org_code": "nowhere"}, "no union with this code", "org_code"),
    ({"id_number": id_number(10)}, "Nobody with this identity number", "id_number"),
    ({"id_number": id_number(40)}, "Nobody with this identity number", "id_number"),
    ({"id_number": "123"}, "18 characters", "id_number"),
    ({"amount_fen": 0}, "more than nothing", "amount"),
    ({"effective_on": DAY - timedelta(days=1)}, "before the day of its entry", "happened_on"),
]


@pytest.mark.parametrize(("change", "sentence", "field"), WRONG)
def test_what_cannot_be_written_down(
    funded: ProgramYear, finance: User, change: dict[str, object], sentence: str, field: str
) -> None:
    refused(funded, finance, change, sentence, field)


def test_tomorrow_cannot_be_written_down(funded: ProgramYear, finance: User) -> None:
    """A day of its own: a run of all tests may last past midnight."""
    refused(funded, finance, {"effective_on": today() + timedelta(days=1)}, "lies in the future", "effective_on")


def refused(funded: ProgramYear, finance: User, change: dict[str, object], sentence: str, field: str) -> None:
    with pytest.raises(ZhijiaError, match=sentence) as refusal:
        record_visit(finance, funded, replace(VISIT, **change))  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert line(funded) == (1_000_00, 0, 0)
    assert db.session.scalars(select(Hold)).all() == []


def test_who_may_not_spend_and_what_is_not_open(funded: ProgramYear, finance: User, make_user: MakeUser) -> None:
    visit = record_visit(finance, funded, VISIT)
    for user in (make_user("clerk", "6101"), make_user("finance", "6102")):
        with pytest.raises(NotFound):
            record_visit(user, funded, replace(VISIT, key="2"))
        with pytest.raises(Forbidden):
            undo_visit(user, funded, visit, key="1", reason="误记")
    close_year(make_user("admin"), funded)
    with pytest.raises(Refused, match="not open"):
        record_visit(finance, funded, replace(VISIT, key="3", again=True))


def test_a_late_visit_names_its_day(funded: ProgramYear, finance: User) -> None:
    visit = record_visit(finance, funded, replace(VISIT, effective_on=date(2014, 2, 5)))
    entry = db.session.get_one(Entry, visit.entry_id)
    assert (entry.effective_on, entry.happened_on) == (date(2014, 2, 5), DAY)
    assert db.session.get_one(Activity, visit.activity_id).held_on == DAY


def test_two_files_become_one_person_with_both_visits(
    funded: ProgramYear, finance: User, make_people: MakePeople
) -> None:
    one = record_visit(finance, funded, replace(VISIT, amount_fen=1))
    two = record_visit(finance, funded, replace(VISIT, key="2", id_number=id_number(1), amount_fen=1))
    kept, dropped = (db.session.get_one(Person, visit.person_id) for visit in (one, two))
    people.merge_visits(kept, dropped)
    db.session.commit()
    assert len([one for one in people.personal_data(kept) if one.title == "Visit"]) == 2
    with pytest.raises(Refused, match="2 visits"):
        record_visit(finance, funded, replace(VISIT, key="3"))


@pytest.fixture
def browser(funded: ProgramYear, finance: User, as_user: AsUser) -> FlaskClient:
    return as_user(finance)


def test_from_the_form_to_both_ledgers_and_back(browser: FlaskClient, funded: ProgramYear, as_user: AsUser) -> None:
    assert "No visit yet" in browser.get(PAGE).text
    assert browser.get(f"{PAGE}/new").status_code == 200
    page = browser.post(f"{PAGE}/new", data=FORM).headers["Location"]
    assert browser.post(f"{PAGE}/new", data=FORM).headers["Location"] == page  # sent twice
    visit = db.session.scalars(select(Visit)).one()
    assert (visit.unit, visit.gift) == ("", "米面油")
    shown = browser.get(page).text
    entry, told = f"/ledger/entries/{visit.entry_id}", f"/ledger/activities/{visit.activity_id}"
    assert f'href="{entry}"' in shown
    assert f'href="{told}"' in shown
    back = f"{PAGE}/of-entry/{visit.entry_id}"
    for book in (entry, told):
        assert f'href="{back}"' in browser.get(book).text
    assert browser.get(back).headers["Location"] == page
    assert "500.00" in browser.get(PAGE).text
    assert "市总工会主席等 3 人" in as_user("leader", "61").get(PAGE).text


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(browser: FlaskClient, funded: ProgramYear) -> None:
    wrong = {
        "visited_on": (today() + timedelta(days=1)).isoformat(),
        "gift": " ",
        "amount": "1.005",
        "id_number": "",
        "party": " ",
    }
    answer = browser.post(f"{PAGE}/new", data=FORM | wrong)
    assert answer.status_code == 400
    for sentence in ("lies in the future", "which goods", "enter the identity number", "who went"):
        assert sentence in answer.text
    assert "1.005" in answer.text
    early = browser.post(f"{PAGE}/new", data=FORM | {"effective_on": "2014-01-19"})
    assert "The effective day lies before the visit." in early.text
    browser.post(f"{PAGE}/new", data=FORM)
    again = browser.post(f"{PAGE}/new", data=FORM | {"key": "other"})
    assert again.status_code == 409
    assert "given something this year already: 1 visits, 500.00 yuan" in again.text
    assert 'name="again"' in again.text
    assert 'value="other"' not in again.text  # what was refused stays refused under its key
    assert browser.post(f"{PAGE}/new", data=FORM | {"key": "third", "again": "y"}).status_code == 302
    assert line(funded) == (1_000_00, 0, 1_000_00)


def test_a_visit_is_undone_on_its_page(browser: FlaskClient, funded: ProgramYear) -> None:
    page = browser.post(f"{PAGE}/new", data=FORM).headers["Location"]
    assert "Say why" in browser.post(f"{page}/undo", data={"key": "1", "reason": " "}).text
    assert browser.post(f"{page}/undo", data={"key": "1", "reason": "误记"}).status_code == 302
    assert "This visit was undone" in browser.get(page).text
    assert "Undone" in browser.get(PAGE).text
    assert browser.post(f"{page}/undo", data={"key": "2", "reason": "误记"}).status_code == 409
    reversal = db.session.scalars(select(Visit.reversal_id)).one()
    assert browser.get(f"{PAGE}/of-entry/{reversal}").headers["Location"] == page


def test_others_see_nothing_of_it(browser: FlaskClient, as_user: AsUser) -> None:
    page = browser.post(f"{PAGE}/new", data=FORM).headers["Location"]
    entry = db.session.scalars(select(Visit.entry_id)).one()
    stranger = as_user("finance", "6102")
    assert "No visit yet" in stranger.get(PAGE).text
    for address in (page, f"{PAGE}/of-entry/{entry}"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"{page}/undo", data={"key": "1", "reason": "x"}).status_code == 404
    clerk = as_user("clerk", "6101")
    assert clerk.get(page).status_code == 200
    assert "Undo the visit" not in clerk.get(page).text
    assert clerk.get(f"{PAGE}/new").status_code == 403


def test_a_long_list_has_pages(
    browser: FlaskClient, funded: ProgramYear, finance: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        record_visit(finance, funded, replace(VISIT, key=str(number), id_number="", unit=f"第{number}厂", amount_fen=1))
    monkeypatch.setattr("plugins.four_seasons.visits.queries.PAGE", 2)
    first = browser.get(PAGE).text
    assert "第2厂" in first
    assert "第0厂" not in first
    following = browser.get(f"{PAGE}?before={min(db.session.scalars(select(Visit.id))) + 1}").text
    assert "第0厂" in following
    assert "第1厂" not in following
