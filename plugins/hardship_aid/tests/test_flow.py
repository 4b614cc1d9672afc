"""The way of a file: every step, what it asks for at its boundary, and who may not take it."""

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from core.api import Forbidden, Org, Person, ProgramYear, Refused, User, ZhijiaError, db, decrypt, today
from core.files.records import record_of
from core.files.services import attach
from core.flows import services as flows
from core.flows.models import FlowStep
from core.flows.queries import count_by_hindrance, database_now, options_of, the_move, waiting
from core.notices import services as notices
from core.notices.models import Notice, NoticeLine
from core.registers.history import values_of
from core.registers.services import add, change, remove
from core.users.testing import AsUser, MakeUser
from plugins.hardship_aid.files.flow import FLOW
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.files.registers import FILES
from plugins.hardship_aid.tests.conftest import PAGES

APPLIED = date(2014, 1, 6)
DAY = timedelta(days=1)
MakeFile = Callable[..., File]
VALUES = {
    "worker": "employed",
    "household_size": 2,
    "head": "self",
    "head_name": "",
    "income_fen": 48_000_00,
    "rigid_fen": 15_000_00,
    "loss_fen": 0,
    "cause": "illness",
    "cause_note": "",
    "barrier": "none",
    "applied_on": APPLIED,
    "visited_on": None,
    "visitors": "",
}


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    """A clerk of the county."""
    return make_user("clerk", "610102")


@pytest.fixture
def make_file(program_year: ProgramYear, make_person: Callable[..., Person], clerk: User) -> MakeFile:
    """``make_file(members=1, **values)``: the application of a worker of a township, with members of the household."""

    def make(members: int = 1, **values: Any) -> File:
        person = make_person("610102001")
        whose = {"id_number": decrypt("id_number", person.id_number), "name": person.name, "org_code": "610102001"}
        file = add(clerk, FILES, program_year, VALUES | whose | values)
        assert isinstance(file, File)
        for number in range(members):
            db.session.add(
                Member(
                    sponsor_id=file.sponsor_id, person_id=file.person_id, org_id=file.org_id, org_path=file.org_path,
                    name=f"家属{number}", relation="child", born_on=date(2005, 1, 1),
                )
            )  # fmt: skip
        db.session.commit()
        return file

    return make


def take(user: User, year: ProgramYear, file: File, code: str, comment: str | None = None) -> str:
    """Take a step; the state that the file is in afterwards."""
    step = FLOW.transition(code)
    assert step is not None
    said = ("because" if step.comment else "") if comment is None else comment
    flows.move(the_move(user, FILES, year, step, comment=said), file.id)
    db.session.refresh(file)
    return file.state


def edit(clerk: User, year: ProgramYear, file: File, **values: Any) -> None:
    """Change a file by its form."""
    change(clerk, FILES, year, file, values, values_of(FILES, file))


def authorise(clerk: User, year: ProgramYear, file: File) -> None:
    """Attach what the household has signed."""
    attach(clerk, record_of(FILES, year, file), "授权书.pdf", BytesIO(b"%PDF-1.4\nfictional\n%%EOF\n"))


def post(clerk: User, year: ProgramYear, file: File, posted: date, ends: date) -> Notice:
    """Put the file under a notice that runs between these days."""
    org = db.session.query(Org).filter_by(code="610102").one()
    draft = notices.Draft(
        org=org, title="公示", text="公示", contact="87654321", working_days=5, columns=("cause",), expected=1
    )
    notice = notices.post(clerk, FILES, year, select(File.id).where(File.id == file.id), draft)
    db.session.execute(update(Notice).where(Notice.id == notice.id).values(posted_on=posted, ends_on=ends))
    db.session.commit()
    return notice


def stop(clerk: User, file: File, state: str) -> None:
    """Put a file into a state, as if it had gone there; for tests of one step."""
    level = "county" if state == "approval" else None
    db.session.execute(
        update(File).where(File.id == file.id).values(state=state, at_level=level, state_since=func.clock_timestamp())
    )
    db.session.commit()
    db.session.refresh(file)


def test_a_file_goes_the_whole_way_and_back(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, make_user: MakeUser
) -> None:
    year, unit, county = program_year, make_user("reviewer", "610102001"), make_user("reviewer", "610102")
    file = make_file()
    assert file.state == "draft"
    assert take(clerk, year, file, "submit") == "unit_review"
    assert take(unit, year, file, "pass_unit") == "visit"
    edit(clerk, year, file, visited_on=APPLIED + DAY, visitors="李某、张某")
    authorise(clerk, year, file)
    assert take(clerk, year, file, "visited") == "comparison"
    file.compared_on = APPLIED + 2 * DAY
    db.session.commit()
    assert take(clerk, year, file, "compared") == "notice"
    post(clerk, year, file, today() - 9 * DAY, today() - DAY)
    assert take(clerk, year, file, "announced") == "approval"
    assert file.at_level == "county"
    assert take(county, year, file, "approve") == "on_file"
    assert take(clerk, year, file, "start_recheck") == "recheck"
    assert take(unit, year, file, "confirm") == "on_file"
    assert take(clerk, year, file, "start_recheck") == "recheck"
    assert take(unit, year, file, "leave", "income above the line for a year") == "out"
    number = file.id
    assert take(clerk, year, file, "relapse", "ill again") == "draft"
    assert (file.id, db.session.query(File).count()) == (number, 1)
    said = [step.comment for step in db.session.query(FlowStep).filter(FlowStep.comment != "").order_by(FlowStep.id)]
    assert said == ["income above the line for a year", "ill again"]


@pytest.mark.parametrize(("size", "members"), [(1, 1), (2, 0), (2, 2), (3, 1), (3, 3)])
def test_an_application_is_not_submitted_without_all_of_the_household(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, size: int, members: int
) -> None:
    file = make_file(members, household_size=size)
    with pytest.raises(Refused, match="Enter all members of the household first"):
        take(clerk, program_year, file, "submit")
    edit(clerk, program_year, file, household_size=members + 1)
    assert take(clerk, program_year, file, "submit") == "unit_review"


@pytest.mark.parametrize(
    ("visited_on", "signed", "is_enough"),
    [
        (None, True, False),
        (APPLIED - DAY, True, False),
        (APPLIED, False, False),
        (APPLIED, True, True),
    ],
)
def test_a_visit_has_a_day_since_the_application_and_a_signed_authorisation(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, visited_on: date | None, signed: bool, is_enough: bool
) -> None:
    file = make_file()
    stop(clerk, file, "visit")
    if signed:
        authorise(clerk, program_year, file)
    edit(clerk, program_year, file, visited_on=visited_on)
    if is_enough:
        assert take(clerk, program_year, file, "visited") == "comparison"
        return
    with pytest.raises(Refused, match="attach the signed authorisation"):
        take(clerk, program_year, file, "visited")


@pytest.mark.parametrize(("compared_on", "is_enough"), [(None, False), (APPLIED - DAY, False), (APPLIED, True)])
def test_what_was_compared_before_the_application_counts_for_nothing(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, compared_on: date | None, is_enough: bool
) -> None:
    file = make_file()
    stop(clerk, file, "comparison")
    file.compared_on = compared_on
    db.session.commit()
    if is_enough:
        assert take(clerk, program_year, file, "compared") == "notice"
        return
    with pytest.raises(Refused, match="has not been compared"):
        take(clerk, program_year, file, "compared")


@pytest.mark.parametrize(
    ("posted", "ends", "objected", "is_enough"),
    [
        (APPLIED, APPLIED + DAY, False, True),
        (APPLIED - DAY, APPLIED + DAY, False, False),  # of an earlier application
        (APPLIED, None, False, False),  # the last day is today
        (APPLIED, APPLIED + DAY, True, False),
    ],
)
def test_a_file_is_announced_for_this_application_and_nobody_objects(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, posted: date, ends: date | None, objected: bool,
    is_enough: bool,
) -> None:  # fmt: skip
    file = make_file()
    stop(clerk, file, "notice")
    with pytest.raises(Refused, match="public notice of this application has not ended"):
        take(clerk, program_year, file, "announced")
    post(clerk, program_year, file, posted, ends or today())
    db.session.execute(update(NoticeLine).values(held=objected))
    db.session.commit()
    if is_enough:
        assert take(clerk, program_year, file, "announced") == "approval"
        return
    with pytest.raises(Refused, match="public notice of this application has not ended"):
        take(clerk, program_year, file, "announced")


@pytest.mark.parametrize(("posted", "is_enough"), [(APPLIED, True), (APPLIED - DAY, False)])
def test_only_an_objection_to_this_application_ends_it(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, make_user: MakeUser, posted: date, is_enough: bool
) -> None:
    file, reviewer = make_file(), make_user("reviewer", "610102")
    stop(clerk, file, "notice")
    post(clerk, program_year, file, posted, APPLIED + DAY)
    with pytest.raises(Refused, match="There is no objection"):
        take(reviewer, program_year, file, "refuse_objected")
    db.session.execute(update(NoticeLine).values(held=True))
    db.session.commit()
    if is_enough:
        assert take(reviewer, program_year, file, "refuse_objected") == "refused"
        return
    with pytest.raises(Refused, match="There is no objection"):
        take(reviewer, program_year, file, "refuse_objected")


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("unit_review", "pass_unit"),
        ("unit_review", "return_unit"),
        ("unit_review", "refuse_unit"),
        ("approval", "approve"),
        ("recheck", "confirm"),
        ("recheck", "leave"),
        ("on_file", "remove"),
    ],
)
def test_nobody_decides_about_what_they_entered(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, make_user: MakeUser, state: str, code: str
) -> None:
    file, other = make_file(), make_user("reviewer", "610102")
    both = make_user("reviewer", "610102")
    both.grants[0].user = clerk
    db.session.commit()
    stop(clerk, file, state)
    with pytest.raises(Forbidden, match="You made, changed or submitted this entry"):
        take(clerk, program_year, file, code)
    assert take(other, program_year, file, code) != state


@pytest.mark.parametrize("code", [step.code for step in FLOW.transitions if step.comment and not step.goes_down])
def test_a_reason_is_owed_where_somebody_loses_something(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, code: str
) -> None:
    file = make_file()
    with pytest.raises(ZhijiaError, match=r"Please give the reason\.") as refused:
        take(clerk, program_year, file, code, "")
    assert refused.value.field == "comment"


def test_reasons_are_owed_for_these() -> None:
    owed = {step.code for step in FLOW.transitions if step.comment}
    named = {"leave", "remove", "relapse", "apply_again", "take_back", "refuse_objected"}
    assert owed == named | {"return_unit", "refuse_unit", "return", "refuse", "send_down"}


def test_who_passed_the_first_review_does_not_approve(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, make_user: MakeUser
) -> None:
    year, county = program_year, make_user("reviewer", "610102")
    file = make_file()
    take(clerk, year, file, "submit")
    take(county, year, file, "pass_unit")  # for the township below, where the permission counts as well
    stop(clerk, file, "approval")
    with pytest.raises(Forbidden, match="You have taken a step with this entry before"):
        take(county, year, file, "approve")


def test_the_same_reviewer_confirms_year_after_year(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, make_user: MakeUser
) -> None:
    year, county = program_year, make_user("reviewer", "610102")
    file = make_file()
    stop(clerk, file, "on_file")
    for _year in range(2):
        take(clerk, year, file, "start_recheck")
        assert [(item.state, item.count) for item in waiting(county)] == [("recheck", 1)]
        assert take(county, year, file, "confirm") == "on_file"


@pytest.mark.parametrize("state", ["refused", "removed", "out"])
def test_whoever_left_applies_again_with_the_same_file_and_goes_the_whole_way(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, make_user: MakeUser, state: str
) -> None:
    year, file = program_year, make_file(visited_on=APPLIED)
    authorise(clerk, year, file)
    stop(clerk, file, state)
    assert take(clerk, year, file, "relapse" if state == "out" else "apply_again") == "draft"
    edit(clerk, year, file, applied_on=APPLIED + 300 * DAY)
    take(clerk, year, file, "submit")
    take(make_user("reviewer", "610102"), year, file, "pass_unit")
    with pytest.raises(Refused, match="Enter the day of the visit"):
        take(clerk, year, file, "visited")
    edit(clerk, year, file, visited_on=APPLIED + 300 * DAY)
    assert take(clerk, year, file, "visited") == "comparison"


@pytest.mark.parametrize("state", FLOW.states)
def test_a_file_is_changed_only_where_it_is_filled_in_and_stays_once_it_was_submitted(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, state: str
) -> None:
    file = make_file(0)
    stop(clerk, file, state)
    if state in ("draft", "returned", "visit", "recheck"):
        edit(clerk, program_year, file, visitors="李某")
    else:
        with pytest.raises(Refused, match="it can be changed only in"):
            edit(clerk, program_year, file, visitors="李某")
    with pytest.raises(Refused, match="An application that was submitted once stays"):
        remove(clerk, FILES, program_year, file)


def test_a_draft_that_nobody_has_seen_yet_is_removed(
    program_year: ProgramYear, make_file: MakeFile, clerk: User
) -> None:
    file = make_file(0)
    edit(clerk, program_year, file, visitors="李某")
    remove(clerk, FILES, program_year, file)
    assert db.session.query(File).count() == 0


def test_of_many_only_those_with_a_complete_household_are_submitted(
    program_year: ProgramYear, make_file: MakeFile, clerk: User
) -> None:
    files = [make_file(members) for members in (0, 1, 1)]
    step = FLOW.transition("submit")
    assert step is not None
    move = the_move(clerk, FILES, program_year, step, seen=database_now())
    assert count_by_hindrance(move, select(File.id)) == {None: 2, "provided": 1}
    assert flows.move_chosen(move, select(File.id)).moved == 2
    db.session.expire_all()
    assert [file.state for file in files] == ["draft", "unit_review", "unit_review"]


def test_the_page_says_what_is_missing(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, as_user: AsUser
) -> None:
    file = make_file(0)
    page = as_user(clerk).get(f"{PAGES}/registers/files/{file.id}").text
    assert "Submit the application: Enter all members of the household first" in page
    assert 'value="submit"' not in page
    assert [step.code for step in options_of(clerk, FILES, program_year, file).lacking] == ["submit"]


def test_a_visit_lies_not_in_the_future_in_the_form_and_in_the_table(
    program_year: ProgramYear, make_file: MakeFile, clerk: User, as_user: AsUser
) -> None:
    file, browser = make_file(), as_user(clerk)
    stop(clerk, file, "visit")
    tomorrow = today() + DAY
    page = browser.post(
        f"{PAGES}/registers/files/{file.id}/change",
        data={
            "worker": "employed", "household_size": "2", "head": "self", "income_fen": "1", "rigid_fen": "1",
            "loss_fen": "0", "cause": "illness", "barrier": "none", "applied_on": "2014-01-06",
            "visited_on": tomorrow.isoformat(),
        },
    )  # fmt: skip
    assert page.status_code == 400
    assert "This day lies in the future." in page.text
    db.session.execute(text("UPDATE hardship_aid_file SET visited_on = :day"), {"day": today()})
    with pytest.raises(IntegrityError, match="ck_hardship_aid_file_visited_on"):
        db.session.execute(text("UPDATE hardship_aid_file SET visited_on = :day"), {"day": tomorrow})
