"""The part of an entry's page: where it stands, what may be done, what was done; the home page; whose data it is."""

from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask, g

from core.audit.services import SYSTEM
from core.errors import Refused
from core.extensions import db
from core.flows.models import FlowStep
from core.flows.queries import lying_below, waiting
from core.org.scope import Scope
from core.people.merging import merge
from core.people.personal import erase, show_data
from core.programs.models import ProgramYear
from core.programs.services import close
from core.registers.parts import batch_actions
from core.users.access import today
from core.users.testing import AsUser, MakeUser
from tests.flows.conftest import URL, as_seen, bid, stands, take
from tests.flows.test_votes import guest
from tests.plugins_for_tests.meals.bids import BIDS, Bid
from tests.plugins_for_tests.meals.guests import GUESTS

pytestmark = pytest.mark.services


def test_the_page_says_where_the_entry_stands_and_offers_what_its_reader_may_do(
    meals: ProgramYear, sent: Bid, as_user: AsUser
) -> None:
    page = as_user("reviewer", "610102").get(f"{URL}bids/{sent.id}").text
    for shown in ("Under review", "新城区总工会", "Draft → Under review (County)", 'value="approve"', 'value="refuse"'):
        assert shown in page
    for hidden in ('value="send_down"', 'value="withdraw"', 'value="submit"', 'name="level"'):
        assert hidden not in page
    above = as_user("reviewer", "6101").get(f"{URL}bids/{sent.id}").text
    assert "新城区总工会" in above
    assert f"bids/{sent.id}/flow" not in above


def test_the_list_offers_to_change_only_what_may_be_changed(
    meals: ProgramYear, sent: Bid, as_user: AsUser, make_user: MakeUser
) -> None:
    draft = bid(make_user("clerk", "610102"), meals)
    page = as_user("clerk", "610102").get(f"{URL}bids/").text
    assert f"bids/{draft.id}/change" in page
    assert f"bids/{sent.id}/change" not in page


def test_a_step_is_taken_with_the_button(meals: ProgramYear, sent: Bid, as_user: AsUser) -> None:
    browser, seen = as_user("reviewer", "610102"), as_seen(sent).isoformat()
    move = f"{URL}bids/{sent.id}/flow"
    done = browser.post(move, data={"step": "approve", "seen": seen, "comment": "好"}, follow_redirects=True)
    assert "Approve: 1 entries" in done.text
    assert stands(sent) == ("review", "city")
    assert "好" in browser.get(f"{URL}bids/{sent.id}").text
    city = as_user("reviewer", "6101")
    assert 'name="level"' in city.get(f"{URL}bids/{sent.id}").text
    data = {"step": "send_down", "seen": as_seen(sent).isoformat(), "comment": "再看", "level": "county"}
    assert city.post(move, data=data).status_code == 302
    assert stands(sent) == ("review", "county")


def test_a_refusal_is_a_sentence_at_its_place_and_what_was_typed_stays(
    meals: ProgramYear, sent: Bid, as_user: AsUser
) -> None:
    browser, seen = as_user("reviewer", "610102"), as_seen(sent).isoformat()
    move = f"{URL}bids/{sent.id}/flow"
    owed = browser.post(move, data={"step": "refuse", "seen": seen})
    assert owed.status_code == 400
    assert "Please give the reason." in owed.text
    as_user("reviewer", "610102").post(move, data={"step": "approve", "seen": seen})
    late = browser.post(move, data={"step": "refuse", "seen": seen, "comment": "太贵了"})
    assert late.status_code == 409
    assert "Somebody else has moved this entry on since you opened it" in late.text
    assert "太贵了" in late.text
    assert stands(sent) == ("review", "city")


@pytest.mark.parametrize("seen", ["", "nonsense", "2014-01-01", "2014-01-01T00:00:00"])
def test_a_page_that_does_not_say_what_it_showed_moves_nothing(
    meals: ProgramYear, sent: Bid, as_user: AsUser, seen: str
) -> None:
    late = as_user("reviewer", "610102").post(f"{URL}bids/{sent.id}/flow", data={"step": "approve", "seen": seen})
    assert late.status_code == 409
    assert stands(sent) == ("review", "county")


def test_an_entry_out_of_sight_and_a_step_that_does_not_exist_are_not_found(
    meals: ProgramYear, sent: Bid, as_user: AsUser
) -> None:
    data = {"step": "approve", "seen": as_seen(sent).isoformat()}
    assert as_user("reviewer", "6102").post(f"{URL}bids/{sent.id}/flow", data=data).status_code == 404
    assert as_user("reviewer", "610102").post(f"{URL}bids/{sent.id}/flow", data=data | {"step": "x"}).status_code == 404
    assert as_user("reviewer", "61").post(f"{URL}bids/{sent.id}/flow", data=data).status_code == 403


def test_in_a_closed_year_nothing_moves_and_nothing_is_offered_or_waits(
    meals: ProgramYear, sent: Bid, as_user: AsUser, make_user: MakeUser
) -> None:
    reviewer = make_user("reviewer", "610102")
    browser, data = as_user(reviewer), {"step": "approve", "seen": as_seen(sent).isoformat()}
    meals.closes_on = today() - timedelta(days=1)
    db.session.commit()
    assert "/flow" not in browser.get(f"{URL}bids/{sent.id}").text
    assert browser.post(f"{URL}bids/{sent.id}/flow", data=data).status_code == 403
    assert waiting(reviewer) == []
    assert batch_actions(reviewer, BIDS, meals) == []


def test_an_entry_on_its_way_offers_no_change(meals: ProgramYear, sent: Bid, as_user: AsUser) -> None:
    browser = as_user("clerk", "610102")
    assert "/change" not in browser.get(f"{URL}bids/{sent.id}").text.split("<main")[1]
    assert browser.get(f"{URL}bids/{sent.id}/change").status_code == 409
    removed = browser.post(f"{URL}bids/{sent.id}/remove", follow_redirects=True)
    assert "it can be changed only in" in removed.text


def test_files_are_attached_only_while_the_entry_may_be_changed(
    meals: ProgramYear, make_user: MakeUser, as_user: AsUser
) -> None:
    clerk = make_user("clerk", "610102")
    row, browser = bid(clerk, meals), as_user(clerk)
    files = f"{URL}bids/{row.id}/files/"

    def attach(text: bytes) -> int:
        return browser.post(files, data={"file": (BytesIO(text), "menu.txt")}).status_code

    assert attach(b"one") == 302
    take(clerk, meals, row, "submit")
    assert attach(b"two") == 409
    assert browser.post(f"{files}1/remove").status_code == 409


def test_votes_so_far_are_named(meals: ProgramYear, make_user: MakeUser, as_user: AsUser) -> None:
    clerk, first = make_user("clerk", "610102"), make_user("reviewer", "610102")
    make_user("reviewer", "610102")
    row = guest(clerk, meals)
    take(clerk, meals, row, "submit", GUESTS)
    browser = as_user(first)
    said = browser.post(
        f"{URL}guests/{row.id}/flow", data={"step": "hear", "seen": as_seen(row).isoformat()}, follow_redirects=True
    )
    assert "hear: decided for 1 entries, 1 of them wait for the others who are asked." in said.text
    assert "Have decided already" in said.text
    assert "You have decided about this entry already; the others are still asked." in said.text


def test_the_bar_of_the_list_has_the_steps_that_its_reader_may_take(
    app: Flask, meals: ProgramYear, make_user: MakeUser
) -> None:
    def titles(role: str) -> list[str]:
        user = make_user(role, "6101")
        with app.test_request_context(URL + "bids/"):
            g.program_year = meals
            return [str(one.title) for one in batch_actions(user, BIDS, meals) if one.title != "Post a public notice"]

    assert titles("clerk") == ["Submit", "Withdraw"]
    assert titles("reviewer") == ["Approve", "Return", "Refuse"]
    assert titles("leader") == []


def test_what_waits_is_for_the_union_at_which_it_waits(
    meals: ProgramYear, sent: Bid, make_user: MakeUser, as_user: AsUser
) -> None:
    reviewer = make_user("reviewer", "610102")
    assert [(one.register.code, one.state, one.count) for one in waiting(reviewer)] == [("meals.bids", "review", 1)]
    assert waiting(reviewer)[0].oldest_due == sent.due_on
    for role, org_code in (("reviewer", "6101"), ("reviewer", "610103"), ("clerk", "610102"), ("leader", "610102")):
        assert waiting(make_user(role, org_code)) == []  # who could withdraw it is not waited for
    home = as_user(reviewer).get("/").text
    assert "Bids: Under review" in home
    assert "/registers/bids/?f-state=review" in home


def test_a_returned_entry_waits_for_who_made_it_and_a_draft_for_nobody(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "610102")
    row = bid(clerk, meals)
    assert waiting(clerk) == []
    take(clerk, meals, row, "submit")
    take(make_user("reviewer", "610102"), meals, row, "return")
    assert [(one.state, one.count) for one in waiting(clerk)] == [("returned", 1)]
    assert waiting(make_user("clerk", "610102")) == []


@pytest.mark.parametrize(("days", "late"), [(0, 0), (-1, 1)])
def test_due_today_is_not_overdue(
    meals: ProgramYear, sent: Bid, make_user: MakeUser, as_user: AsUser, days: int, late: int
) -> None:
    sent.due_on = today() + timedelta(days=days)
    db.session.commit()
    make_user("reviewer", "610102")
    found = lying_below(make_user("leader", "6101"), "", 10)
    assert [(one.state, one.org.code, one.overdue, one.stuck) for one in found] == [("review", "610102", 1, 0)] * late
    assert lying_below(make_user("leader", "6102"), "", 10) == []
    assert (", overdue" in as_user("leader", "6101").get(f"{URL}bids/{sent.id}").text) == bool(late)


def test_steps_go_with_the_person_and_their_comments_are_erased(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk, everywhere = make_user("clerk"), Scope(("/",))
    dropped, kept = guest(clerk, meals), guest(clerk, meals)
    for number in range(2):
        make_user("reviewer", "610102", username=f"hearer{number}")
    take(clerk, meals, dropped, "submit", GUESTS, comment="病重")
    row_id, kept_id = dropped.id, kept.person_id
    db.session.delete(kept)
    db.session.commit()
    merge(clerk, everywhere, kept_id, dropped.person_id)
    assert {step.person_id for step in db.session.query(FlowStep).filter_by(row_id=row_id)} == {kept_id}
    admin = make_user("admin")
    shown = [one for one in show_data(admin, everywhere, kept_id) if "comment of" in str(one.title)]
    assert [dict(one.values) for one in shown] == [{clerk.name: "病重"}]
    erased = erase(admin, everywhere, kept_id, "asked for it")
    assert {"Erased": "1 comments were erased."} in [dict(one.values) for one in erased]
    assert [step.comment for step in db.session.query(FlowStep)] == [""]


def test_a_year_in_which_entries_wait_is_not_closed_for_good(
    meals: ProgramYear, sent: Bid, make_user: MakeUser
) -> None:
    with pytest.raises(Refused, match="Bids: 1 entries still wait for a decision"):
        close(SYSTEM, meals)
    sent.state = "approved"
    db.session.commit()
    close(SYSTEM, meals)
    assert meals.closed_at is not None
