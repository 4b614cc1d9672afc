"""Steps that an entry must meet a condition for: one by one, in batches, on pages, and in what waits for whom."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from core.errors import Forbidden, Refused
from core.extensions import db
from core.flows import services
from core.flows.deciders import deciders, stages_of
from core.flows.queries import count_by_hindrance, database_now, options_of, the_move, waiting
from core.org.models import Org
from core.plugin.flow import Flow, Transition
from core.plugin.registry import registry_of
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.history import values_of
from core.registers.services import change
from core.users.models import User
from core.users.testing import AsUser, MakeUser
from tests.flows.conftest import URL, as_seen, bid, may, stands, take
from tests.plugins_for_tests.meals.bids import BIDS, FLOW, Bid

pytestmark = pytest.mark.services
BECAUSE = "A dish has a name of two signs."


def on_condition(step: Transition) -> Transition:
    """The same step, for bids whose dish is named by two signs at least; none is no name."""
    return replace(step, provided=lambda: func.length(func.nullif(Bid.dish, "")) >= 2, provided_because=BECAUSE)


def step_of(code: str) -> Transition:
    step = FLOW.transition(code)
    assert step is not None
    return step


@pytest.fixture(autouse=True)
def strict(meals: ProgramYear, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bids are approved only with a dish of two signs, and have a state ``tasting`` in which they can be changed."""
    tasted = (
        Transition(code="taste", title="Taste", source="approved", target="tasting", permission="meals.review"),
        Transition(code="praise", title="Praise", source="tasting", target="paid", permission="meals.review"),
    )
    steps = tuple(on_condition(step) if step.code == "approve" else step for step in FLOW.transitions)
    flow = Flow(
        states={**FLOW.states, "tasting": "Tasting"},
        transitions=(*steps, *tasted),
        editable=("draft", "returned", "tasting"),
    )
    monkeypatch.setitem(registry_of().registers, BIDS.code, replace(BIDS, flow=flow))


def bids() -> Register:
    """The register as it is loaded."""
    return registry_of().registers[BIDS.code]


def put(clerk: User, year: ProgramYear, dish: str) -> Bid:
    """A bid that waits at its county."""
    row = bid(clerk, year, dish=dish)
    take(clerk, year, row, "submit", bids())
    return row


@pytest.mark.parametrize("dish", ["", "面"])
def test_a_step_is_refused_with_its_sentence_while_the_entry_does_not_meet_its_condition(
    meals: ProgramYear, make_user: MakeUser, dish: str
) -> None:
    clerk, reviewer = make_user("clerk", "610102"), make_user("reviewer", "610102")
    row = put(clerk, meals, dish)
    assert "approve" not in may(reviewer, meals, row, bids())
    options = options_of(reviewer, bids(), meals, row)
    assert [step.code for step in options.lacking] == ["approve"]
    assert options.hindrance is None
    with pytest.raises(Refused, match=BECAUSE):
        take(reviewer, meals, row, "approve", bids())
    assert stands(row) == ("review", "county")
    take(clerk, meals, row, "withdraw", bids())
    change(clerk, bids(), meals, row, {"dish": "汤面"}, values_of(BIDS, row))
    take(clerk, meals, row, "submit", bids())
    take(reviewer, meals, row, "approve", bids())
    assert stands(row) == ("review", "city")


def test_whoever_may_not_take_the_step_anyway_is_told_that(meals: ProgramYear, make_user: MakeUser) -> None:
    row, stranger = put(make_user("clerk", "610102"), meals, "面"), make_user("reviewer", "610103")
    with pytest.raises(Forbidden, match="waits at a union"):
        take(stranger, meals, row, "approve", bids())
    assert not options_of(stranger, bids(), meals, row).lacking


def test_of_many_those_that_meet_it_are_moved_and_the_others_counted(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk, reviewer = make_user("clerk", "610102"), make_user("reviewer", "610102")
    rows = [put(clerk, meals, dish) for dish in ("", "面", "汤面")]
    register = bids()
    step = on_condition(step_of("approve"))
    move = the_move(reviewer, register, meals, step, seen=database_now())
    assert count_by_hindrance(move, select(Bid.id)) == {None: 1, "provided": 2}
    assert services.move_chosen(move, select(Bid.id)).taken == 1
    assert [stands(row) for row in rows] == [("review", "county"), ("review", "county"), ("review", "city")]


def test_the_pages_say_why(meals: ProgramYear, make_user: MakeUser, as_user: AsUser) -> None:
    row = put(make_user("clerk", "610102"), meals, "面")
    browser = as_user("reviewer", "610102")
    page = browser.get(f"{URL}bids/{row.id}").text
    assert f"Approve: {BECAUSE}" in page
    assert 'value="approve"' not in page
    assert 'value="refuse"' in page
    pressed = browser.post(f"{URL}bids/{row.id}/flow", data={"step": "approve", "seen": as_seen(row).isoformat()})
    assert (pressed.status_code, BECAUSE in pressed.text) == (409, True)
    asked = browser.post(f"{URL}bids/flow/approve", data={"all": "1"})
    assert f"1 entries: {BECAUSE}" in asked.text
    assert "0 entries can take this step." in asked.text
    db.session.refresh(row)
    stranger = as_user("reviewer", "610103").get(f"{URL}bids/{row.id}")
    assert BECAUSE not in stranger.text


def test_an_entry_waits_for_nobody_who_can_take_none_of_its_steps(
    small_tree: dict[str, Org], meals: ProgramYear, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, reviewer = make_user("clerk", "610102"), make_user("reviewer", "610102")
    put(clerk, meals, "面")
    assert [item.count for item in waiting(reviewer)] == [1]  # it can be returned
    flow = bids().flow
    assert flow is not None
    only = tuple(step for step in flow.transitions if step.code not in ("return", "refuse", "send_down"))
    states = {code: title for code, title in flow.states.items() if code not in ("returned", "refused")}
    fewer = replace(BIDS, flow=replace(flow, transitions=only, states=states))
    monkeypatch.setitem(registry_of().registers, BIDS.code, fewer)
    assert waiting(reviewer) == []
    pairs = db.session.execute(deciders(stages_of(fewer, meals, small_tree["61"]))).all()
    assert pairs == []
    row = put(clerk, meals, "汤面")
    assert [item.count for item in waiting(reviewer)] == [1]
    pairs = db.session.execute(deciders(stages_of(fewer, meals, small_tree["61"]))).all()
    assert [tuple(pair) for pair in pairs] == [(reviewer.id, row.id)]


def test_to_decide_in_a_state_that_can_be_changed_makes_nobody_an_author(
    small_tree: dict[str, Org], meals: ProgramYear, make_user: MakeUser
) -> None:
    clerk, register = make_user("clerk", "610102"), bids()
    row = put(clerk, meals, "汤面")
    county, city, province = (make_user("reviewer", code) for code in ("610102", "6101", "61"))
    for reviewer in (county, city, province):
        take(reviewer, meals, row, "approve", register)
    taster = make_user("reviewer", "610102")
    take(taster, meals, row, "taste", register)
    assert stands(row) == ("tasting", None)
    other = make_user("reviewer", "610102")
    assert [item.state for item in waiting(other)] == ["tasting"]
    pairs = db.session.execute(deciders(stages_of(register, meals, small_tree["61"]), Bid.state == "tasting")).all()
    assert other.id in [user_id for user_id, _row_id in pairs]
    with pytest.raises(Forbidden, match="You have taken a step"):  # the one who let it in, and the one who approved
        take(taster, meals, row, "praise", register)
    with pytest.raises(Forbidden, match="You have taken a step"):
        take(county, meals, row, "praise", register)
    change(clerk, register, meals, row, {"dish": "牛肉面"}, values_of(BIDS, row))
    take(make_user("reviewer", "610102"), meals, row, "praise", register)
    assert stands(row) == ("paid", None)
