"""Steps that several people decide: all who were asked, or a number of them; and nobody twice."""

from itertools import count

import pytest
from stdnum.cn.ric import calc_check_digit

from core.audit.services import SYSTEM
from core.errors import Forbidden, Refused
from core.extensions import db
from core.org.scope import Scope
from core.people.services import PersonRow, register_people
from core.programs.models import ProgramYear
from core.registers.services import add
from core.users.models import User
from core.users.testing import MakeUser
from tests.flows.conftest import may, stands, steps, take
from tests.plugins_for_tests.meals.guests import GUESTS, Guest

pytestmark = pytest.mark.services
_serial = count(1)


def guest(clerk: User, year: ProgramYear, org_code: str = "610102001") -> Guest:
    """A fictional person on file, made a guest."""
    body = f"61010219850505{next(_serial) * 2:03d}"
    number = body + calc_check_digit(body + "0")
    register_people(SYSTEM, [PersonRow(org_code=org_code, name="王芳", id_number=number)], Scope(("/",)))
    row = add(clerk, GUESTS, year, {"id_number": number, "likes": "汤"})
    assert isinstance(row, Guest)
    return row


def test_all_who_held_the_permission_on_arrival_decide(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk, first, second = (
        make_user("clerk", "610102"),
        make_user("reviewer", "610102"),
        make_user("reviewer", "610102"),
    )
    make_user("reviewer", "610103")
    row = guest(clerk, meals)
    take(clerk, meals, row, "submit", GUESTS)
    assert sorted(steps(row, GUESTS)[0].voters or []) == [first.id, second.id]
    late = make_user("reviewer", "610102")
    with pytest.raises(Forbidden, match="Those who held the permission when the entry arrived"):
        take(late, meals, row, "hear", GUESTS)
    done = take(first, meals, row, "hear", GUESTS)
    assert (done.taken, done.moved, stands(row)) == (1, 0, ("hearing", "county"))
    assert may(first, meals, row, GUESTS) == []
    with pytest.raises(Refused, match="You have decided about this entry already"):
        take(first, meals, row, "hear", GUESTS)
    done = take(second, meals, row, "hear", GUESTS)
    assert (done.moved, stands(row)) == (1, ("panel", "province"))
    assert [(step.moved, step.to_state) for step in steps(row, GUESTS)] == [
        (True, "hearing"), (False, "hearing"), (True, "panel"),
    ]  # fmt: skip


@pytest.mark.parametrize("loss", ["account", "grant"])
def test_who_may_not_decide_any_more_is_not_waited_for(meals: ProgramYear, make_user: MakeUser, loss: str) -> None:
    clerk, first, second = (
        make_user("clerk", "610102"),
        make_user("reviewer", "610102"),
        make_user("reviewer", "610102"),
    )
    row = guest(clerk, meals)
    take(clerk, meals, row, "submit", GUESTS)
    if loss == "account":
        second.active = False
    else:
        db.session.delete(second.grants[0])
    db.session.commit()
    take(first, meals, row, "hear", GUESTS)
    assert stands(row) == ("panel", "province")


def test_if_nobody_who_was_asked_is_left_anybody_there_decides(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk, only = make_user("clerk", "610102"), make_user("reviewer", "610102")
    row, unasked = guest(clerk, meals), guest(clerk, meals)
    take(clerk, meals, row, "submit", GUESTS)
    only.active = False
    db.session.commit()
    take(clerk, meals, unasked, "submit", GUESTS)
    assert steps(unasked, GUESTS)[0].voters is None
    late = make_user("reviewer", "610102")
    for one in (row, unasked):
        take(late, meals, one, "hear", GUESTS)
        assert stands(one) == ("panel", "province")


def test_who_made_the_entry_is_not_asked(meals: ProgramYear, make_user: MakeUser) -> None:
    maker, other = make_user("clerk", "610102"), make_user("reviewer", "610102")
    extra = make_user("reviewer", "610102")
    extra.grants[0].user = maker
    db.session.commit()
    row = guest(maker, meals)
    take(make_user("clerk", "610102"), meals, row, "submit", GUESTS)
    assert steps(row, GUESTS)[0].voters == [other.id]
    take(other, meals, row, "hear", GUESTS)
    assert stands(row) == ("panel", "province")


def test_a_number_of_votes_is_needed_and_counted_anew_when_the_entry_comes_back(
    meals: ProgramYear, make_user: MakeUser
) -> None:
    clerk, hearer = make_user("clerk", "610102"), make_user("reviewer", "610102")
    first, second, third = (make_user("reviewer", "61") for _ in range(3))
    row = guest(clerk, meals)
    take(clerk, meals, row, "submit", GUESTS)
    take(hearer, meals, row, "hear", GUESTS)
    take(first, meals, row, "admit", GUESTS)
    assert stands(row) == ("panel", "province")
    take(third, meals, row, "return", GUESTS)
    take(clerk, meals, row, "submit", GUESTS)
    take(hearer, meals, row, "hear", GUESTS)
    take(second, meals, row, "admit", GUESTS)
    assert stands(row) == ("panel", "province")
    with pytest.raises(Refused, match="already"):
        take(second, meals, row, "admit", GUESTS)
    take(first, meals, row, "admit", GUESTS)
    assert stands(row) == ("admitted", None)
