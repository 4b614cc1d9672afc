"""Roles that do not go together: refused when given, found where they are held."""

from collections.abc import Callable
from datetime import timedelta
from itertools import combinations

import pytest
from click.testing import Result
from flask import Flask

from core.audit.services import SYSTEM
from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.users.access import today
from core.users.conflicts import conflicts
from core.users.roles import INCOMPATIBLE, PERMISSIONS, ROLES
from core.users.services import GrantRequest, create_user, give_grant, set_active
from core.users.testing import PASSWORD, AsUser, MakeUser, hold

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]
Tree = dict[str, Org]
ALLOWED = {frozenset(pair) for pair in combinations(ROLES, 2)} - set(INCOMPATIBLE)


def test_the_pairs_are_those_of_the_rules() -> None:
    moves = {"run.approve", "run.post", "ledger.allot", "ledger.post", "ledger.close"}
    money = {role for item in PERMISSIONS if item.code in moves for role in item.roles}
    changes = {role for item in PERMISSIONS if not item.code.endswith((".view", ".data")) for role in item.roles}
    pairs = {frozenset(pair) for pair in combinations(("clerk", "reviewer", "finance"), 2)}
    pairs |= {frozenset({"admin", role}) for role in money}
    pairs |= {frozenset({"auditor", role}) for role in changes - {"auditor", "leader"}}
    assert set(INCOMPATIBLE) == pairs


@pytest.mark.parametrize("pair", sorted(map(sorted, INCOMPATIBLE)))
def test_a_role_that_does_not_go_with_one_held_is_refused(
    make_user: MakeUser, small_tree: Tree, pair: list[str]
) -> None:
    for first, second in (pair, reversed(pair)):
        user = make_user(first, "6101")
        with pytest.raises(Refused) as refused:
            give_grant(SYSTEM, user, GrantRequest(role=second, org=small_tree["6101"]))
        assert refused.value.field == "role"
        assert str(ROLES[first]) in str(refused.value)
        assert str(ROLES[second]) in str(refused.value)
        db.session.rollback()
        assert [grant.role for grant in user.grants] == [first]


@pytest.mark.parametrize("pair", sorted(map(sorted, ALLOWED)))
def test_others_go_together(make_user: MakeUser, small_tree: Tree, pair: list[str]) -> None:
    give_grant(SYSTEM, make_user(pair[0]), GrantRequest(role=pair[1], org=small_tree["61"]))


@pytest.mark.parametrize(
    ("held", "wanted", "clash"),
    [
        ("6101", "6101", True),
        ("6101", "610102", True),
        ("610102", "61", True),
        ("6101", "6102", False),
        ("610102", "610103", False),
        ("61-transport", "610102-bus", True),  # a unit of the industry union
        ("61-transport", "610102", True),  # the county that the unit lies in
        ("6101", "61-transport", True),
        ("61-transport", "6102", False),
        ("61-transport", "610103", False),
    ],
)
def test_it_is_about_the_same_unions(
    make_user: MakeUser, small_tree: Tree, held: str, wanted: str, clash: bool
) -> None:
    user, request = make_user("clerk", held), GrantRequest(role="reviewer", org=small_tree[wanted])
    if clash:
        with pytest.raises(Refused, match="do not go together"):
            give_grant(SYSTEM, user, request)
    else:
        give_grant(SYSTEM, user, request)


@pytest.mark.parametrize(
    ("held", "wanted", "clash"), [(None, "a", True), ("a", None, True), ("a", "a", True), ("a", "b", False)]
)
def test_it_is_about_the_same_programs(
    app: Flask, make_user: MakeUser, small_tree: Tree, held: str | None, wanted: str | None, clash: bool
) -> None:
    app.extensions["zhijia_registry"].programs.update(dict.fromkeys("ab"))
    user = make_user("clerk", program=held)
    request = GrantRequest(role="reviewer", org=small_tree["61"], program=wanted)
    if clash:
        with pytest.raises(Refused):
            give_grant(SYSTEM, user, request)
    else:
        give_grant(SYSTEM, user, request)


def test_a_role_that_ended_yesterday_is_in_nobodys_way(make_user: MakeUser, small_tree: Tree) -> None:
    user = make_user("clerk")
    user.grants[0].until = today()
    db.session.commit()
    with pytest.raises(Refused):
        give_grant(SYSTEM, user, GrantRequest(role="reviewer", org=small_tree["61"]))
    user.grants[0].until = today() - timedelta(days=1)
    db.session.commit()
    give_grant(SYSTEM, user, GrantRequest(role="reviewer", org=small_tree["61"]))


def test_two_roles_at_once_are_refused_as_well(small_tree: Tree) -> None:
    both = [GrantRequest(role=role, org=small_tree["61"]) for role in ("clerk", "finance")]
    with pytest.raises(Refused):
        create_user(SYSTEM, "both", "程双岗", PASSWORD, small_tree["61"], both)
    db.session.rollback()


def test_the_page_says_it_at_the_role(as_user: AsUser, make_user: MakeUser) -> None:
    user = make_user("clerk", "6101")
    form = {"role": "finance", "org_code": "6101", "program": "", "password": PASSWORD}
    answer = as_user("admin").post(f"/admin/users/{user.id}/grants", data=form)
    assert (answer.status_code, 'id="role-errors"' in answer.text) == (409, True)


def test_those_who_hold_such_roles_already_are_listed(
    make_user: MakeUser, small_tree: Tree, run_command: Callable[..., Result]
) -> None:
    assert run_command("users", "check").exit_code == 0
    user, apart, closed = make_user("clerk", "61-transport"), make_user("clerk", "6101"), make_user("clerk")
    hold(user, "reviewer", small_tree["610102"])
    hold(apart, "reviewer", small_tree["6102"])
    hold(closed, "finance", small_tree["61"])
    assert [found.username for found, _one, _other in conflicts()] == [user.username, closed.username]
    set_active(SYSTEM, closed, False)
    told = run_command("users", "check")
    assert told.exit_code == 1
    assert told.output.count("\n") == 1
    assert "clerk@/61/61-transport/" in told.output
    assert "reviewer@/61/6101/610102/" in told.output
