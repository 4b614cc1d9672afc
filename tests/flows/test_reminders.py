"""Who is told of entries, what supervisors see of what lies below them, and that one statement says what many would."""

from collections import Counter
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, insert, literal, select

from core.audit.services import SYSTEM
from core.extensions import db
from core.flows.conditions import Move
from core.flows.deciders import deciders, stages_of
from core.flows.frame import waiting_entries
from core.flows.queries import database_now, lying_below, the_move, waiting
from core.flows.reminders import remind
from core.flows.services import move_chosen
from core.notices.calendar import add_working_days
from core.org.models import Org
from core.programs.models import ProgramYear
from core.programs.services import disable
from core.tasks.models import Message
from core.users.access import today
from core.users.models import User
from core.users.testing import AsUser, MakeUser
from tests.flows.conftest import bid, take
from tests.flows.test_votes import guest
from tests.plugins_for_tests.meals.bids import BIDS, FLOW, Bid
from tests.plugins_for_tests.meals.guests import GUESTS

pytestmark = pytest.mark.services
DAY = timedelta(days=1)


def told(user: User) -> list[tuple[str, int]]:
    """What the user's inbox says: the kind without its area, or ``overdue`` and ``stuck`` below, and the number."""
    messages = db.session.scalars(select(Message).where(Message.user_id == user.id).order_by(Message.id))
    said: list[tuple[str, int]] = []
    for message in messages:
        names = ("overdue", "stuck") if message.kind == "flows.below" else ("count",)
        values = [(name, message.data[name]) for name in names]
        said += [("due" if name == "count" else name, value) for name, value in values if value]
    return said


def due(row: Bid, day: date) -> None:
    """Let an entry be due on a day."""
    row.due_on = day
    db.session.commit()


@pytest.mark.parametrize(("days", "expected"), [(2, [("due", 1)]), (3, [])])
def test_who_may_decide_is_reminded_of_what_is_due_within_two_working_days(
    sent: Bid, make_user: MakeUser, days: int, expected: list[tuple[str, int]]
) -> None:
    reviewer = make_user("reviewer", "610102")
    others = [make_user("reviewer", "6101"), make_user("reviewer", "610103"), make_user("clerk", "610102")]
    due(sent, add_working_days(today(), days))
    remind()
    assert told(reviewer) == expected
    assert [told(other) for other in others] == [[], [], []]


def test_the_settings_of_the_year_say_how_long_before(meals: ProgramYear, sent: Bid, make_user: MakeUser) -> None:
    reviewer = make_user("reviewer", "610102")
    due(sent, add_working_days(today(), 4))
    remind()
    assert told(reviewer) == []
    meals.settings = meals.settings | {"reminder_working_days": 4}
    db.session.commit()
    remind()
    assert told(reviewer) == [("due", 1)]


def test_one_message_a_day_with_the_counts_and_the_unread_one_of_yesterday_goes(
    meals: ProgramYear, sent: Bid, make_user: MakeUser, as_user: AsUser
) -> None:
    reviewer, clerk = make_user("reviewer", "610102"), make_user("clerk", "610102")
    late = bid(clerk, meals)
    take(clerk, meals, late, "submit")
    due(sent, today())
    due(late, today() - DAY)
    remind()
    remind()
    assert told(reviewer) == [("due", 2)]
    inbox = as_user(reviewer).get("/inbox/").text
    assert "Bids 2014: 2 entries wait for you and are due soon or overdue (1)" in inbox
    remind(today() + DAY)
    assert told(reviewer) == [("due", 2)]
    db.session.query(Message).update({Message.read_at: func.now()})
    db.session.commit()
    remind(today() + 2 * DAY)
    assert told(reviewer) == [("due", 2), ("due", 2)]


@pytest.mark.parametrize(("days", "late"), [(0, 0), (-1, 1)])
def test_what_waits_says_how_much_is_overdue_for_the_mail(
    app: Flask, sent: Bid, make_user: MakeUser, days: int, late: int
) -> None:
    due(sent, today() + days * DAY)
    with app.test_request_context():
        [item] = waiting_entries(make_user("reviewer", "610102"))
    assert (item.count, item.overdue) == (1, late)


def test_those_above_are_told_of_what_is_overdue_and_of_what_nobody_may_do(sent: Bid, make_user: MakeUser) -> None:
    province, city = make_user("leader", "61"), make_user("leader", "6101")
    beside = make_user("leader", "6102")
    remind()
    assert (told(city), told(province)) == ([("stuck", 1)], [])
    make_user("reviewer", "610102")
    due(sent, today() - DAY)
    remind(today() + DAY)
    assert (told(city), told(province)) == ([("overdue", 1)], [])
    assert told(beside) == []


def test_where_the_union_above_has_no_supervisor_the_next_one_up_is_told(sent: Bid, make_user: MakeUser) -> None:
    province = make_user("leader", "61")
    remind()
    assert told(province) == [("stuck", 1)]


def test_of_a_year_that_is_off_nobody_is_told(meals: ProgramYear, sent: Bid, make_user: MakeUser) -> None:
    from_above, reviewer = make_user("leader", "61"), make_user("reviewer", "610102")
    due(sent, today())
    disable(SYSTEM, meals)
    remind()
    assert (told(from_above), told(reviewer)) == ([], [])


def test_the_statement_for_all_finds_what_each_finds_for_himself(
    meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    clerks = [make_user("clerk", "610102"), make_user("clerk", "61")]
    reviewers = [make_user("reviewer", code) for code in ("610102", "610102", "6101", "6102", "61", "61")]
    payers = [make_user("finance", code) for code in ("61", "6101", "6102")]
    both = make_user("clerk", "610102")
    make_user("reviewer", "610102").grants[0].user = both
    db.session.commit()
    for clerk, code in ((clerks[0], "610102001"), (both, "610102001"), (clerks[1], "610202")):
        take(clerk, meals, bid(clerk, meals, code), "submit")
    returned, approved, heard = bid(clerks[0], meals), bid(clerks[0], meals), guest(clerks[0], meals)
    take(clerks[0], meals, returned, "submit")
    take(reviewers[0], meals, returned, "return")
    for clerk, row in ((clerks[0], approved),):
        take(clerk, meals, row, "submit")
    for reviewer in (reviewers[0], reviewers[2], reviewers[4]):
        take(reviewer, meals, approved, "approve")
    take(clerks[0], meals, heard, "submit", GUESTS)
    take(reviewers[0], meals, heard, "hear", GUESTS)
    bid(clerks[0], meals)
    for register in (BIDS, GUESTS):
        pairs = deciders(stages_of(register, meals, small_tree["61"])).subquery()
        found = Counter(db.session.scalars(select(pairs.c.user_id)))
        alone = {
            user.id: sum(one.count for one in waiting(user) if one.register is register)
            for user in (*clerks, *reviewers, *payers, both)
        }
        assert dict(found) == {user_id: count for user_id, count in alone.items() if count}
        assert found


def test_an_entry_waits_for_nobody_where_nobody_else_than_its_maker_holds_the_permission(
    meals: ProgramYear, make_user: MakeUser, as_user: AsUser
) -> None:
    maker, leader = make_user("clerk", "610102"), make_user("leader", "6101")
    make_user("reviewer", "610102").grants[0].user = maker
    db.session.commit()
    take(maker, meals, bid(maker, meals), "submit")
    [lying] = lying_below(leader, "", 10)
    assert (lying.org.code, lying.stuck, lying.overdue) == ("610102", 1, 0)
    page = as_user(leader).get("/tasks/overdue").text
    assert "Bids: Under review" in page
    assert "missing: Review meals" in page
    assert "f-state=review&amp;org=610102" in page
    assert "Bids" not in as_user("leader", "6102").get("/tasks/overdue").text
    assert "Bids" not in as_user(leader).get("/tasks/overdue?program=job_fairs").text
    other = make_user("reviewer", "610102")
    assert lying_below(leader, "", 10) == []
    other.active = False
    db.session.commit()
    assert [one.stuck for one in lying_below(leader, "", 10)] == [1]


def test_more_votes_than_there_are_holders_are_never_reached(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk, leader = make_user("clerk", "610102"), make_user("leader", "61")
    hearer = make_user("reviewer", "610102")
    row = guest(clerk, meals)
    take(clerk, meals, row, "submit", GUESTS)
    take(hearer, meals, row, "hear", GUESTS)
    make_user("reviewer", "61")
    assert [(one.state, one.stuck) for one in lying_below(leader, "", 10)] == [("panel", 1)]
    make_user("reviewer", "61")
    assert lying_below(leader, "", 10) == []


def test_a_permission_without_a_level_may_be_held_above(meals: ProgramYear, make_user: MakeUser) -> None:
    clerk, leader = make_user("clerk", "610102"), make_user("leader", "6101")
    row = bid(clerk, meals)
    row.state = "approved"
    db.session.commit()
    assert [(one.state, one.stuck, one.org.code) for one in lying_below(leader, "", 10)] == [
        ("approved", 1, "610102001")
    ]
    make_user("finance", "61")
    assert lying_below(leader, "", 10) == []


def test_an_industry_union_holds_it_for_its_members(
    meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    member = next(org for org in small_tree.values() if org.industry_path)
    row = bid(make_user("clerk", "61"), meals, member.code)
    row.state = "approved"
    db.session.commit()
    leader = make_user("leader", "61")
    assert [one.stuck for one in lying_below(leader, "", 10)] == [1]
    make_user("finance", next(org.code for org in small_tree.values() if org.path == member.industry_path))
    assert lying_below(leader, "", 10) == []


def test_however_many_entries_and_people_there_are_the_statements_stay_few(
    meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    def fill(count: int) -> None:
        org, number = small_tree["610102001"], func.generate_series(1, count).column_valued("number")
        rows = select(literal(meals.id), literal(org.id), literal(org.path), func.concat("菜", number))
        db.session.execute(insert(Bid).from_select(["program_year_id", "org_id", "org_path", "dish"], rows))
        submit = FLOW.transition("submit")
        assert submit is not None
        step: Move = the_move(make_user("clerk", "61"), BIDS, meals, submit, seen=database_now())
        move_chosen(step, select(Bid.id))
        db.session.query(Bid).update({Bid.due_on: today()})
        db.session.commit()

    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for number in (1, 30):
        make_user("reviewer", "610102")
        fill(number)
        statements.clear()
        remind(today() + number * DAY)
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert {message.data["count"] for message in db.session.query(Message)} == {31}
