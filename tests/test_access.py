from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.users.access import can, can_anywhere, require, scope_of, scopes_read_once, today
from core.users.login import log_in
from core.users.models import Session, User
from core.users.passwords import SHORTEST
from core.users.roles import PERMISSIONS, ROLES
from core.users.services import (
    GrantRequest,
    change_own_password,
    create_user,
    give_grant,
    reset_password,
    set_active,
    take_grant,
)
from core.users.testing import PASSWORD, MakeUser

pytestmark = pytest.mark.services
Tree = dict[str, Org]


def test_a_grant_reaches_its_subtree_and_nothing_else(small_tree: Tree, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "6101")
    assert not can(clerk, "run.create", "/61/")
    assert not can(clerk, "run.create", "/61/6102/")
    assert can(clerk, "run.create", "/61/6101/610102/")
    assert not can(clerk, "run.approve", "/61/6101/")


def test_a_grant_holds_on_its_last_day_and_not_after(small_tree: Tree, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "6101", until=today())
    assert can(clerk, "run.create", "/61/6101/")
    clerk.grants[0].until = today() - timedelta(days=1)
    assert not can(clerk, "run.create", "/61/6101/")
    assert not can_anywhere(clerk, "run.create")


def test_many_questions_at_one_moment_look_up_the_same_place_once(small_tree: Tree, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "6101")
    statements: list[str] = []
    with scopes_read_once():
        first = scope_of(clerk, "run.create")
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        assert scope_of(clerk, "people.view") == first
        assert statements == []
        assert scope_of(make_user("clerk", "6102"), "run.create").paths == ("/61/6102/",)
    small_tree["610202"].industry_path = "/61/6101/"
    assert scope_of(clerk, "run.create").paths == ("/61/6101/", "/61/6102/610202/")


def test_a_closed_account_may_nothing(small_tree: Tree, make_user: MakeUser) -> None:
    admin = make_user("admin")
    set_active(SYSTEM, admin, False)
    assert scope_of(admin, "user.manage").paths == ()


def test_a_grant_for_one_program_counts_for_it_alone(app: Flask, small_tree: Tree, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "6101", program=known_program(app))
    assert can(clerk, "run.create", "/61/6101/", known_program(app))
    assert not can(clerk, "run.create", "/61/6101/", "job_fairs")
    assert not can(clerk, "run.create", "/61/6101/")
    assert can_anywhere(clerk, "run.create")


def known_program(app: Flask) -> str:
    registry = app.extensions["zhijia_registry"]
    registry.programs.setdefault("demo_program", None)
    return "demo_program"


def test_an_industry_union_reaches_its_units_in_the_regional_tree(small_tree: Tree, make_user: MakeUser) -> None:
    transport = make_user("clerk", "61-transport")
    assert scope_of(transport, "people.view").paths == ("/61/61-transport/", "/61/6101/610102/610102-bus/")
    assert not can(transport, "people.view", "/61/6101/610102/")
    assert scope_of(make_user("clerk"), "people.view").paths == ("/61/",)


def test_a_unit_knows_the_industry_union_above_it_and_reaches_nothing_in_it(
    small_tree: Tree, make_user: MakeUser
) -> None:
    bus, county = make_user("clerk", "610102-bus"), make_user("clerk", "610102")
    scope = scope_of(bus, "people.view")
    assert (scope.touches("/61/61-transport/"), scope.includes("/61/61-transport/")) == (True, False)
    assert not scope_of(county, "people.view").touches("/61/61-transport/")
    seen = select(Org.code).order_by(Org.path)
    assert list(db.session.scalars(seen.where(scope.covers(Org.path)))) == ["610102-bus"]
    above = ["61", "61-transport", "6101", "610102", "610102-bus"]
    assert list(db.session.scalars(seen.where(scope.meets(Org.path)))) == above


def test_a_workshop_of_a_unit_knows_it_too(small_tree: Tree, make_user: MakeUser) -> None:
    bus = small_tree["610102-bus"]
    workshop = Org(
        code="610102-bus-1", name="一车间工会", short_name="一车间", pinyin="", initials="", level="enterprise",
        kind="enterprise", parent_id=bus.id, path=f"{bus.path}610102-bus-1/",
    )  # fmt: skip
    db.session.add(workshop)
    db.session.commit()
    assert scope_of(make_user("clerk", "610102-bus-1"), "people.view").touches("/61/61-transport/")
    assert scope_of(make_user("clerk", "61-transport"), "people.view").includes(workshop.path)


def test_a_permission_of_a_plugin_that_is_gone_is_held_by_nobody(small_tree: Tree, make_user: MakeUser) -> None:
    assert not can(make_user("admin"), "gone.manage", "/61/")


def test_require_names_the_permission(small_tree: Tree, make_user: MakeUser) -> None:
    with pytest.raises(Forbidden, match=r"审批发放批次|Approve runs"):
        require(make_user("clerk"), "run.approve", "/61/")
    require(SYSTEM, "run.approve", "/61/")


def test_someone_who_is_neither_user_nor_system_may_nothing(small_tree: Tree) -> None:
    class Impostor:
        id = None
        name = "system"

    with pytest.raises(Forbidden):
        require(Impostor(), "run.approve", "/61/")


def test_every_permission_names_roles_that_exist() -> None:
    assert {role for permission in PERMISSIONS for role in permission.roles} == set(ROLES)
    assert len({permission.code for permission in PERMISSIONS}) == len(PERMISSIONS)


@pytest.mark.parametrize(
    ("username", "name", "password", "field"),
    [
        ("x", "沈一", PASSWORD, "username"),
        ("has blank", "沈一", PASSWORD, "username"),
        ("-dash", "沈一", PASSWORD, "username"),
        ("沈一", "沈一", PASSWORD, "username"),
        ("fine.name", " ", PASSWORD, "name"),
        ("fine.name", "沈一", "a1" * 4 + "b", "password"),
        ("fine.name", "沈一", "a1" * 65, "password"),
        ("fine.name", "沈一", "1234567890", "password"),
        ("fine.name", "沈一", "Fine.Name12", "password"),
    ],
)
def test_a_user_is_refused_at_the_wrong_field(
    small_tree: Tree, username: str, name: str, password: str, field: str
) -> None:
    with pytest.raises(ZhijiaError) as refused:
        create_user(SYSTEM, username, name, password, small_tree["61"])
    assert refused.value.field == field
    assert db.session.scalar(select(User.id)) is None


def test_the_shortest_password_is_taken(small_tree: Tree) -> None:
    assert create_user(SYSTEM, "AB", "沈一", "mountains!"[:SHORTEST], small_tree["61"]).username == "ab"


def test_a_user_name_is_taken_once_in_whatever_case(small_tree: Tree) -> None:
    create_user(SYSTEM, "shen", "沈一", PASSWORD, small_tree["61"])
    with pytest.raises(Refused) as refused:
        create_user(SYSTEM, " Shen", "沈二", PASSWORD, small_tree["61"])
    assert refused.value.field == "username"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "emperor"}, "role"),
        ({"program": "no_such"}, "program"),
        ({"until": date(2014, 1, 1)}, "until"),
    ],
)
def test_a_wrong_grant_makes_no_user(small_tree: Tree, change: dict[str, object], field: str) -> None:
    wrong = GrantRequest(**{"role": "clerk", "org": small_tree["61"], **change})  # type: ignore[arg-type]
    with pytest.raises(ZhijiaError) as refused:
        create_user(SYSTEM, "shen", "沈一", PASSWORD, small_tree["61"], [wrong])
    assert refused.value.field == field
    db.session.rollback()
    assert db.session.scalar(select(User.id)) is None


def test_the_same_role_is_not_given_twice(small_tree: Tree, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "6101")
    with pytest.raises(Refused):
        give_grant(SYSTEM, clerk, GrantRequest(role="clerk", org=small_tree["6101"]))


def test_nobody_but_the_orgs_administrator_makes_users(small_tree: Tree, make_user: MakeUser) -> None:
    xian = make_user("admin", "6101")
    with pytest.raises(Forbidden):
        create_user(xian, "shen", "沈一", PASSWORD, small_tree["6102"])
    with pytest.raises(Forbidden):
        create_user(make_user("clerk"), "shen", "沈一", PASSWORD, small_tree["61"])
    assert create_user(xian, "shen", "沈一", PASSWORD, small_tree["610102"]).id


def test_a_citys_administrator_gives_no_role_on_the_province(small_tree: Tree, make_user: MakeUser) -> None:
    xian, clerk = make_user("admin", "6101"), make_user("leader", "610102")
    with pytest.raises(Forbidden):
        give_grant(xian, clerk, GrantRequest(role="admin", org=small_tree["61"]))
    give_grant(xian, clerk, GrantRequest(role="reviewer", org=small_tree["6101"]))


def test_nobody_commands_who_may_more_than_they(small_tree: Tree, make_user: MakeUser) -> None:
    xian, lent = make_user("admin", "6101"), make_user("clerk", "6101")
    give_grant(SYSTEM, lent, GrantRequest(role="leader", org=small_tree["61"]))
    for forbidden in (
        lambda: reset_password(xian, lent),
        lambda: set_active(xian, lent, False),
        lambda: take_grant(xian, lent, lent.grants[0].id),
        lambda: give_grant(xian, lent, GrantRequest(role="leader", org=small_tree["6101"])),
    ):
        with pytest.raises(Forbidden):
            forbidden()


def test_nobody_gives_a_role_to_themselves(small_tree: Tree, make_user: MakeUser) -> None:
    admin = make_user("admin")
    with pytest.raises(Forbidden):
        give_grant(admin, admin, GrantRequest(role="reviewer", org=small_tree["61"]))
    with pytest.raises(Forbidden):
        set_active(admin, admin, False)


def test_a_role_that_the_user_does_not_hold_cannot_be_taken(small_tree: Tree, make_user: MakeUser) -> None:
    clerk, other = make_user("clerk"), make_user("clerk")
    with pytest.raises(NotFound):
        take_grant(SYSTEM, clerk, other.grants[0].id)
    take_grant(SYSTEM, clerk, clerk.grants[0].id)
    assert clerk.grants == []


def test_every_change_leaves_its_line_without_the_password(small_tree: Tree, make_user: MakeUser) -> None:
    admin, clerk = make_user("admin"), make_user("clerk")
    give_grant(admin, clerk, GrantRequest(role="leader", org=small_tree["6101"]))
    reset_password(admin, clerk)
    set_active(admin, clerk, False)
    lines = db.session.scalars(select(AuditLine).where(AuditLine.user_id == admin.id).order_by(AuditLine.id)).all()
    assert [line.action for line in lines] == ["user.grant", "user.reset_password", "user.deactivate"]
    assert lines[0].data == {"role": "leader", "program": None, "until": None}
    assert lines[1].data == {}


def test_ones_own_password_needs_the_current_one(small_tree: Tree, make_user: MakeUser) -> None:
    clerk = make_user("clerk")
    log_in(clerk.username, PASSWORD, "192.0.2.7")
    session = db.session.scalars(select(Session)).one()
    for current, new, field in (
        ("wrong", "another-pass-1", "current"),
        (PASSWORD, "short1", "password"),
        (PASSWORD, PASSWORD, "password"),
    ):
        with pytest.raises(ZhijiaError) as refused:
            change_own_password(clerk, current, new, "192.0.2.7", session)
        assert refused.value.field == field
