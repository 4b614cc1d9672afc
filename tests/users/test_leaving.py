"""Who leaves: what ends with an account, accounts that nobody uses, roles that end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.extensions import db
from core.org.models import Org
from core.tasks.models import Message
from core.users.access import can_anywhere, today
from core.users.leaving import NOTICE, close_dormant, tell_of_ending_roles
from core.users.models import Grant, User
from core.users.second_factor import factor_of
from core.users.services import GrantRequest, give_grant, set_active
from core.users.testing import AsUser, MakeUser, enrol

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]
NOW = datetime.now(UTC)
DAYS = timedelta(days=90)
DAY = timedelta(days=1)


def used(user: User, at: datetime | None, *, created: datetime = NOW - 3 * DAYS) -> User:
    user.created_at, user.last_login_at = created, at
    db.session.commit()
    return user


def told(user: User) -> list[str]:
    return list(db.session.scalars(select(Message.kind).where(Message.user_id == user.id)))


def test_closing_ends_sessions_second_factor_and_roles_for_good(as_user: AsUser, make_user: MakeUser) -> None:
    user, admin = make_user("finance", "6101"), make_user("admin")
    browser = as_user(user)
    set_active(admin, user, False)
    assert browser.get("/").status_code == 302
    assert factor_of(user) is None
    assert [(grant.role, grant.until) for grant in user.grants] == [("finance", today() - DAY)]
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "user.deactivate")).one()
    assert line.data == {"roles": ["finance"]}
    set_active(admin, user, True)
    assert not can_anywhere(user, "run.post")
    assert browser.get("/").status_code == 302
    assert "ended" in as_user(admin).get(f"/admin/users/{user.id}").text


def test_a_role_that_ended_can_be_given_again(make_user: MakeUser, small_tree: dict[str, Org]) -> None:
    user = make_user("finance", "6101")
    set_active(SYSTEM, user, False)
    set_active(SYSTEM, user, True)
    give_grant(SYSTEM, user, GrantRequest(role="finance", org=small_tree["6101"]))
    assert can_anywhere(user, "run.post")
    assert len(user.grants) == 1


def test_an_earlier_end_is_kept(make_user: MakeUser) -> None:
    user = make_user("clerk")
    user.grants[0].until = today() - 30 * DAY
    set_active(SYSTEM, user, False)
    assert user.grants[0].until == today() - 30 * DAY


def test_accounts_that_nobody_used_for_ninety_days_are_closed(make_user: MakeUser) -> None:
    gone, here = used(make_user("clerk"), NOW - DAYS), used(make_user("clerk"), NOW - DAYS + timedelta(seconds=1))
    never, young = used(make_user("clerk"), None, created=NOW - DAYS), used(make_user("clerk"), None, created=NOW - DAY)
    assert close_dormant(now=NOW) == 2
    assert [user.active for user in (gone, here, never, young)] == [False, True, False, True]
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "user.deactivate")).all()
    assert [(line.actor, line.object) for line in lines] == [("system", f"user:{user.id}") for user in (gone, never)]
    assert close_dormant(now=NOW) == 0


def test_an_account_that_was_opened_again_counts_from_then(make_user: MakeUser) -> None:
    user = used(make_user("clerk"), NOW - DAYS)
    close_dormant(now=NOW)
    set_active(SYSTEM, user, True)
    assert close_dormant(now=NOW) == 0


def test_the_last_administrator_of_the_province_stays(make_user: MakeUser) -> None:
    first, last = used(make_user("admin"), NOW - 2 * DAYS), used(make_user("admin"), NOW - DAYS)
    city = used(make_user("admin", "6101"), NOW - DAYS)
    assert close_dormant(now=NOW) == 2
    assert [user.active for user in (first, last, city)] == [False, True, False]


def test_one_who_comes_every_day_lets_the_other_administrators_go(make_user: MakeUser) -> None:
    make_user("admin")
    gone = used(make_user("admin"), NOW - DAYS)
    close_dormant(now=NOW)
    assert not gone.active


def test_fourteen_days_before_a_role_ends_holder_and_administrators_are_told_once(make_user: MakeUser) -> None:
    admin, beside, city = make_user("admin"), make_user("admin", "6102"), make_user("admin", "6101")
    soon = make_user("clerk", "610102", until=today() + NOTICE)
    later = make_user("clerk", "610102", until=today() + NOTICE + DAY)
    assert tell_of_ending_roles(today()) == 3
    assert [told(user) for user in (soon, later, beside)] == [["users.my_role_ends"], [], []]
    assert [told(user) for user in (admin, city)] == [["users.role_ends"], ["users.role_ends"]]
    assert tell_of_ending_roles(today()) == 0
    assert tell_of_ending_roles(today() + DAY) == 3  # those of the other role


def test_the_messages_name_role_and_day(as_user: AsUser, make_user: MakeUser, run_job: Callable[[str], None]) -> None:
    admin, until = make_user("admin"), today() + DAY
    user = make_user("clerk", until=until)
    run_job("users.roles")
    page = as_user(admin).get("/inbox/").text
    assert f"The role “Clerk” of a user ends on {until.isoformat()}" in page
    assert f"Your role “Clerk” ends on {until.isoformat()}" in as_user(user).get("/inbox/").text


def test_nobody_is_told_of_a_role_that_has_ended_or_of_a_closed_account(make_user: MakeUser) -> None:
    make_user("admin")
    ended, closed = make_user("clerk"), make_user("clerk", until=today() + DAY)
    ended.grants[0].until = today() - DAY
    closed.active = False
    db.session.commit()
    assert tell_of_ending_roles(today()) == 0


def test_the_clock_closes_them_every_night(make_user: MakeUser, run_job: Callable[[str], None]) -> None:
    user = used(make_user("finance"), NOW - 2 * DAYS)
    enrol(user)
    run_job("users.dormant")
    assert not user.active
    assert db.session.scalars(select(Grant.until)).all() == [today() - DAY]
