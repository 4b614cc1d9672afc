"""Whatever is tried in whatever order: an entry is in a state of its flow, and its history leads there."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ZhijiaError
from core.extensions import db
from core.programs.models import ProgramYear
from core.users.testing import MakeUser
from tests.flows.conftest import bid, stands, steps, take
from tests.plugins_for_tests.meals.bids import FLOW

pytestmark = pytest.mark.services
WHO = ("clerk 610102", "reviewer 610102", "reviewer 6101", "reviewer 61", "finance 61", "all 610102")
TRIES = st.lists(
    st.tuples(
        st.sampled_from(WHO),
        st.sampled_from([step.code for step in FLOW.transitions]),
        st.sampled_from([None, "county", "city", "province"]),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=TRIES)
def test_the_history_of_an_entry_replays_to_where_it_stands(
    meals: ProgramYear, make_user: MakeUser, tries: list[tuple[str, str, str | None]]
) -> None:
    users = {}
    for who in WHO:
        role, code = who.split()
        users[who] = make_user("clerk" if role == "all" else role, code)
        if role == "all":
            for more in ("reviewer", "finance"):
                make_user(more, code).grants[0].user = users[who]
            db.session.commit()
    clerk = users["clerk 610102"]
    row = bid(clerk, meals)
    for who, code, down_to in tries:
        try:
            take(users[who], meals, row, code, down_to=down_to)
        except ZhijiaError:
            db.session.rollback()
    state, level = FLOW.initial, None
    authors = {clerk.id}
    for step in steps(row):
        assert (step.from_state, step.at_level) == (state, level)
        transition = FLOW.transition(step.transition)
        assert transition is not None
        assert state in transition.sources
        if transition.not_creator:
            assert step.user_id not in authors
        elif state in FLOW.open_states:
            authors.add(step.user_id or 0)
        state, level = step.to_state, step.to_level
        assert state in FLOW.states
        assert (level is not None) == bool(FLOW.levels_of(state))
    assert stands(row) == (state, level)
