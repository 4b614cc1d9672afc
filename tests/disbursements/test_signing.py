"""Approving, returning and posting ask for one's own password again; what the page of a run shows of its approval."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.disbursements import services
from core.disbursements.approvals import ALL, ANY, Stage
from core.disbursements.models import Run, RunApproval
from core.extensions import db
from core.users.access import today
from core.users.passwords import hash_password
from core.users.testing import AsUser, MakeUser
from core.users.throttle import PER_ACCOUNT, tries_left
from tests.disbursements.conftest import Campaign
from tests.disbursements.test_approvals import OWN, PROVINCE, approve, funded, rule, sent
from tests.disbursements.test_run_pages import SIGNED, at, decision

__all__ = ["funded"]
pytestmark = pytest.mark.services
WRONG = {"password": "not-mine-2014"}


def failures(username: str) -> int:
    return PER_ACCOUNT - tries_left("password", username)


@pytest.mark.parametrize("what", ["approve", "return"])
def test_a_wrong_password_decides_nothing_and_is_said_at_the_field(
    funded: Campaign, as_user: AsUser, what: str
) -> None:
    run, browser = sent(funded), as_user(funded.reviewer)
    response = browser.post(at(run, "/decide"), data=decision(what, "名单属实") | WRONG)
    assert response.status_code == 401
    assert 'id="password-errors"' in response.text
    assert "alert-danger" not in response.text
    assert "名单属实" in response.text
    assert WRONG["password"] not in response.text
    assert (run.state, failures(funded.reviewer.username)) == ("submitted", 1)
    assert db.session.scalars(select(RunApproval)).all() == []
    assert browser.post(at(run, "/decide"), data=decision(what, "名单属实")).status_code == 302
    assert (run.state, failures(funded.reviewer.username)) == ("approved" if what == "approve" else "computed", 0)


def test_a_wrong_password_posts_nothing(funded: Campaign, as_user: AsUser) -> None:
    run, browser = funded.approved(), as_user(funded.finance)
    form = {"effective_on": today().isoformat()}
    assert browser.post(at(run, "/post"), data=form | WRONG).status_code == 401
    assert browser.post(at(run, "/post"), data=form).status_code == 400
    assert run.state == "approved"
    assert browser.post(at(run, "/post"), data=form | SIGNED).status_code == 302
    assert run.state == "posted"


def test_guessing_is_stopped_as_at_the_login(funded: Campaign, as_user: AsUser, client: FlaskClient) -> None:
    run, browser = sent(funded), as_user(funded.reviewer)
    for _try in range(PER_ACCOUNT):
        assert browser.post(at(run, "/decide"), data=decision("approve", "") | WRONG).status_code == 401
    right = browser.post(at(run, "/decide"), data=decision("approve", ""))
    assert right.status_code == 429
    assert 'id="password-errors"' in right.text
    assert run.state == "submitted"
    assert client.post("/login", data={"username": funded.reviewer.username, **SIGNED}).status_code == 429


def test_only_ones_own_password_is_taken(funded: Campaign, as_user: AsUser) -> None:
    """Everybody else has the one that the fixtures give."""
    run, browser = sent(funded), as_user(funded.reviewer)
    funded.reviewer.password_hash = hash_password("mine-alone-2014")
    db.session.commit()
    assert browser.post(at(run, "/decide"), data=decision("approve", "")).status_code == 401
    own = decision("approve", "") | {"password": "mine-alone-2014"}
    assert browser.post(at(run, "/decide"), data=own).status_code == 302


@pytest.mark.parametrize("seen", ["", "1", "1-2", "2-1", "x-1", "1-1 "])
def test_a_decision_on_what_was_not_shown_is_refused(funded: Campaign, as_user: AsUser, seen: str) -> None:
    run = sent(funded)
    response = as_user(funded.reviewer).post(at(run, "/decide"), data=decision("approve", "", seen))
    assert response.status_code in (400, 409)
    assert run.state == "submitted"


def test_the_form_carries_what_it_shows(funded: Campaign, as_user: AsUser, make_user: MakeUser) -> None:
    rule(funded, OWN, PROVINCE)
    second = make_user("reviewer")
    run = sent(funded)
    assert 'name="seen" type="hidden" value="1-1"' in as_user(second).get(at(run)).text
    approve(funded.reviewer, run)
    text = as_user(second).get(at(run)).text
    assert 'name="seen" type="hidden" value="1-2"' in text
    assert "本级审核" in text
    assert "省总审批" in text
    assert funded.reviewer.name in text


def test_it_waits_on_the_home_page_of_those_of_the_stage_only(
    funded: Campaign, as_user: AsUser, make_user: MakeUser
) -> None:
    city = make_user("reviewer", "6101")
    rule(funded, Stage(title="市总复核", level="city", policy=ANY), PROVINCE)
    run = sent(funded, "6101")
    assert at(run) in as_user(city).get("/").text
    assert at(run) not in as_user(funded.reviewer).get("/").text
    assert f"{at(run)}/decide" not in as_user(funded.reviewer).get(at(run)).text
    approve(city, run)
    assert at(run) not in as_user(city).get("/").text
    assert at(run) in as_user(funded.reviewer).get("/").text


def test_the_page_names_who_is_still_asked_and_who_is_lost(
    funded: Campaign, as_user: AsUser, make_user: MakeUser
) -> None:
    second = make_user("reviewer")
    second.name = "郑待签"
    db.session.commit()
    rule(funded, Stage(title="会签", level="province", policy=ALL))
    run = sent(funded)
    browser = as_user(funded.clerk)
    assert "郑待签" in browser.get(at(run)).text
    assert "alert-warning" not in browser.get(at(run)).text
    second.active = False
    db.session.commit()
    assert "alert-warning" in browser.get(at(run)).text
    assert browser.post(at(run, "/withdraw")).status_code == 302
    assert run.state == "computed"
    assert browser.post(at(run, "/withdraw")).status_code == 409


def test_only_a_maker_takes_a_run_back(funded: Campaign, as_user: AsUser) -> None:
    run = sent(funded)
    assert as_user(funded.reviewer).post(at(run, "/withdraw")).status_code == 403
    assert db.session.get_one(Run, run.id).state == "submitted"
    services.withdraw(funded.clerk, run)
