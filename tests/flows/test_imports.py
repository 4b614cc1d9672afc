"""Entries that an import makes begin like any other, and stay when they are on their way."""

import io
from collections.abc import Callable

import pytest

from core.errors import Forbidden
from core.extensions import db
from core.imports import services as imports
from core.org.models import Org
from core.programs.models import ProgramYear
from core.users.testing import MakeUser
from tests.flows.conftest import stands, take
from tests.imports.conftest import xlsx
from tests.plugins_for_tests.meals.bids import BIDS, Bid

pytestmark = pytest.mark.services


def test_an_imported_entry_is_a_draft_of_who_imported_it_and_stays_once_it_was_sent(
    meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser, run_jobs: Callable[[], int]
) -> None:
    clerk = make_user("clerk", "610102")
    extra = make_user("reviewer", "610102")
    extra.grants[0].user = clerk
    db.session.commit()
    content = xlsx([("610102001", "面"), ("610102001", "饼")], ("工会代码", "Dish"))
    one = imports.upload(clerk, BIDS, meals, io.BytesIO(content), "bids.xlsx")
    assert (one.good, one.bad) == (2, 0)
    imports.start_merge(clerk, one, BIDS, meals, only_good=False)
    run_jobs()
    sent, kept = db.session.query(Bid).order_by(Bid.id)
    assert {(row.state, row.made_by) for row in (sent, kept)} == {("draft", clerk.id)}
    take(make_user("clerk", "610102"), meals, sent, "submit")
    with pytest.raises(Forbidden, match="You made, changed or submitted"):
        take(clerk, meals, sent, "approve")
    db.session.refresh(one)
    imports.undo(clerk, one, BIDS, meals)
    assert [row.id for row in db.session.query(Bid)] == [sent.id]
    assert stands(sent) == ("review", "county")
