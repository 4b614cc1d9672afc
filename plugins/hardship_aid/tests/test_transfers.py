"""A worker in hardship goes over to another union: who asks and who accepts, what is refused, what goes along."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.api import SYSTEM, Forbidden, NotFound, Org, Person, ProgramYear, Refused, Scope, User, db, has_files
from core.audit.models import AuditLine
from core.flows.models import FlowStep
from core.people.merging import merge
from core.people.personal import erase, show_data
from core.programs.services import enable
from core.registers.models import RecordChange
from core.tasks.models import Message, Task
from core.users.access import reach_of
from core.users.testing import AsUser, MakeUser
from core.wall import Reach, reach_as
from plugins.hardship_aid.files.flow import FLOW
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.lines.models import SubsistenceLine
from plugins.hardship_aid.pairing.models import Pair, PairVisit
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.paired import pair, visit
from plugins.hardship_aid.tests.test_flow import MakeFile, authorise, edit, stop, take
from plugins.hardship_aid.tests.test_flow import clerk as clerk
from plugins.hardship_aid.tests.test_flow import make_file as make_file
from plugins.hardship_aid.transfers import services
from plugins.hardship_aid.transfers.models import Transfer
from plugins.hardship_aid.transfers.words import MAY_GO

pytestmark = pytest.mark.services
FROM, TO = "610102001", "610103"
WHY = "已在碑林区就业"


@pytest.fixture
def receiver(make_user: MakeUser) -> User:
    """A clerk of the county that receives."""
    return make_user("clerk", TO)


@pytest.fixture
def file(make_file: MakeFile, clerk: User) -> File:
    """A file that is on file in a township."""
    made = make_file()
    stop(clerk, made, "on_file")
    return made


@pytest.fixture
def asked(program_year: ProgramYear, file: File, clerk: User) -> Transfer:
    """The county of the township has asked another county."""
    return services.ask(clerk, program_year, file.id, TO, WHY)


def union(code: str) -> Org:
    return db.session.scalars(select(Org).where(Org.code == code)).one()


def places(*models: Any) -> set[str]:
    """Where everything lies."""
    db.session.expire_all()
    return {row.org_path for model in models for row in db.session.query(model)}


def see_as(user: User) -> None:
    """See no further than this user, as on their pages."""
    db.session.commit()
    reach_as(reach_of(user, "hardship_aid"))


def test_the_receiving_union_finds_a_task_and_accepting_moves_the_worker_with_everything(
    program_year: ProgramYear, file: File, clerk: User, receiver: User, asked: Transfer
) -> None:
    person = db.session.get_one(Person, file.person_id)
    visit(program_year, pair(program_year, person))
    place = {"org_id": union(TO).id, "org_path": union(TO).path}
    db.session.add(SubsistenceLine(program_year_id=program_year.id, monthly_fen=700_00, **place))
    (task,) = db.session.scalars(select(Task).where(Task.kind == "hardship_aid.transfer"))
    assert (task.org_path, task.permission, task.done_at) == (union(TO).path, "hardship_aid.edit", None)
    see_as(receiver)
    assert db.session.scalars(select(File.id)).all() == []
    services.accept(receiver, program_year, asked.id)
    see_everything()
    assert places(Person, File, Member, Pair, PairVisit) == {union(TO).path}
    assert (file.line_fen, file.computed_year) == (700_00, 2014)  # by the line there
    assert db.session.query(Task).filter(Task.done_at.is_(None)).count() == 0
    (message,) = db.session.scalars(select(Message).where(Message.kind == "hardship_aid.transfer_accepted"))
    assert message.user_id == clerk.id
    lines = db.session.execute(select(AuditLine.action, AuditLine.org_path).order_by(AuditLine.id)).all()
    told = [(action, path) for action, path in lines if action in ("people.move", "hardship.transfer")]
    source, target = union(FROM).path, union(TO).path
    assert told == [
        ("hardship.transfer", source), ("people.move", source), ("people.move", target), ("hardship.transfer", target),
    ]  # fmt: skip


def see_everything() -> None:
    """See everything again."""
    reach_as(Reach(beyond="a test"))
    db.session.expire_all()


def test_accepting_twice_does_nothing_again(program_year: ProgramYear, receiver: User, asked: Transfer) -> None:
    services.accept(receiver, program_year, asked.id)
    count, decided = db.session.query(AuditLine).count(), asked.decided_at
    services.accept(receiver, program_year, asked.id)
    assert (db.session.query(AuditLine).count(), asked.decided_at) == (count, decided)


def test_history_steps_and_attachments_go_along(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, receiver: User
) -> None:
    file = make_file()
    authorise(clerk, program_year, file)
    edit(clerk, program_year, file, visitors="李某")
    take(clerk, program_year, file, "submit")
    stop(clerk, file, "on_file")
    other = make_file()
    transfer = services.ask(clerk, program_year, file.id, TO, WHY)
    services.accept(receiver, program_year, transfer.id)
    person_id, other_id = file.person_id, other.person_id
    see_as(receiver)
    assert db.session.scalars(select(File.person_id)).all() == [person_id]
    assert db.session.scalars(select(RecordChange.action).order_by(RecordChange.id)).all() == ["add", "change"]
    assert db.session.scalars(select(FlowStep.transition)).all() == ["submit"]
    assert db.session.scalars(select(has_files("hardship_aid.files", File))).all() == [True]
    see_everything()
    see_as(clerk)
    assert db.session.scalars(select(File.person_id)).all() == [other_id]
    assert set(db.session.scalars(select(RecordChange.person_id))) == {other_id}
    assert db.session.query(FlowStep).count() == 0
    assert db.session.query(Transfer).count() == 0


@pytest.mark.parametrize("state", FLOW.states)
def test_only_what_is_not_under_way_is_asked_for_and_accepted(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, receiver: User, state: str
) -> None:
    file = make_file()
    stop(clerk, file, state)
    if state not in MAY_GO:
        with pytest.raises(Refused, match="under way is not transferred"):
            services.ask(clerk, program_year, file.id, TO, WHY)
        db.session.rollback()
        stop(clerk, file, "on_file")
        transfer = services.ask(clerk, program_year, file.id, TO, WHY)
        stop(clerk, file, state)
        with pytest.raises(Refused, match="under way is not transferred"):
            services.accept(receiver, program_year, transfer.id)
        db.session.rollback()
        assert (transfer.state, file.org_path) == ("open", union(FROM).path)
        return
    services.accept(receiver, program_year, services.ask(clerk, program_year, file.id, TO, WHY).id)
    assert places(File, Member, Person) == {union(TO).path}


def test_these_are_not_under_way() -> None:
    assert set(FLOW.states) - set(MAY_GO) == {
        "draft", "returned", "unit_review", "visit", "comparison", "notice", "approval"
    }  # fmt: skip


def test_a_second_request_is_refused_by_the_service_and_by_the_table(
    program_year: ProgramYear, file: File, clerk: User, asked: Transfer
) -> None:
    with pytest.raises(Refused, match="is open already"):
        services.ask(clerk, program_year, file.id, "6102", WHY)
    db.session.rollback()
    with pytest.raises(IntegrityError, match="uq_hardship_aid_transfer_open"):
        _insert(asked, state="open")
    db.session.rollback()
    services.withdraw(clerk, program_year, asked.id)
    assert services.ask(clerk, program_year, file.id, "6102", WHY).state == "open"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"org": FROM}, "another"),
        ({"reason": ""}, "reason"),
        ({"state": "lost"}, "state"),
        ({"state": "declined", "answer": ""}, "answer"),
        ({"state": "open", "decided_at": datetime(2014, 3, 1, tzinfo=UTC)}, "decided"),
        ({"state": "withdrawn", "decided_at": None}, "decided"),
    ],
)
def test_the_table_holds_the_rules_by_itself(asked: Transfer, changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(IntegrityError, match=f"ck_hardship_aid_transfer_{rule}"):
        _insert(asked, **changes)


def _insert(like: Transfer, org: str = TO, **values: Any) -> None:
    """A row like another, in SQL."""
    row: dict[str, Any] = {"state": "withdrawn", "reason": "x", "answer": ""} | values
    row.setdefault("decided_at", None if row["state"] == "open" else datetime(2014, 3, 1, tzinfo=UTC))
    target = union(org)
    row |= {"sponsor": like.sponsor_id, "person": like.person_id, "org": target.id, "path": target.path}
    row |= {"source": like.from_org_id, "source_path": like.from_org_path}
    db.session.execute(
        text(
            "INSERT INTO hardship_aid_transfer (sponsor_id, person_id, org_id, org_path, from_org_id, from_org_path,"
            " reason, state, answer, decided_at) VALUES (:sponsor, :person, :org, :path, :source, :source_path,"
            " :reason, :state, :answer, :decided_at)"
        ),
        row,
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (FROM, "the worker's own union"),
        ("6102", "no longer active"),
        ("999999", "no union with the code"),
        ("", "no union with the code"),
    ],
)
def test_a_union_that_cannot_receive_is_refused_at_its_field(
    program_year: ProgramYear, file: File, clerk: User, code: str, sentence: str
) -> None:
    union("6102").active = False
    db.session.commit()
    with pytest.raises((Refused, NotFound), match=sentence) as refused:
        services.ask(clerk, program_year, file.id, code, WHY)
    assert refused.value.field == "org_code"


def test_a_union_that_was_closed_meanwhile_does_not_receive(
    program_year: ProgramYear, receiver: User, asked: Transfer
) -> None:
    union(TO).active = False
    db.session.commit()
    with pytest.raises(Refused, match="no longer active"):
        services.accept(receiver, program_year, asked.id)


def test_a_union_of_another_sponsor_does_not_receive(
    small_tree: dict[str, Org], make_file: MakeFile, clerk: User, file: File
) -> None:
    city = enable(
        SYSTEM, "hardship_aid", 2014, small_tree["6101"], opens_on=date(2014, 1, 1),
        settings={"line": 1_062_00, "notice_working_days": 0},
    )  # fmt: skip
    file.sponsor_id = city.org_id
    db.session.commit()
    with pytest.raises(NotFound, match="no union with the code “6102”"):
        services.ask(clerk, city, file.id, "6102", WHY)
    assert services.ask(clerk, city, file.id, TO, WHY).state == "open"


def test_each_step_is_for_the_union_whose_it_is(
    program_year: ProgramYear, file: File, clerk: User, receiver: User, make_user: MakeUser
) -> None:
    with pytest.raises(Forbidden):
        services.ask(receiver, program_year, file.id, TO, WHY)
    db.session.rollback()
    with pytest.raises(Forbidden):
        services.ask(make_user("reviewer", "610102"), program_year, file.id, TO, WHY)
    db.session.rollback()
    transfer = services.ask(clerk, program_year, file.id, TO, WHY)
    with pytest.raises(Forbidden):
        services.accept(clerk, program_year, transfer.id)
    db.session.rollback()
    with pytest.raises(Forbidden):
        services.decline(clerk, program_year, transfer.id, "no")
    db.session.rollback()
    with pytest.raises(Forbidden):
        services.withdraw(receiver, program_year, transfer.id)


def test_a_request_is_declined_with_a_reason_and_the_file_stays(
    program_year: ProgramYear, file: File, clerk: User, receiver: User, asked: Transfer
) -> None:
    with pytest.raises(Refused, match="Please say why") as refused:
        services.decline(receiver, program_year, asked.id, "  ")
    assert refused.value.field == "answer"
    db.session.rollback()
    services.decline(receiver, program_year, asked.id, "未在本区就业")
    assert (asked.state, asked.answer, file.org_path) == ("declined", "未在本区就业", union(FROM).path)
    (message,) = db.session.scalars(select(Message).where(Message.kind == "hardship_aid.transfer_declined"))
    assert (message.user_id, message.address) == (clerk.id, {"transfer_id": asked.id})
    assert db.session.query(Task).filter(Task.done_at.is_(None)).count() == 0
    for step in (services.accept, services.withdraw):
        with pytest.raises(Refused, match="not open any more: Declined"):
            step(receiver if step is services.accept else clerk, program_year, asked.id)
        db.session.rollback()


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_request_says_why(program_year: ProgramYear, file: File, clerk: User, reason: str) -> None:
    with pytest.raises(Refused, match="Please say why") as refused:
        services.ask(clerk, program_year, file.id, TO, reason)
    assert refused.value.field == "reason"


def test_visits_of_a_closed_year_stay_and_keep_their_pair_from_being_removed(
    program_year: ProgramYear, file: File, receiver: User, asked: Transfer, as_user: AsUser
) -> None:
    person = db.session.get_one(Person, file.person_id)
    paired = pair(program_year, person)
    visit(program_year, paired)
    program_year.closed_at = datetime(2015, 3, 1, tzinfo=UTC)
    db.session.commit()
    services.accept(receiver, program_year, asked.id)
    assert places(Pair) == {union(TO).path}
    assert places(PairVisit) == {union(FROM).path}
    program_year.closed_at = None
    db.session.commit()
    as_user(receiver).post(f"{PAGES}/registers/pairs/{paired.id}/remove")
    assert db.session.query(Pair).count() == 1


def test_a_worker_who_went_elsewhere_meanwhile_is_not_accepted(
    program_year: ProgramYear, file: File, receiver: User, asked: Transfer
) -> None:
    file_person = db.session.get_one(Person, file.person_id)
    file_person.org_id, file_person.org_path = union("6102").id, union("6102").path
    db.session.commit()
    with pytest.raises(Refused, match="no longer on file at the union that agreed"):
        services.accept(receiver, program_year, asked.id)


def test_when_two_people_become_one_requests_are_withdrawn_and_follow_the_file(
    program_year: ProgramYear, make_file: MakeFile, file: File, asked: Transfer,
    make_person: Callable[..., Person],
) -> None:  # fmt: skip
    kept = make_person("610102001")
    merge(SYSTEM, Scope.of(["/61/"]), kept.id, file.person_id)
    db.session.expire_all()
    assert (asked.person_id, asked.state) == (kept.id, "withdrawn")
    assert db.session.query(Task).filter(Task.done_at.is_(None)).count() == 0


def test_requests_about_a_file_that_gives_way_are_told_of_the_one_who_is_kept(
    program_year: ProgramYear, make_file: MakeFile, file: File, clerk: User
) -> None:
    other = make_file()
    stop(clerk, other, "out")
    transfer = services.ask(clerk, program_year, other.id, TO, WHY)
    merge(SYSTEM, Scope.of(["/61/"]), file.person_id, other.person_id)
    db.session.expire_all()
    assert (transfer.person_id, transfer.state) == (file.person_id, "withdrawn")
    assert [one.id for one in db.session.query(File)] == [file.id]


def test_requests_are_shown_and_no_word_of_why_outlives_an_erasure(
    program_year: ProgramYear, file: File, receiver: User, clerk: User, asked: Transfer
) -> None:
    services.decline(receiver, program_year, asked.id, "未在本区就业")
    second = services.ask(clerk, program_year, file.id, TO, WHY)
    everywhere = Scope.of(["/61/"])
    said = [value for record in show_data(SYSTEM, everywhere, file.person_id) for value in record.values.values()]
    assert WHY in said
    assert "未在本区就业" in said
    erase(SYSTEM, everywhere, file.person_id, "asked for it")
    db.session.expire_all()
    assert (asked.reason, asked.answer) == ("—", "—")
    assert (second.reason, second.answer, second.state) == ("—", "", "withdrawn")


def test_the_pages_ask_show_and_answer(
    program_year: ProgramYear, file: File, clerk: User, receiver: User, as_user: AsUser
) -> None:
    mine, theirs = as_user(clerk), as_user(receiver)
    name = db.session.get_one(Person, file.person_id).name
    page = mine.post(f"{PAGES}/transfers/of/{file.id}", data={"org_code": FROM, "reason": WHY})
    assert page.status_code == 409
    assert "the worker&#39;s own union" in page.text
    assert mine.post(f"{PAGES}/transfers/of/{file.id}", data={"org_code": TO, "reason": ""}).status_code == 400
    assert mine.post(f"{PAGES}/transfers/of/{file.id}", data={"org_code": TO, "reason": WHY}).status_code == 302
    (transfer,) = db.session.query(Transfer)
    assert name in mine.get(f"{PAGES}/transfers?show=outgoing").text
    assert name not in mine.get(f"{PAGES}/transfers").text
    assert name in theirs.get(f"{PAGES}/transfers").text
    page = theirs.get(f"{PAGES}/transfers/{transfer.id}")
    assert (name in page.text, WHY in page.text) == (True, True)
    assert f"/registers/files/{file.id}" not in page.text
    assert theirs.get(f"{PAGES}/transfers/of/{file.id}").status_code == 404
    address = f"{PAGES}/transfers/{transfer.id}"
    assert mine.post(address, data={"step": "accept"}).status_code == 403
    assert theirs.post(address, data={"step": "decline", "answer": ""}).status_code == 409
    assert theirs.post(address, data={"step": "accept"}).status_code == 302
    assert theirs.get(f"{PAGES}/registers/files/{file.id}").status_code == 200
    for gone in (address, f"{PAGES}/transfers/of/{file.id}", f"{PAGES}/registers/files/{file.id}"):
        assert mine.get(gone).status_code == 404


def test_who_declined_need_not_know_any_more_who_it_was(
    program_year: ProgramYear, file: File, receiver: User, asked: Transfer, as_user: AsUser
) -> None:
    name, theirs = db.session.get_one(Person, file.person_id).name, as_user(receiver)
    assert theirs.post(f"{PAGES}/transfers/{asked.id}", data={"step": "decline", "answer": "否"}).status_code == 302
    for page in ("transfers", f"transfers/{asked.id}"):
        assert name not in theirs.get(f"{PAGES}/{page}").text
