"""Settings, scheme and allotment: every fen of a campaign is accounted for."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from core.api import Org, Payment, ProgramYear, Refused, Scope, User, ZhijiaError, budgets_of, db, today
from core.disbursements.models import Exclusion
from core.disbursements.services import cancel, create_run, start_computing
from core.ledger.models import Entry
from core.plugin.hooks import dashboard_cards, menu_items
from core.users.testing import PASSWORD, AsUser, MakeUser
from plugins.four_seasons.tests.conftest import MakePeople, computed_run, make_year
from plugins.four_seasons.winter import allotting, services
from plugins.four_seasons.winter.models import Hardship, Target

pytestmark = pytest.mark.services
SIGNED = {"password": PASSWORD}
DAY = date(2014, 1, 10)
RunJobs = Callable[[], int]
AMOUNTS = {"deep": 2000_00, "relative": 1000_00, "accidental": 1500_00}


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


@pytest.fixture
def finance(make_user: MakeUser) -> User:
    return make_user("finance")


@pytest.fixture
def listed(make_people: MakePeople, program_year: ProgramYear, clerk: User) -> ProgramYear:
    """The campaign with seven workers on the list: four in 西安, two in 铜川, one in 杨凌."""
    make_people(4)
    make_people(2, "610202", start=10)
    make_people(1, "6111", start=20)
    services.make_list(clerk, program_year)
    return program_year


def amounts(run_id: int) -> list[int]:
    return sorted(payment.amount_fen for payment in db.session.query(Payment).filter_by(run_id=run_id))


def fund(finance: User, program_year: ProgramYear) -> None:
    if program_year.settings["province_allotment"]:
        allotting.allot_to_unions(finance, program_year, DAY)
    allotting.book_own_funds(finance, program_year, DAY)


WRONG_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"pool": None}, "pool"),
    ({"pool": 0}, "pool"),
    ({"province_allotment": 1_000_01}, "province_allotment"),
    ({"rule": "category", **AMOUNTS, "deep": 0}, "deep"),
    ({"rule": "category", **AMOUNTS, "relative": None}, "relative"),
    ({"rule": "category", **AMOUNTS, "accidental": 0}, "accidental"),
    ({"rule": "lottery"}, "rule"),
    ({"starts_on": "2014-02-01", "ends_on": "2014-01-31"}, "ends_on"),
    ({"notice_working_days": -1}, "notice_working_days"),
]
SETTINGS_AT_THEIR_LIMITS: list[dict[str, Any]] = [
    {"pool": 1, "province_allotment": 1},
    {"province_allotment": 1_000_00},
    {"rule": "category", "pool": None, **AMOUNTS},
    {"starts_on": "2014-01-31", "ends_on": "2014-01-31"},
]


def test_wrong_settings_are_refused_at_their_field(app: Flask, small_tree: dict[str, Org]) -> None:
    for changes, field in WRONG_SETTINGS:
        with pytest.raises(ZhijiaError) as refusal:
            make_year(small_tree["61"], **changes)
        assert refusal.value.field == field, changes


def test_settings_at_their_limits_are_taken(app: Flask, small_tree: dict[str, Org]) -> None:
    for code, changes in zip(("61", "6101", "6102", "6111"), SETTINGS_AT_THEIR_LIMITS, strict=True):
        assert make_year(small_tree[code], **changes).settings["rule"] == changes.get("rule", "pool")


def test_a_pool_is_shared_out_to_the_fen(clerk: User, finance: User, listed: ProgramYear, run_jobs: RunJobs) -> None:
    fund(finance, listed)
    run = computed_run(clerk, listed, run_jobs)
    assert (run.state, run.candidates, run.paid, run.total_fen) == ("computed", 7, 7, 1_000_00)
    assert amounts(run.id) == [142_85] * 2 + [142_86] * 5


def test_a_pool_of_fewer_fen_than_people_names_who_gets_nothing(
    clerk: User, finance: User, small_tree: dict[str, Org], make_people: MakePeople, run_jobs: RunJobs
) -> None:
    program_year = make_year(small_tree["61"], pool=2, province_allotment=None)
    make_people(3)
    services.make_list(clerk, program_year)
    allotting.book_own_funds(finance, program_year, DAY)
    run = computed_run(clerk, program_year, run_jobs)
    assert (run.candidates, run.paid, run.excluded, run.total_fen) == (3, 2, 1, 2)
    assert [line.reason for line in db.session.query(Exclusion)] == ["no_amount"]


def test_fixed_amounts_follow_the_category(
    clerk: User, finance: User, small_tree: dict[str, Org], make_people: MakePeople, run_jobs: RunJobs
) -> None:
    program_year = make_year(small_tree["61"], rule="category", pool=None, province_allotment=None, **AMOUNTS)
    make_people(20)
    services.make_list(clerk, program_year)
    allotting.book_own_funds(finance, program_year, DAY)
    run = computed_run(clerk, program_year, run_jobs)
    paid = {
        payment.payee_id: (payment.basis, payment.amount_fen)
        for payment in db.session.query(Payment).filter_by(run_id=run.id)
    }
    on_list = {row.person_id: (row.category, AMOUNTS[row.category]) for row in db.session.query(Hardship)}
    assert paid == on_list
    assert {category for category, _fen in paid.values()} == set(AMOUNTS)


def test_who_cannot_be_paid_is_excluded_with_the_reason_and_takes_no_share(
    clerk: User, finance: User, program_year: ProgramYear, make_people: MakePeople, run_jobs: RunJobs
) -> None:
    make_people(2)
    (without,) = make_people(1, start=10, account=False)
    (gone,) = make_people(1, start=20)
    services.make_list(clerk, program_year)
    gone.active = False
    db.session.commit()
    fund(finance, program_year)
    run = computed_run(clerk, program_year, run_jobs)
    assert amounts(run.id) == [500_00, 500_00]
    reasons = {line.payee_id: line.reason for line in db.session.query(Exclusion).filter_by(run_id=run.id)}
    assert reasons == {without.id: "no_account", gone.id: "inactive"}


def test_a_part_of_the_tree_gets_its_part_of_the_pool_and_the_rest_its_own_later(
    clerk: User, finance: User, listed: ProgramYear, run_jobs: RunJobs
) -> None:
    fund(finance, listed)
    part = computed_run(clerk, listed, run_jobs, "6102")
    assert (part.state, part.paid, part.total_fen // 100) == ("computed", 2, 285)
    whole = computed_run(clerk, listed, run_jobs)
    assert (whole.state, whole.paid, whole.excluded) == ("computed", 5, 2)
    assert part.total_fen + whole.total_fen == 1_000_00


def test_who_was_put_on_the_list_after_the_pool_was_spent_gets_nothing(
    clerk: User, finance: User, listed: ProgramYear, make_people: MakePeople, run_jobs: RunJobs
) -> None:
    fund(finance, listed)
    computed_run(clerk, listed, run_jobs)
    make_people(1, start=30)
    services.make_list(clerk, listed)
    late = computed_run(clerk, listed, run_jobs)
    assert (late.state, late.paid, late.excluded, late.total_fen) == ("computed", 0, 8, 0)


def test_without_money_the_run_is_refused_and_pays_nobody(clerk: User, listed: ProgramYear, run_jobs: RunJobs) -> None:
    run = computed_run(clerk, listed, run_jobs)
    assert run.state == "failed"
    assert "西安市总工会 lacks 571." in str(run.error)
    assert amounts(run.id) == []


def test_the_province_gives_by_the_number_on_file_exact_to_the_fen(finance: User, listed: ProgramYear) -> None:
    given = allotting.allot_to_unions(finance, listed, DAY)
    assert {row.org_path: (row.weight, row.amount_fen) for row in given} == {
        "/61/6101/": (4, 57_14),
        "/61/6102/": (2, 28_57),
        "/61/6111/": (1, 14_29),
    }
    plan = allotting.plan(listed)
    assert (plan.is_allotted, plan.given_fen, plan.need_fen, plan.missing_fen) == (True, 100_00, 1_000_00, 900_00)


def test_the_preview_is_what_is_then_allotted(finance: User, listed: ProgramYear) -> None:
    before = {share.org.id: share.given_fen for share in allotting.plan(listed).shares}
    given = allotting.allot_to_unions(finance, listed, DAY)
    assert before == {row.org_id: row.amount_fen for row in given}


def test_nothing_is_allotted_twice(finance: User, listed: ProgramYear) -> None:
    allotting.allot_to_unions(finance, listed, DAY)
    with pytest.raises(Refused, match="allotted already"):
        allotting.allot_to_unions(finance, listed, DAY)


def test_an_allotment_that_died_half_way_goes_on(
    finance: User, listed: ProgramYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(allotting, "allot", None)
        with pytest.raises(TypeError):
            allotting.allot_to_unions(finance, listed, DAY)
    allotting.allot_to_unions(finance, listed, DAY)
    sponsor = next(row for row in budgets_of(listed, Scope(("/61/",))) if row.org.code == "61")
    assert (sponsor.allotted_fen, sponsor.free_fen) == (100_00, 0)


def test_own_funds_come_after_the_allotment_and_only_once(finance: User, listed: ProgramYear) -> None:
    with pytest.raises(Refused, match="Allot the sponsor's money first"):
        allotting.book_own_funds(finance, listed, DAY)
    fund(finance, listed)
    assert sum(row.free_fen for row in budgets_of(listed, Scope(("/61/",)))) == 1_000_00
    with pytest.raises(Refused, match="nothing is missing"):
        allotting.book_own_funds(finance, listed, DAY)


def test_own_funds_are_topped_up_when_a_city_has_more_on_its_list(
    clerk: User, finance: User, listed: ProgramYear, make_people: MakePeople
) -> None:
    fund(finance, listed)
    make_people(3, "610202", start=30)
    services.make_list(clerk, listed)
    (booked,) = allotting.book_own_funds(finance, listed, DAY)
    free = {row.org.code: row.free_fen for row in budgets_of(listed, Scope(("/61/",)))}
    assert (booked.org_path, free["6102"]) == ("/61/6102/", 500_00)


def test_a_list_without_anybody_has_nothing_to_allot(finance: User, program_year: ProgramYear) -> None:
    with pytest.raises(Refused, match="nobody on the hardship list"):
        allotting.allot_to_unions(finance, program_year, DAY)


def test_points_weigh_instead_of_the_list_where_the_year_says_so(
    finance: User, small_tree: dict[str, Org], listed: ProgramYear
) -> None:
    listed.settings = listed.settings | {"allotted_by": "points"}
    db.session.commit()
    with pytest.raises(Refused, match="No union has points yet"):
        allotting.allot_to_unions(finance, listed, DAY)
    for code, points in (("6101", 1), ("6102", 3), ("6111", 9)):
        where = (Target.program_year_id == listed.id, Target.org_id == small_tree[code].id)
        db.session.execute(update(Target).where(*where).values(points=points))
    db.session.commit()
    allotting.allot_to_unions(finance, listed, DAY)
    given = {share.org.code: share.given_fen for share in allotting.plan(listed).shares}
    assert given == {"6101": 7_69, "6102": 23_08, "6111": 69_23}  # of 100 yuan


def test_settings_without_an_amount_have_nothing_to_allot(
    finance: User, clerk: User, small_tree: dict[str, Org], make_people: MakePeople
) -> None:
    program_year = make_year(small_tree["61"], province_allotment=0)
    make_people(1)
    services.make_list(clerk, program_year)
    with pytest.raises(Refused, match="no amount to allot"):
        allotting.allot_to_unions(finance, program_year, DAY)


def test_a_cancelled_run_gives_its_share_of_the_pool_back(
    clerk: User, finance: User, listed: ProgramYear, run_jobs: RunJobs
) -> None:
    fund(finance, listed)
    cancel(clerk, computed_run(clerk, listed, run_jobs))
    again = computed_run(clerk, listed, run_jobs)
    assert (again.paid, again.total_fen) == (7, 1_000_00)


def test_the_allotment_page_shows_the_table_and_books(as_user: AsUser, listed: ProgramYear) -> None:
    browser = as_user("finance")
    page = browser.get("/2014/61/winter_warmth/allotment").text
    assert all(text in page for text in ("西安市总工会", "57.14", "100.00", "1,000.00"))
    assert browser.post("/2014/61/winter_warmth/allotment", data=SIGNED).status_code == 302
    assert browser.post("/2014/61/winter_warmth/allotment", data=SIGNED).status_code == 409
    assert "900.00" in browser.get("/2014/61/winter_warmth/allotment").text
    assert browser.post("/2014/61/winter_warmth/allotment/own-funds", data=SIGNED).status_code == 302
    assert browser.post("/2014/61/winter_warmth/allotment/own-funds", data=SIGNED).status_code == 409


@pytest.mark.parametrize("what", ["", "/own-funds"])
def test_nothing_is_allotted_without_ones_own_password(as_user: AsUser, listed: ProgramYear, what: str) -> None:
    browser = as_user("finance")
    for proof, expected in (({}, 400), ({"password": "not-mine-2014"}, 401), (SIGNED | {"code": "000000"}, 401)):
        answer = browser.post(f"/2014/61/winter_warmth/allotment{what}", data=proof)
        field = "code" if "code" in proof else "password"
        assert (answer.status_code, f'id="{field}-errors"' in answer.text) == (expected, True)
    assert db.session.scalars(select(Entry)).all() == []


def test_money_is_booked_on_the_day_that_is_named_and_never_in_the_future(as_user: AsUser, listed: ProgramYear) -> None:
    browser = as_user("finance")
    address = "/2014/61/winter_warmth/allotment"
    refused = browser.post(address, data=SIGNED | {"effective_on": (today() + timedelta(days=1)).isoformat()})
    assert refused.status_code == 409
    assert 'class="alert alert-danger"' in refused.text or "invalid-feedback" in refused.text
    assert browser.post(address, data=SIGNED | {"effective_on": "2014-02-30"}).status_code == 400
    assert browser.post(address, data=SIGNED | {"effective_on": "2014-01-06"}).status_code == 302
    assert set(db.session.scalars(select(Entry.effective_on))) == {date(2014, 1, 6)}


def test_an_empty_allotment_page_says_what_is_missing(as_user: AsUser, program_year: ProgramYear) -> None:
    page = as_user("finance").get("/2014/61/winter_warmth/allotment")
    assert page.status_code == 200
    assert 'class="empty"' in page.text


@pytest.mark.parametrize(("role", "org"), [("clerk", "61"), ("finance", "6101")])
def test_who_may_not_allot_for_the_sponsor_is_refused(
    as_user: AsUser, listed: ProgramYear, role: str, org: str
) -> None:
    browser = as_user(role, org)
    assert browser.get("/2014/61/winter_warmth/allotment").status_code == 403
    assert browser.post("/2014/61/winter_warmth/allotment", data=SIGNED).status_code == 403
    assert browser.post("/2014/61/winter_warmth/allotment/own-funds", data=SIGNED).status_code == 403


def test_the_figures_of_the_year_are_those_of_the_scope(
    app: Flask, make_user: MakeUser, finance: User, listed: ProgramYear
) -> None:
    fund(finance, listed)
    with app.test_request_context():
        shown = {card.title: card.value for card in dashboard_cards(make_user("clerk", "6102"), listed)}
    assert shown["On the hardship list"] == "2"
    assert shown["Budget of the paying unions"] == "0.03"  # 285.71 yuan, in units of ten thousand
    assert shown["Paid out"] == "0.00"


@pytest.mark.parametrize(("role", "titles"), [
    ("clerk", ["Visits", "Coverage"]),
    ("finance", ["Visits", "Coverage", "Allotment"]),
    ("auditor", ["Visits", "Coverage"]),
])  # fmt: skip
def test_the_menu_has_what_the_user_may_do(
    app: Flask, make_user: MakeUser, listed: ProgramYear, role: str, titles: list[str]
) -> None:
    with app.test_request_context():
        assert [link.title for link in menu_items(make_user(role), listed)] == titles


def test_the_page_shows_how_far_the_computing_is(
    app: Flask, clerk: User, as_user: AsUser, small_tree: dict[str, Org], listed: ProgramYear
) -> None:
    run = create_run(clerk, listed, "four_seasons.winter", "2014年送温暖", small_tree["61"])
    start_computing(clerk, run)
    url = f"/2014/61/winter_warmth/runs/{run.id}/progress"
    assert "<progress" in as_user(clerk).get(url).text
