"""What waits for whom: at which union, of which year, for how long, and once."""

from datetime import date, timedelta

import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event, func, literal, select
from sqlalchemy.exc import IntegrityError

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.disbursements.testing import SwitchOn
from core.errors import Refused
from core.extensions import db as database
from core.org.models import Org
from core.programs.services import close, disable
from core.tasks import queries
from core.tasks.kinds import title_of
from core.tasks.models import Message, Task
from core.tasks.services import finish_tasks, open_task, open_tasks, urge
from core.users.access import today
from core.users.models import User
from core.users.services import GrantRequest, give_grant, set_active
from core.users.testing import MakeUser
from tests.tasks.conftest import CLERKS, REVIEW, REVIEWERS, VISIT, Opener

pytestmark = pytest.mark.services
DAY = timedelta(days=1)


def mine(user: User, **more: object) -> list[str]:
    return [row.task.subject for row in queries.page_of_mine(user, **more)]  # type: ignore[arg-type]


def below(user: User) -> list[str]:
    return [row.task.subject for row in queries.page_of_overdue(user)]


def test_a_task_waits_for_those_who_hold_the_permission_at_that_union(opened: Opener, make_user: MakeUser) -> None:
    opened("record:1", "6101", permission=REVIEWERS)
    assert mine(make_user("reviewer", "6101")) == ["record:1"]
    for role, org in (("clerk", "6101"), ("reviewer", "61"), ("reviewer", "610102"), ("reviewer", "6102")):
        assert mine(make_user(role, org)) == [], f"{role} of {org}"


def test_a_task_of_one_user_waits_for_nobody_else(opened: Opener, make_user: MakeUser) -> None:
    one, other = make_user("reviewer", "6101"), make_user("reviewer", "6101")
    opened("record:1", user_id=one.id)
    assert mine(one) == ["record:1"]
    assert mine(other) == []


def test_nobody_is_asked_to_review_what_they_made(opened: Opener, make_user: MakeUser) -> None:
    maker, reviewer = make_user("reviewer", "6101"), make_user("reviewer", "6101")
    opened("record:1", not_user_id=maker.id)
    assert mine(maker) == []
    assert mine(reviewer) == ["record:1"]


def test_a_grant_for_one_program_or_run_out_yesterday_counts_no_further(
    opened: Opener, make_user: MakeUser, program_year: SwitchOn
) -> None:
    year = program_year("winter_warmth", pool=10_000)
    opened("record:1", program_year_id=year.id)
    opened("record:2")
    assert mine(make_user("reviewer", "6101", program="winter_warmth")) == ["record:1"]
    until_today = make_user("reviewer", "6101", until=today())
    assert len(mine(until_today)) == 2
    until_today.grants[0].until = today() - DAY
    database.session.commit()
    assert mine(until_today) == []


def test_nothing_waits_of_a_year_that_is_off_or_closed(
    opened: Opener, make_user: MakeUser, program_year: SwitchOn
) -> None:
    year, user = program_year("winter_warmth", pool=10_000), make_user("reviewer", "6101")
    opened("record:1", program_year_id=year.id, due_on=today() - DAY)
    leader = make_user("leader", "61")
    assert (mine(user), queries.count_mine(user), below(leader)) == (["record:1"], 1, ["record:1"])
    disable(SYSTEM, year)
    assert (mine(user), queries.count_mine(user), below(leader)) == ([], 0, [])
    year.enabled = True
    database.session.commit()
    assert mine(user) == ["record:1"]
    close(SYSTEM, year)
    assert mine(user) == []


def test_a_closed_account_has_no_tasks(opened: Opener, make_user: MakeUser) -> None:
    user = make_user("reviewer", "6101")
    opened()
    set_active(SYSTEM, user, False)
    assert mine(user) == []


def test_the_same_thing_waits_once_and_again_after_it_was_done(opened: Opener, make_user: MakeUser) -> None:
    user = make_user("reviewer", "6101")
    opened("record:1")
    opened("record:1", due_on=today())
    opened("record:1", permission=CLERKS)
    opened("record:1", kind=VISIT)
    assert mine(user) == ["record:1", "record:1"]
    assert finish_tasks(user, "record:1", [REVIEW]) == 2
    assert finish_tasks(user, "record:1", [REVIEW]) == 0
    assert mine(user) == ["record:1"]
    opened("record:1")
    assert mine(user) == ["record:1", "record:1"]
    done = database.session.scalars(select(Task).where(Task.done_at.is_not(None))).all()
    assert {task.done_by for task in done} == {user.id}


def test_finishing_for_one_user_leaves_the_others(opened: Opener, make_user: MakeUser) -> None:
    one, other = make_user("clerk"), make_user("clerk")
    opened("record:1", user_id=one.id)
    opened("record:1", user_id=other.id)
    assert finish_tasks(SYSTEM, "record:1", user_id=one.id) == 1
    assert (mine(one), mine(other)) == ([], ["record:1"])


def test_a_task_is_for_a_permission_or_for_a_user_never_for_both_or_neither(
    opened: Opener, make_user: MakeUser
) -> None:
    org = opened.orgs["61"]
    for more in ({}, {"permission": CLERKS, "user_id": make_user("clerk").id}):
        with pytest.raises(IntegrityError), database.session.begin_nested():
            open_task(REVIEW, "record:1", org.id, org.path, **more)  # type: ignore[arg-type]


def test_values_that_json_changes_are_refused(opened: Opener) -> None:
    with pytest.raises(TypeError, match="JSON"):
        opened(data={"title": {1: 2}})


def test_the_most_urgent_comes_first_and_pages_go_on(opened: Opener, make_user: MakeUser) -> None:
    user = make_user("reviewer", "6101")
    opened("record:3")
    opened("record:2", due_on=today() + DAY)
    opened("record:1", due_on=today())
    opened("record:4")
    assert mine(user) == ["record:1", "record:2", "record:3", "record:4"]
    seen: list[str] = []
    place = None
    for _page in range(4):
        rows = queries.page_of_mine(user, after=place, limit=1)
        seen.append(rows[0].task.subject)
        place = queries.place_of(rows[0])
    assert seen == mine(user)
    assert queries.page_of_mine(user, after=place, limit=1) == []


def test_tasks_can_be_looked_at_by_program(opened: Opener, make_user: MakeUser, program_year: SwitchOn) -> None:
    user = make_user("reviewer", "6101")
    opened("record:1", program_year_id=program_year("winter_warmth", pool=10_000).id)
    opened("record:2")
    assert mine(user, program="winter_warmth") == ["record:1"]
    assert mine(user, program="no_such") == []
    assert [year.program for year in queries.programs_of_mine(user)] == ["winter_warmth"]


def test_due_today_is_not_overdue(opened: Opener, make_user: MakeUser) -> None:
    reviewer, leader = make_user("reviewer", "6101"), make_user("leader", "61")
    opened("record:1", due_on=today())
    assert (queries.count_my_overdue(reviewer), below(leader), queries.count_overdue(leader)) == (0, [], 0)
    opened("record:2", due_on=today() - DAY)
    assert (queries.count_my_overdue(reviewer), below(leader), queries.count_overdue(leader)) == (1, ["record:2"], 1)


def test_what_is_overdue_is_seen_by_those_who_supervise_the_subtree(
    opened: Opener, make_user: MakeUser, program_year: SwitchOn
) -> None:
    opened("record:1", "610102", due_on=today() - DAY)
    for role, org, sees in (
        ("leader", "61", True), ("leader", "6101", True), ("leader", "610102", True),
        ("leader", "6102", False), ("clerk", "61", False),
    ):  # fmt: skip
        assert below(make_user(role, org)) == (["record:1"] if sees else []), f"{role} of {org}"
    year = program_year("winter_warmth", pool=10_000)
    opened("record:2", "610102", due_on=today() - DAY, program_year_id=year.id)
    assert below(make_user("leader", "61", program="winter_warmth")) == ["record:2"]


def test_urging_tells_the_doers_once_a_day_and_is_on_record(opened: Opener, make_user: MakeUser) -> None:
    leader, doer = make_user("leader", "61"), make_user("reviewer", "6101")
    make_user("reviewer", "61")
    opened("record:1", due_on=today() - DAY)
    row = queries.find_overdue(leader, database.session.scalars(select(Task.id)).one())
    assert row is not None
    urge(leader, row)
    message = database.session.scalars(select(Message)).one()
    assert message.user_id == doer.id
    assert title_of(message.kind, message.data) == "You are urged to do what is overdue: About record:1"
    assert database.session.scalars(select(AuditLine).where(AuditLine.action == "task.urge")).one().user_id == leader.id
    with pytest.raises(Refused):
        urge(leader, row)


def test_what_is_not_overdue_or_not_below_cannot_be_urged(opened: Opener, make_user: MakeUser) -> None:
    opened("record:1", due_on=today())
    opened("record:2", due_on=today() - DAY)
    today_id, yesterday_id = database.session.scalars(select(Task.id).order_by(Task.id))
    assert queries.find_overdue(make_user("leader", "61"), today_id) is None
    assert queries.find_overdue(make_user("leader", "6102"), yesterday_id) is None


def test_a_batch_is_one_statement(db: SQLAlchemy, opened: Opener) -> None:
    union = opened.orgs["6101"]
    numbers = select(func.generate_series(1, 2000).label("number")).subquery()
    rows = select(
        (literal("record:") + func.cast(numbers.c.number, Task.subject.type)).label("subject"),
        literal(union.id).label("org_id"),
        literal(union.path).label("org_path"),
        literal(REVIEWERS).label("permission"),
        literal(date(2014, 1, 10)).label("due_on"),
    )
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert open_tasks(REVIEW, rows) == 2000
    assert open_tasks(REVIEW, rows) == 0
    assert len(statements) == 2
    assert finish_tasks(SYSTEM, select(Task.subject)) == 2000
    assert len(statements) == 3
    with pytest.raises(ValueError, match="names"):
        open_tasks(REVIEW, rows.add_columns(literal(1).label("done_by")))


def test_a_count_ends_where_a_menu_cannot_show_it(
    opened: Opener, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST", 2)
    for number in range(3):
        opened(f"record:{number}")
    assert queries.count_mine(make_user("reviewer", "6101")) == 2


def test_a_task_moves_with_its_union(opened: Opener, make_user: MakeUser) -> None:
    opened("record:1", "610102", due_on=today() - DAY)
    database.session.get_one(Org, opened.orgs["610102"].id).path = "/61/6102/610102/"
    database.session.commit()
    assert below(make_user("leader", "6102")) == ["record:1"]
    assert below(make_user("leader", "6101")) == []


def test_a_title_whose_kind_or_values_are_gone_still_reads() -> None:
    assert title_of("gone.kind", {}) == "gone.kind"
    assert title_of("sample.review", {}) == "%(title)s"


def test_a_user_without_a_role_has_no_tasks_until_one_is_given(opened: Opener, make_user: MakeUser) -> None:
    user = make_user(None, "6101")
    opened()
    assert mine(user) == []
    give_grant(SYSTEM, user, GrantRequest(role="reviewer", org=opened.orgs["6101"]))
    assert mine(user) == ["record:1"]
