"""The pages of months: what hinders closing is named with its place, two persons open again, a lock is signed."""

from dataclasses import replace
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.disbursements import payout
from core.extensions import db
from core.ledger import period_queries
from core.ledger.booking import post
from core.ledger.closing import close, start_closing
from core.ledger.holds import hold
from core.ledger.models import Period
from core.ledger.posting import Posting
from core.users.testing import PASSWORD, AsUser, MakeUser
from tests.disbursements.conftest import Campaign
from tests.ledger.conftest import DAY

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]
BOOK = "statutory"
FEBRUARY = date(2014, 2, 1)
JANUARY_PAGE, FEBRUARY_PAGE = "/ledger/periods/statutory/2014-01", "/ledger/periods/statutory/2014-02"
SIGNED = {"password": PASSWORD}


@pytest.fixture
def finance(posting: Posting, as_user: AsUser, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Two entries in January, one in February, and it is the fifth of May."""
    monkeypatch.setattr(period_queries, "today", lambda: date(2014, 5, 5))
    post(SYSTEM, posting)
    post(SYSTEM, replace(posting, key="2", legs=[("102", 1_000), ("402", -1_000)]))
    post(SYSTEM, replace(posting, key="3", effective_on=FEBRUARY))
    return as_user("finance")


def state(month: date = DAY) -> str:
    db.session.expire_all()
    return db.session.get_one(Period, (BOOK, month.replace(day=1))).state


def closed(*months: date) -> None:
    for month in months:
        start_closing(SYSTEM, BOOK, month)
        close(SYSTEM, BOOK, month)


def test_the_months_show_what_was_entered(finance: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    page = finance.get("/ledger/periods").text
    assert page.index("2014-02</a>") < page.index("2014-01</a>")
    january = page.partition("2014-01</a>")[2]
    assert "Open for entries" in january
    assert ">2<" in january
    assert january.count("110.00") == 2
    assert "No month yet" in finance.get("/ledger/periods?book=insurance").text
    monkeypatch.setattr(period_queries, "PAGE", 1)
    monkeypatch.setattr("core.ledger.period_views.PAGE", 1)
    page = finance.get("/ledger/periods").text
    assert "before=2014-05" in page
    assert "2014-04</a>" not in page
    assert "2014-01</a>" in finance.get("/ledger/periods?before=2014-02").text


def test_months_without_entries_are_there_and_can_be_closed(finance: FlaskClient) -> None:
    page = finance.get("/ledger/periods").text
    assert [f"2014-{month:02d}</a>" in page for month in range(1, 7)] == [True] * 5 + [False]
    assert "2013-12" not in page
    march = "/ledger/periods/statutory/2014-03"
    assert "The period 2014-01 comes first" in finance.get(march).text
    closed(DAY, FEBRUARY)
    for step in ("start", "close"):
        assert finance.post(f"{march}/{step}", data=SIGNED).status_code == 302
    assert state(date(2014, 3, 1)) == "closed"


def test_a_month_that_was_passed_over_has_nothing_to_close(finance: FlaskClient, posting: Posting) -> None:
    april = date(2014, 4, 1)
    post(SYSTEM, replace(posting, key="april", effective_on=april))
    closed(DAY, FEBRUARY, april)
    page = finance.get("/ledger/periods").text
    assert "2014-03</td>" in page
    assert "2014-03</a>" not in page
    assert finance.get("/ledger/periods/statutory/2014-03").status_code == 404
    assert finance.get("/ledger/periods/statutory/2014-06").status_code == 404
    assert finance.get("/ledger/periods/statutory/2014-05").status_code == 200


@pytest.mark.as_owner
def test_december_waits_for_what_may_still_come_back(
    campaign: Campaign, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, DAY)
    page = "/ledger/periods/statutory/2014-{:02d}".format
    finance, waits = as_user("finance"), f"Run {run.id}, “送温暖”, is posted and not settled"
    for month, effective_on, is_hindered in (
        (1, "2014-01-02", False), (11, "2014-01-02", False), (12, "2014-01-02", True), (12, "2014-12-31", True),
        (12, "2015-01-01", False),
    ):  # fmt: skip
        for now in ("posted", "sent", "settled"):
            db.session.execute(text("SET LOCAL session_replication_role = replica"))
            changed = {"state": now, "day": effective_on}
            db.session.execute(text("UPDATE core_run SET state = :state, effective_on = :day"), changed)
            db.session.commit()
            shown = finance.get(page(month)).text
            is_waiting = is_hindered and now != "settled"
            assert (waits in shown) == is_waiting, (month, effective_on, now)
            assert (f'href="/2014/61/aid/runs/{run.id}"' in shown) == is_waiting


def test_a_month_is_not_closed_without_ones_own_password(finance: FlaskClient) -> None:
    finance.post(f"{JANUARY_PAGE}/start")
    for proof, expected in (({}, 400), ({"password": "not-mine-2014"}, 401)):
        refused = finance.post(f"{JANUARY_PAGE}/close", data=proof)
        assert (refused.status_code, 'id="password-errors"' in refused.text) == (expected, True)
    assert state() == "closing"


def test_a_month_is_closed_by_two_steps_and_may_be_stopped(finance: FlaskClient) -> None:
    page = finance.get(JANUARY_PAGE).text
    assert "Begin to close" in page
    assert finance.post(f"{JANUARY_PAGE}/close", data=SIGNED).status_code == 409
    for step, then in (("start", "closing"), ("cancel", "open"), ("start", "closing"), ("close", "closed")):
        assert finance.post(f"{JANUARY_PAGE}/{step}", data=SIGNED).status_code == 302
        assert state() == then
    page = finance.get(JANUARY_PAGE).text
    assert "Begin to close" not in page
    assert "Ask to open the month" in page


def test_a_month_that_another_one_goes_before_names_it(finance: FlaskClient) -> None:
    page = finance.get(FEBRUARY_PAGE).text
    assert "The period 2014-01 comes first" in page
    assert f'href="{JANUARY_PAGE}"' in page
    assert "Begin to close" not in page
    answer = finance.post(f"{FEBRUARY_PAGE}/start")
    assert answer.status_code == 409
    assert answer.text.count("The period 2014-01 comes first") == 2  # above, and in its place


def test_holds_and_runs_are_named_with_their_place(
    campaign: Campaign, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.computed()
    db.session.execute(text("UPDATE core_run SET computed_at = '2014-01-05'"))
    db.session.commit()
    line = db.session.scalar(text("SELECT min(id) FROM core_budget_line"))
    monkeypatch.setattr("core.ledger.holds.today", lambda: DAY)
    hold(campaign.finance, scope="test", key="1", budget_line_id=line, amount_fen=100)
    page = as_user("finance").get(JANUARY_PAGE).text
    assert "1 holds of this period are open, 1.00 yuan." in page
    assert 'href="/2014/61/aid/budget/"' in page
    assert f"Run {run.id}, “送温暖”, is computed and not posted." in page
    assert f'href="/2014/61/aid/runs/{run.id}"' in page


def test_two_persons_and_a_password_open_a_month_again(finance: FlaskClient, as_user: AsUser) -> None:
    closed(DAY)
    answer = finance.post(f"{JANUARY_PAGE}/ask", data={"reason": " "})
    assert answer.status_code == 409
    assert "Say why the period is opened again." in answer.text
    assert finance.post(f"{JANUARY_PAGE}/agree", data=SIGNED).status_code == 404
    assert finance.post(f"{JANUARY_PAGE}/ask", data={"reason": "漏记一笔"}).status_code == 302
    page = finance.get(JANUARY_PAGE).text
    assert "漏记一笔" in page
    assert "Agree and open" not in page
    answer = finance.post(f"{JANUARY_PAGE}/agree", data=SIGNED)
    assert answer.status_code == 409
    assert "Nobody agrees to what they asked for themselves." in answer.text
    other = as_user("finance")
    assert "Agree and open" in other.get(JANUARY_PAGE).text
    assert other.post(f"{JANUARY_PAGE}/agree").status_code == 400
    answer = other.post(f"{JANUARY_PAGE}/agree", data={"password": "wrong"})
    assert answer.status_code in (400, 401)
    assert state() == "closed"
    assert other.post(f"{JANUARY_PAGE}/agree", data=SIGNED).status_code == 302
    assert state() == "open"
    assert "漏记一笔" in other.get(JANUARY_PAGE).text
    said = set(db.session.scalars(select(AuditLine.action)))
    assert {"ledger.ask_reopening", "ledger.reopen"} <= said


def test_closing_for_good_is_signed_and_meant(finance: FlaskClient) -> None:
    closed(DAY)
    for data in ({"sure": "y"}, SIGNED, {"sure": "y", "password": "wrong"}):
        assert finance.post(f"{JANUARY_PAGE}/lock", data=data).status_code in (400, 401)
        assert state() == "closed"
    assert finance.post(f"{JANUARY_PAGE}/lock", data={"sure": "y", **SIGNED}).status_code == 302
    assert state() == "locked"
    page = finance.get(JANUARY_PAGE).text
    assert "Locked for good" in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    assert finance.post(f"{JANUARY_PAGE}/ask", data={"reason": "漏记"}).status_code == 409


def test_only_who_may_close_the_whole_tree_sees_the_months(
    finance: FlaskClient, as_user: AsUser, make_user: MakeUser
) -> None:
    for user in (as_user("auditor"), as_user("finance", "6101")):
        for page in ("/ledger/periods", JANUARY_PAGE):
            assert user.get(page).status_code == 403, page
        assert user.post(f"{JANUARY_PAGE}/start").status_code == 403
        assert "/ledger/periods" not in user.get("/ledger/").text
    assert "/ledger/periods" in finance.get("/ledger/").text
    assert state() == "open"


@pytest.mark.parametrize(
    "page", ["statutory/2013-01", "nothing/2014-01", "statutory/2014-13", "statutory/2014-1", "statutory/x"]
)
def test_a_month_that_there_is_not(finance: FlaskClient, page: str) -> None:
    assert finance.get(f"/ledger/periods/{page}").status_code == 404
    assert finance.post(f"/ledger/periods/{page}/start").status_code == 404
    assert finance.get("/ledger/periods?book=nothing").status_code == 404
    assert finance.get("/ledger/periods?before=x").status_code == 404
