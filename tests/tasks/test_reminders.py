"""Reminders in time, notices of what is overdue, each once, one message for each user however many tasks there are."""

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select

from core.audit.services import SYSTEM
from core.disbursements.testing import SwitchOn
from core.extensions import db
from core.notices.calendar import add_working_days
from core.programs.services import disable
from core.tasks.models import Message
from core.tasks.reminders import remind
from core.tasks.services import finish_tasks, notify
from core.users.models import User
from core.users.testing import MakeUser
from tests.tasks.conftest import CLERKS, REVIEW, Opener

pytestmark = pytest.mark.services
#: A Thursday; two working days after it is the Monday.
THURSDAY = date(2014, 1, 9)
MONDAY = date(2014, 1, 13)


def told(user: User) -> list[tuple[str, int]]:
    """What the user's inbox says: the kind without its area, and the number."""
    messages = db.session.scalars(select(Message).where(Message.user_id == user.id).order_by(Message.id))
    return [(message.kind.removeprefix("tasks."), message.data["count"]) for message in messages]


def test_people_are_reminded_two_working_days_before_and_once(opened: Opener, make_user: MakeUser) -> None:
    assert add_working_days(THURSDAY, 2) == MONDAY
    user = make_user("reviewer", "6101")
    opened("record:1", due_on=MONDAY)
    opened("record:2", due_on=MONDAY)
    opened("record:3", due_on=MONDAY + timedelta(days=1))
    opened("record:4")
    remind(THURSDAY)
    assert told(user) == [("due_soon", 2)]
    remind(THURSDAY)
    assert told(user) == [("due_soon", 2)]
    remind(THURSDAY + timedelta(days=1))
    assert told(user) == [("due_soon", 2), ("due_soon", 1)]


def test_the_settings_of_a_year_say_how_long_before(
    opened: Opener, make_user: MakeUser, program_year: SwitchOn
) -> None:
    user = make_user("reviewer", "6101")
    year = program_year("winter_warmth", pool=10_000, reminder_working_days=5)
    last = add_working_days(THURSDAY, 5)
    opened("record:1", program_year_id=year.id, due_on=last)
    opened("record:2", program_year_id=year.id, due_on=last + timedelta(days=1))
    opened("record:3", due_on=last)
    remind(THURSDAY)
    assert told(user) == [("due_soon", 1)]


def test_what_is_due_today_is_reminded_of_and_not_overdue(opened: Opener, make_user: MakeUser) -> None:
    user, leader = make_user("reviewer", "6101"), make_user("leader", "61")
    opened("record:1", due_on=THURSDAY)
    remind(THURSDAY)
    assert (told(user), told(leader)) == ([("due_soon", 1)], [])
    remind(THURSDAY + timedelta(days=1))
    assert (told(user), told(leader)) == ([("due_soon", 1), ("overdue", 1)], [("overdue_below", 1)])
    remind(THURSDAY + timedelta(days=5))
    assert (len(told(user)), len(told(leader))) == (2, 1)


def test_what_is_overdue_is_told_to_the_union_directly_above(opened: Opener, make_user: MakeUser) -> None:
    above, higher, beside = make_user("leader", "6101"), make_user("leader", "61"), make_user("leader", "6102")
    for code in ("610102", "610103"):
        make_user("reviewer", code)
    opened("record:1", "610102", due_on=THURSDAY)
    opened("record:2", "610103", due_on=THURSDAY)
    remind(MONDAY)
    assert (told(above), told(higher), told(beside)) == ([("overdue_below", 2)], [], [])


def test_what_nobody_may_do_is_told_above_every_working_day_until_somebody_may(
    opened: Opener, make_user: MakeUser
) -> None:
    higher, closed = make_user("leader", "61"), make_user("reviewer", "6102")
    opened("record:1", "610102")
    opened("record:2", "610102", user_id=closed.id)
    opened("record:3", "610103", permission=CLERKS)
    make_user("clerk", "610103")
    remind(THURSDAY)
    assert told(higher) == [("left_undone", 1)]
    closed.active = False
    db.session.commit()
    remind(THURSDAY + timedelta(days=1))
    assert told(higher) == [("left_undone", 2)]
    remind(THURSDAY + timedelta(days=2))  # a Saturday
    make_user("reviewer", "610102")
    remind(MONDAY)
    assert told(higher) == [("left_undone", 1)]
    above = make_user("leader", "6101")
    remind(MONDAY + timedelta(days=1))
    assert told(above) == [("left_undone", 1)]
    assert told(higher) == []


def test_nobody_is_told_of_what_is_done_or_of_a_year_that_is_off_or_what_they_made(
    opened: Opener, make_user: MakeUser, program_year: SwitchOn
) -> None:
    user, year = make_user("reviewer", "6101"), program_year("winter_warmth", pool=10_000)
    opened("record:1", due_on=THURSDAY)
    finish_tasks(SYSTEM, "record:1")
    opened("record:2", due_on=THURSDAY, program_year_id=year.id)
    disable(SYSTEM, year)
    opened("record:3", due_on=THURSDAY, not_user_id=user.id)
    remind(THURSDAY)
    remind(MONDAY)
    assert told(user) == []
    year.enabled = True
    db.session.commit()
    remind(MONDAY)
    assert told(user) == [("overdue", 1)]


def test_a_task_of_one_user_reminds_that_user_alone(opened: Opener, make_user: MakeUser) -> None:
    one, other = make_user("reviewer", "6101"), make_user("reviewer", "6101")
    opened("record:1", user_id=one.id, due_on=THURSDAY)
    remind(THURSDAY)
    assert (told(one), told(other)) == ([("due_soon", 1)], [])


def test_a_user_with_two_roles_that_hold_the_permission_is_told_of_a_task_once(
    opened: Opener, make_user: MakeUser, program_year: SwitchOn
) -> None:
    user = make_user("reviewer", "6101")
    user.grants.append(type(user.grants[0])(
        role="reviewer", org_id=user.org_id, org_path=user.org_path, program="winter_warmth",
    ))  # fmt: skip
    db.session.commit()
    opened("record:1", due_on=THURSDAY, program_year_id=program_year("winter_warmth", pool=10_000).id)
    remind(THURSDAY)
    assert told(user) == [("due_soon", 1)]


def test_however_many_tasks_there_are_the_statements_stay_few(opened: Opener, make_user: MakeUser) -> None:
    make_user("reviewer", "6101")
    opened("record:0", due_on=THURSDAY)
    statements: list[str] = []

    def count(day: date) -> int:
        statements.clear()
        remind(day)
        return len(statements)

    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    few = count(THURSDAY)
    for number in range(1, 30):
        opened(f"record:{number}", due_on=THURSDAY)
    assert count(THURSDAY) == few


def test_a_message_with_a_key_comes_once_and_closed_accounts_get_none(app: Flask, make_user: MakeUser) -> None:
    one, gone = make_user("clerk"), make_user("clerk")
    gone.active = False
    db.session.commit()
    assert notify(REVIEW, [one.id, gone.id], "record:1", data={"title": "x"}, key="k") == 1
    assert notify(REVIEW, select(User.id), "record:1", data={"title": "x"}, key="k") == 0
    assert notify(REVIEW, [one.id], "record:1", data={"title": "x"}) == 1
    assert notify(REVIEW, [one.id], "record:1", data={"title": "x"}) == 1
    assert db.session.query(Message).count() == 3
