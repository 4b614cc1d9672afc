"""Runs on pages that are not their own: what waits for whom, a closed year, the first page of a year."""

from datetime import timedelta

import pytest

from core.disbursements import services
from core.extensions import db
from core.users.access import today
from core.users.testing import AsUser, MakeUser
from tests.disbursements.conftest import Campaign
from tests.disbursements.test_run_pages import at, funded

__all__ = ["funded"]
pytestmark = pytest.mark.services


def test_a_run_waits_for_those_who_act_next_and_not_for_its_maker(
    funded: Campaign, as_user: AsUser, make_user: MakeUser
) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    assert at(run) in as_user(funded.reviewer).get("/").text
    assert at(run) not in as_user("reviewer", "6101").get("/").text
    assert at(run) not in as_user(funded.finance).get("/").text
    services.decide(funded.reviewer, run, approve=True, comment="")
    assert at(run) in as_user(funded.finance).get("/").text
    assert at(run) not in as_user(funded.reviewer).get("/").text


def test_a_run_of_a_year_that_is_off_waits_for_nobody(funded: Campaign, as_user: AsUser) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    funded.year.enabled = False
    db.session.commit()
    assert at(run) not in as_user(funded.reviewer).get("/").text


def test_a_closed_year_can_be_read_and_not_changed(funded: Campaign, as_user: AsUser) -> None:
    run = funded.computed()
    funded.year.closes_on = today() - timedelta(days=1)
    db.session.commit()
    browser = as_user(funded.clerk)
    text = browser.get(at(run)).text
    assert "西安市总工会" in text
    assert 'method="post" action="/2014' not in text
    assert browser.post(at(run, "/submit")).status_code == 403
    assert run.state == "computed"


def test_the_first_page_of_the_year_shows_the_newest_runs(funded: Campaign, as_user: AsUser) -> None:
    run = funded.computed(title="第一批送温暖")
    text = as_user("leader").get("/2014/61/aid/").text
    assert "第一批送温暖" in text
    assert at(run) in text
