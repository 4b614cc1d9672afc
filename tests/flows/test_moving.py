"""Who may move an entry, and where to: refusals first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from flask import Flask

from core.audit.models import AuditLine
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.flows.models import FlowStep
from core.flows.services import LONGEST_COMMENT
from core.org.models import Org
from core.plugin.flow import Flow, Transition
from core.programs.models import ProgramYear
from core.registers.history import values_of
from core.registers.services import change, remove
from core.registers.states import deadline
from core.users.access import today
from core.users.models import User
from core.users.testing import MakeUser
from core.wall import beyond_scope
from tests.flows.conftest import as_seen, bid, may, stands, steps, switch_on, take
from tests.plugins_for_tests.meals.bids import BIDS, Bid

pytestmark = pytest.mark.services
FRIDAY = date(2017, 12, 1)


def test_a_new_entry_is_a_draft_of_its_maker_and_waits_for_nobody(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "610102")
    row = bid(clerk, meals)
    assert stands(row) == ("draft", None)
    assert (row.made_by, row.due_on) == (clerk.id, None)
    # Whatever else puts rows in, the table itself says where they begin.
    db.session.add(Bid(program_year_id=meals.id, org_id=meals.org_id, org_path="/61/", dish="饼"))
    db.session.commit()
    assert db.session.query(Bid).filter_by(dish="饼").one().state == "draft"


def test_an_entry_climbs_from_union_to_union_up_to_the_sponsor(meals: ProgramYear, make_user: MakeUser) -> None:
    row = bid(make_user("clerk", "610102"), meals, "610102-bus")
    take(make_user("clerk", "610102"), meals, row, "submit")
    assert stands(row) == ("review", "county")
    take(make_user("reviewer", "610102"), meals, row, "approve")
    assert stands(row) == ("review", "city")
    take(make_user("reviewer", "6101"), meals, row, "approve")
    assert stands(row) == ("review", "province")
    take(make_user("reviewer", "61"), meals, row, "approve", comment="good")
    assert stands(row) == ("approved", None)
    assert [(step.transition, step.at_level, step.to_level, step.moved) for step in steps(row)] == [
        ("submit", None, "county", True),
        ("approve", "county", "city", True),
        ("approve", "city", "province", True),
        ("approve", "province", None, True),
    ]
    assert steps(row)[-1].comment == "good"
    lines = db.session.query(AuditLine).filter_by(action="flow.move").order_by(AuditLine.id).all()
    assert [line.object for line in lines] == [f"meals.bids:{row.id}"] * 4
    assert [line.data["step"] for line in lines] == ["submit", "approve", "approve", "approve"]


@pytest.mark.parametrize(
    ("org_code", "first"),
    [
        ("610102001", "county"),
        ("610102", "city"),
        ("6101", "province"),
        ("61-transport", "province"),
        ("61", "province"),
    ],
)
def test_a_level_above_which_the_entry_has_no_union_is_left_out(
    meals: ProgramYear, make_user: MakeUser, org_code: str, first: str
) -> None:
    clerk = make_user("clerk", "61")
    row = bid(clerk, meals, org_code)
    take(clerk, meals, row, "submit")
    assert stands(row) == ("review", first)


def test_the_way_up_ends_at_the_sponsor(small_tree: dict[str, Org], make_user: MakeUser) -> None:
    year, clerk = switch_on(small_tree["6101"]), make_user("clerk", "6101")
    row = bid(clerk, year)
    take(clerk, year, row, "submit")
    take(make_user("reviewer", "610102"), year, row, "approve")
    assert stands(row) == ("review", "city")
    with pytest.raises(Forbidden):
        take(make_user("reviewer", "61"), year, row, "approve")
    take(make_user("reviewer", "6101"), year, row, "approve")
    assert stands(row) == ("approved", None)


def test_an_industry_union_reviews_what_its_units_bid_wherever_they_lie(
    small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    year, clerk = switch_on(small_tree["61-transport"]), make_user("clerk", "61-transport")
    row = bid(clerk, year, "610102-bus")
    take(clerk, year, row, "submit")
    assert stands(row) == ("review", "city")
    for stranger in ("6101", "610102", "61"):  # the city of its place is of the same level, and has no part in it
        with pytest.raises(Forbidden):
            take(make_user("reviewer", stranger), year, row, "approve")
    take(make_user("reviewer", "61-transport"), year, row, "approve")
    assert stands(row) == ("approved", None)


@pytest.mark.parametrize(
    ("role", "org_code"),
    [
        ("reviewer", "6101"),  # above the union at which it waits
        ("reviewer", "610103"),  # beside it
        ("reviewer", "610102001"),  # below it
        ("clerk", "610102"),  # there, without the permission
    ],
)
def test_only_who_holds_the_permission_at_that_union_may(
    meals: ProgramYear, make_user: MakeUser, role: str, org_code: str
) -> None:
    row = bid(make_user("clerk", "610102"), meals)
    take(make_user("clerk", "610102"), meals, row, "submit")
    stranger = make_user(role, org_code)
    assert "approve" not in may(stranger, meals, row)
    with pytest.raises(Forbidden, match="waits at a union"):
        take(stranger, meals, row, "approve")
    assert stands(row) == ("review", "county")


def test_a_grant_that_has_run_out_or_is_for_another_program_does_not_count(
    meals: ProgramYear, make_user: MakeUser
) -> None:
    row = bid(make_user("clerk", "610102"), meals)
    take(make_user("clerk", "610102"), meals, row, "submit")
    gone, player = make_user("reviewer", "610102"), make_user("reviewer", "610102")
    gone.grants[0].until, player.grants[0].program = today() - timedelta(days=1), "chess"
    db.session.commit()
    for user in (gone, player):
        with pytest.raises(Forbidden):
            take(user, meals, row, "approve")
    take(make_user("reviewer", "610102", program="meals"), meals, row, "approve")


def grant_too(make_user: MakeUser, role: str, org_code: str, user: object) -> None:
    """Give ``user`` the role of another user, who is made for that."""
    giver = make_user(role, org_code)
    giver.grants[0].user = user  # type: ignore[assignment]
    db.session.commit()


def test_nobody_reviews_what_they_made_changed_or_submitted(meals: ProgramYear, make_user: MakeUser) -> None:
    maker, changer, sender = (make_user("clerk", "610102") for _ in range(3))
    for user in (maker, changer, sender):
        grant_too(make_user, "reviewer", "610102", user)
    row = bid(maker, meals)
    change(changer, BIDS, meals, row, {"dish": "饭"}, values_of(BIDS, row))
    take(sender, meals, row, "submit")
    for user in (maker, changer, sender):
        assert may(user, meals, row) == ["withdraw"]
        with pytest.raises(Forbidden, match="You made, changed or submitted this entry"):
            take(user, meals, row, "approve")
    assert stands(row) == ("review", "county")
    take(make_user("reviewer", "610102"), meals, row, "approve")


def test_nobody_reviews_at_two_levels(meals: ProgramYear, make_user: MakeUser) -> None:
    row = bid(make_user("clerk", "610102"), meals)
    take(make_user("clerk", "610102"), meals, row, "submit")
    both = make_user("reviewer", "610102")
    grant_too(make_user, "reviewer", "6101", both)
    take(both, meals, row, "approve")
    with pytest.raises(Forbidden, match="You have taken a step"):
        take(both, meals, row, "approve")
    # Sent back to the level at which they approved, they look at it again.
    take(make_user("reviewer", "6101"), meals, row, "send_down", down_to="county")
    assert stands(row) == ("review", "county")
    take(both, meals, row, "approve")
    assert stands(row) == ("review", "city")


def test_whoever_returned_an_entry_may_review_it_again(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk, reviewer = make_user("clerk", "610102"), make_user("reviewer", "610102")
    row = bid(clerk, meals)
    take(clerk, meals, row, "submit")
    take(reviewer, meals, row, "return", comment="what is in it?")
    assert stands(row) == ("returned", None)
    change(clerk, BIDS, meals, row, {"dish": "牛肉面"}, values_of(BIDS, row))
    take(clerk, meals, row, "submit")
    take(reviewer, meals, row, "approve")
    assert stands(row) == ("review", "city")


def test_who_approves_does_not_pay(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk, reviewer = make_user("clerk", "61"), make_user("reviewer", "61")
    grant_too(make_user, "finance", "61", reviewer)
    row = bid(clerk, meals, "61")
    take(clerk, meals, row, "submit")
    take(reviewer, meals, row, "approve")
    with pytest.raises(Forbidden):
        take(reviewer, meals, row, "pay")
    take(make_user("finance", "61"), meals, row, "pay")
    assert stands(row) == ("paid", None)


@pytest.mark.parametrize("down_to", ["", "city", "province", "township", "village", "nowhere"])
def test_an_entry_is_returned_only_to_a_union_below_that_it_has(
    meals: ProgramYear, make_user: MakeUser, down_to: str
) -> None:
    row = bid(make_user("clerk", "610102"), meals)
    take(make_user("clerk", "610102"), meals, row, "submit")
    take(make_user("reviewer", "610102"), meals, row, "approve")
    with pytest.raises(Refused, match="below the one") as refused:
        take(make_user("reviewer", "6101"), meals, row, "send_down", down_to=down_to)
    assert refused.value.field == "level"
    assert stands(row) == ("review", "city")


def test_the_sponsor_returns_an_entry_to_any_level_below(meals: ProgramYear, make_user: MakeUser) -> None:
    row = bid(make_user("clerk", "610102"), meals)
    take(make_user("clerk", "610102"), meals, row, "submit")
    take(make_user("reviewer", "610102"), meals, row, "approve")
    take(make_user("reviewer", "6101"), meals, row, "approve")
    take(make_user("reviewer", "61"), meals, row, "send_down", down_to="county")
    assert stands(row) == ("review", "county")


def test_the_second_of_two_is_told(meals: ProgramYear, make_user: MakeUser) -> None:
    row = bid(make_user("clerk", "610102"), meals)
    take(make_user("clerk", "610102"), meals, row, "submit")
    seen = as_seen(row)
    take(make_user("reviewer", "610102"), meals, row, "approve", seen=seen)
    late = make_user("reviewer", "610102")
    grant_too(make_user, "reviewer", "6101", late)  # who might even decide at the next level, unawares
    with pytest.raises(Refused, match="Somebody else has moved this entry on"):
        take(late, meals, row, "approve", seen=seen)
    assert stands(row) == ("review", "city")


def test_a_step_that_does_not_lead_out_of_the_state_is_refused(meals: ProgramYear, make_user: MakeUser) -> None:
    row = bid(make_user("clerk", "610102"), meals)
    with pytest.raises(Refused, match="does not lead out"):
        take(make_user("finance", "61"), meals, row, "pay")
    with pytest.raises(NotFound):
        take(make_user("finance", "61"), meals, Bid(id=row.id + 1), "pay")


def test_a_reason_is_owed_and_has_an_end(meals: ProgramYear, make_user: MakeUser) -> None:
    row = bid(make_user("clerk", "610102"), meals)
    take(make_user("clerk", "610102"), meals, row, "submit")
    reviewer = make_user("reviewer", "610102")
    for comment in ("", "长" * (LONGEST_COMMENT + 1)):
        with pytest.raises(ZhijiaError) as refused:
            take(reviewer, meals, row, "refuse", comment=comment)
        assert refused.value.field == "comment"
    take(reviewer, meals, row, "refuse", comment="长" * LONGEST_COMMENT)
    assert stands(row) == ("refused", None)


def test_an_entry_on_its_way_is_not_changed_or_removed(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "610102")
    row = bid(clerk, meals)
    take(clerk, meals, row, "submit")
    sentence = "in the state “Under review”; it can be changed only in “Draft”, “Returned”"
    with pytest.raises(Refused, match=sentence):
        change(clerk, BIDS, meals, row, {"dish": "饭"}, values_of(BIDS, row))
    with pytest.raises(Refused, match=sentence):
        remove(clerk, BIDS, meals, row)
    assert db.session.query(Bid).one().dish == "面"
    take(clerk, meals, row, "withdraw")
    change(clerk, BIDS, meals, row, {"dish": "饭"}, values_of(BIDS, row))
    remove(clerk, BIDS, meals, row)
    assert db.session.query(Bid).count() == 0
    assert db.session.query(FlowStep).count() == 2


def test_a_deadline_is_counted_in_working_days_anew_at_each_level(
    meals: ProgramYear, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.registers.states.today", lambda: FRIDAY)
    row = bid(make_user("clerk", "610102"), meals)
    take(make_user("clerk", "610102"), meals, row, "submit")
    assert stands(row) and row.due_on == date(2017, 12, 8)
    monkeypatch.setattr("core.registers.states.today", lambda: date(2017, 12, 8))
    take(make_user("reviewer", "610102"), meals, row, "approve")
    assert stands(row) and row.due_on == date(2017, 12, 15)
    take(make_user("reviewer", "6101"), meals, row, "return")
    assert stands(row) and row.due_on is None


def test_the_number_of_days_is_a_setting_of_the_year(small_tree: dict[str, Org], make_user: MakeUser) -> None:
    year, clerk = switch_on(small_tree["61"], review_days=0), make_user("clerk", "610102")
    row = bid(clerk, year)
    take(clerk, year, row, "submit")
    assert stands(row) and row.due_on is None


def test_of_two_at_the_same_moment_one_moves_the_entry_and_the_other_is_told(
    app: Flask, meals: ProgramYear, make_user: MakeUser
) -> None:
    row = bid(make_user("clerk", "610102"), meals)
    take(make_user("clerk", "610102"), meals, row, "submit")
    seen, row_id, year_id = as_seen(row), row.id, meals.id
    users = [make_user("reviewer", "610102").id for _ in range(4)]
    db.session.commit()
    together = Barrier(len(users))

    def approve(user_id: int) -> str:
        with app.app_context(), beyond_scope("a test"):
            user, year = db.session.get_one(User, user_id), db.session.get_one(ProgramYear, year_id)
            entry = db.session.get_one(Bid, row_id)
            together.wait()
            try:
                take(user, year, entry, "approve", seen=seen)
            except Refused as refused:
                return str(refused)
            return "moved"

    with ThreadPoolExecutor(len(users)) as pool:
        said = sorted(pool.map(approve, users))
    assert said == ["Somebody else has moved this entry on since you opened it; look at it again."] * 3 + ["moved"]
    assert stands(row) == ("review", "city")
    assert len(steps(row)) == 2


def test_the_earliest_of_a_states_deadlines_counts(meals: ProgramYear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.registers.states.today", lambda: FRIDAY)
    days = {"pay": 5, "check": 2, "drop": None}
    steps = tuple(
        Transition(code=code, title=code, source="draft", target="done", permission="people.view", working_days=count)
        for code, count in days.items()
    )
    flow = Flow(states={"draft": "Draft", "done": "Done"}, transitions=steps)
    assert deadline(flow, "draft", meals) == date(2017, 12, 5)
    assert deadline(flow, "done", meals) is None
