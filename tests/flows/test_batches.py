"""Many entries at once: by two statements however many, and only those that can."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from sqlalchemy import event, func, insert, literal, select

from core.audit.models import AuditLine
from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.flows import services
from core.flows.conditions import Move
from core.flows.models import FlowBatch, FlowStep
from core.flows.queries import count_by_hindrance, database_now, the_move
from core.jobs.models import Job
from core.jobs.services import retry
from core.org.models import Org
from core.programs.models import ProgramYear
from core.users.models import User
from core.users.testing import AsUser, MakeUser
from tests.flows.conftest import URL, bid, take
from tests.plugins_for_tests.meals.bids import BIDS, FLOW, Bid

pytestmark = pytest.mark.services
ALL = select(Bid.id)


def asked(user: User, year: ProgramYear, code: str, seen: datetime | None = None, comment: str = "") -> Move:
    step = FLOW.transition(code)
    assert step is not None
    return the_move(user, BIDS, year, step, seen=seen or database_now(), comment=comment)


def fill(year: ProgramYear, org: Org, count: int) -> None:
    """Bids as a job would put them in: by one statement."""
    numbers = func.generate_series(1, count).column_valued("number")
    rows = select(literal(year.id), literal(org.id), literal(org.path), func.concat("菜", numbers))
    db.session.execute(insert(Bid).from_select(["program_year_id", "org_id", "org_path", "dish"], rows))
    db.session.commit()


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def places() -> dict[tuple[str, str | None], int]:
    """How many bids stand where."""
    rows = db.session.execute(select(Bid.state, Bid.at_level, func.count()).group_by(Bid.state, Bid.at_level))
    return {(state, level): number for state, level, number in rows}


def test_thousands_take_as_many_statements_as_one(
    meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    clerk, reviewer = make_user("clerk", "61"), make_user("reviewer", "610102")
    counts = []
    for number in (1, 3000):
        fill(meals, small_tree["610102001"], number)
        with statements() as sent:
            services.move_chosen(asked(clerk, meals, "submit"), ALL)
            services.move_chosen(asked(reviewer, meals, "approve", comment="good"), ALL)
        counts.append(len(sent))
    assert counts[0] == counts[1]
    assert places() == {("review", "city"): 3001}
    assert db.session.query(FlowStep).filter_by(transition="approve", comment="good").count() == 3001
    lines = db.session.query(AuditLine).filter_by(action="flow.batch").order_by(AuditLine.id).all()
    assert [line.data["taken"] for line in lines] == [1, 1, 3000, 3000]


def test_those_that_cannot_stay_as_they_are_and_are_counted_with_the_reason(
    meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    clerk, reviewer = make_user("clerk", "61"), make_user("reviewer", "610102")
    fill(meals, small_tree["610102001"], 2)
    fill(meals, small_tree["610202"], 3)
    services.move_chosen(asked(clerk, meals, "submit"), ALL)
    fill(meals, small_tree["610102001"], 4)
    extra = make_user("clerk", "610102")
    extra.grants[0].user = reviewer
    db.session.commit()
    take(reviewer, meals, bid(reviewer, meals), "submit")
    move = asked(reviewer, meals, "approve")
    assert count_by_hindrance(move, ALL) == {None: 2, "elsewhere": 3, "state": 4, "own": 1}
    done = services.move_chosen(move, ALL)
    assert (done.taken, done.moved) == (2, 2)
    assert places() == {("review", "city"): 2 + 3, ("draft", None): 4, ("review", "county"): 1}


def test_what_was_moved_since_the_count_is_left_alone(
    meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    clerk, reviewer = make_user("clerk", "61"), make_user("reviewer", "610102")
    fill(meals, small_tree["610102001"], 2)
    seen = database_now()
    services.move_chosen(asked(clerk, meals, "submit"), ALL)
    with pytest.raises(Refused, match="None of these entries"):
        services.move_chosen(asked(reviewer, meals, "approve", seen), ALL)
    assert places() == {("review", "county"): 2}


def test_a_batch_is_refused_without_the_reason_that_is_owed_or_for_a_step_back(
    meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    clerk, reviewer = make_user("clerk", "61"), make_user("reviewer", "610102")
    fill(meals, small_tree["610102001"], 2)
    services.move_chosen(asked(clerk, meals, "submit"), ALL)
    with pytest.raises(ZhijiaError, match="reason"):
        services.move_chosen(asked(reviewer, meals, "refuse"), ALL)
    with pytest.raises(Refused, match="entry by entry"):
        services.move_chosen(asked(reviewer, meals, "send_down", comment="no"), ALL)
    assert places() == {("review", "county"): 2}


def test_other_years_rows_are_never_moved(small_tree: dict[str, Org], meals: ProgramYear, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "61")
    other = ProgramYear(
        program="meals", title={}, year=2013, org_id=meals.org_id, org_path="/61/", opens_on=meals.opens_on
    )
    db.session.add(other)
    db.session.commit()
    fill(other, small_tree["610102001"], 2)
    with pytest.raises(Refused):
        services.move_chosen(asked(clerk, meals, "submit"), ALL)
    assert places() == {("draft", None): 2}


def test_very_many_are_moved_by_a_job_and_exactly_those_that_were_chosen(
    meals: ProgramYear, small_tree: dict[str, Org], as_user: AsUser, make_user: MakeUser,
    run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("core.flows.views.AT_ONCE", 2)
    fill(meals, small_tree["610102001"], 3)
    clerk = make_user("clerk", "61")
    browser = as_user(clerk)
    page = browser.post(f"{URL}bids/flow/submit?org=610102", data={"all": "1"})
    assert page.status_code == 200
    assert "3 entries can take this step." in page.text
    assert "They are moved in the background." in page.text
    sure = {"all": "1", "sure": "1", "seen": page.text.split('name="seen" value="')[1].split('"')[0]}
    assert "/jobs/" in browser.post(f"{URL}bids/flow/submit?org=610102", data=sure).headers["Location"]
    assert places() == {("draft", None): 3}
    fill(meals, small_tree["610102001"], 1)
    run_jobs()
    assert places() == {("review", "county"): 3, ("draft", None): 1}
    assert [batch.row_ids for batch in db.session.query(FlowBatch)] == [[]]
    assert {step.actor for step in db.session.query(FlowStep)} == {clerk.name}


def test_a_job_that_runs_again_moves_nothing_twice(
    meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    fill(meals, small_tree["610102001"], 2)
    move = asked(make_user("clerk", "61"), meals, "submit")
    services.move_later(move, ALL)
    batch = db.session.query(FlowBatch).one()
    assert services.move_batch(move, batch) == services.Done(2, 2)
    assert services.move_batch(move, batch) == services.Done(0, 0)
    assert db.session.query(AuditLine).filter_by(action="flow.batch").count() == 1


def test_the_page_asks_back_and_then_does_it(meals: ProgramYear, small_tree: dict[str, Org], as_user: AsUser) -> None:
    fill(meals, small_tree["610102001"], 2)
    fill(meals, small_tree["610202"], 2)
    browser = as_user("clerk", "6101")
    ids = [str(row) for row in db.session.scalars(ALL)]
    assert browser.post(f"{URL}bids/flow/submit", data={}).status_code == 400
    assert browser.post(f"{URL}bids/flow/jump", data={"row": ids}).status_code == 404
    page = browser.post(f"{URL}bids/flow/submit", data={"row": ids})
    assert "2 entries can take this step." in page.text  # those of the other city are not even counted
    assert places() == {("draft", None): 4}
    assert browser.post(f"{URL}bids/flow/submit", data={"row": ids, "sure": "1"}).status_code == 409
    seen = page.text.split('name="seen" value="')[1].split('"')[0]
    done = browser.post(f"{URL}bids/flow/submit", data={"row": ids, "sure": "1", "seen": seen}, follow_redirects=True)
    assert "Submit: 2 entries" in done.text
    assert places() == {("draft", None): 2, ("review", "county"): 2}


def test_the_page_names_what_cannot(meals: ProgramYear, small_tree: dict[str, Org], as_user: AsUser) -> None:
    fill(meals, small_tree["610102001"], 2)
    browser = as_user("reviewer", "610102")
    page = browser.post(f"{URL}bids/flow/approve", data={"all": "1"})
    assert "0 entries can take this step." in page.text
    assert "2 entries: This step does not lead out of the state that the entry is in." in page.text
    assert 'name="sure"' not in page.text


def test_who_lacks_the_permission_of_the_step_is_told_so(
    meals: ProgramYear, small_tree: dict[str, Org], as_user: AsUser
) -> None:
    fill(meals, small_tree["610102001"], 1)
    answer = as_user("leader").post(f"{URL}bids/flow/submit", data={"all": "1"})
    assert answer.status_code == 403
    assert "Edit meals" in answer.text


@pytest.fixture
def sent_off(meals: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser) -> tuple[User, Job]:
    """A clerk who has asked for two bids to be submitted in the background."""
    fill(meals, small_tree["610102001"], 2)
    clerk = make_user("clerk", "61")
    return clerk, services.move_later(asked(clerk, meals, "submit"), ALL)


def test_whoever_asked_is_told_of_a_batch_that_failed_for_good_and_the_entries_are_let_go(
    sent_off: tuple[User, Job], as_user: AsUser, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, job = sent_off

    def fail(*_arguments: object) -> None:
        raise Refused("The disk is full.")

    monkeypatch.setattr("core.flows.jobs.move_batch", fail)
    run_jobs()
    assert db.session.get_one(Job, job.id).state == "failed"
    assert services.release_failed() == 1
    assert services.release_failed() == 0
    assert db.session.query(FlowBatch).count() == 0
    assert places() == {("draft", None): 2}
    inbox = as_user(clerk).get("/inbox/").text
    assert "Bids: “Submit” was not done, all 2 chosen entries are as they were. The disk is full." in inbox
    monkeypatch.undo()
    retry(make_admin(clerk), db.session.get_one(Job, job.id))
    run_jobs()
    assert "its entries were let go" in (db.session.get_one(Job, job.id).error or "")
    assert places() == {("draft", None): 2}


@pytest.mark.parametrize("state", ["queued", "running", "done"])
def test_a_batch_that_is_on_its_way_is_not_let_go(sent_off: tuple[User, Job], state: str) -> None:
    sent_off[1].state = state
    db.session.commit()
    assert services.release_failed() == 0
    assert db.session.query(FlowBatch).one().row_ids


def make_admin(user: User) -> User:
    """The user as an administrator."""
    user.grants[0].role = "admin"
    db.session.commit()
    return user
