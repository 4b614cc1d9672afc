"""The pages of categories: computing on request and at night, deciding against the rule, and who may."""

from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.api import JobContext, NotFound, ProgramYear, Refused, db
from core.audit.models import AuditLine
from core.jobs.models import Job
from core.programs.queries import open_year_ids
from core.users.testing import AsUser, MakeUser
from plugins.hardship_aid.categories import jobs, services
from plugins.hardship_aid.categories.services import decide, take_back
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.households import MakeFile
from plugins.hardship_aid.tests.households import make_file as make_file

pytestmark = pytest.mark.services
LIST = f"{PAGES}/categories"
DECISION = {"decided": "relative", "decided_because": "财产核查"}


@pytest.fixture
def file(program_year: ProgramYear, make_file: MakeFile) -> File:
    """A file in deep hardship, computed."""
    return make_file(computed="deep", computed_year=2014, line_fen=1_062_00)


def decided(file: File) -> tuple[str | None, str, str | None]:
    db.session.refresh(file)
    return file.decided, file.decided_because, file.computed


def lines(action: str) -> list[AuditLine]:
    return db.session.query(AuditLine).filter_by(action=action).order_by(AuditLine.id).all()


def test_a_clerk_of_the_sponsor_has_all_files_computed(
    program_year: ProgramYear, make_file: MakeFile, as_user: AsUser, run_jobs: Callable[[], int]
) -> None:
    mine = make_file()
    clerk = as_user("clerk")
    assert "Compute all files" in clerk.get(LIST).text
    for _click in range(2):
        assert clerk.post(f"{LIST}/classify").status_code == 302
    assert run_jobs() == 1
    db.session.refresh(mine)
    assert (mine.computed, mine.computed_year) == ("deep", 2014)
    assert [line.data["changed"] for line in lines("hardship.classify")] == [1]


def test_a_clerk_of_a_county_does_not(program_year: ProgramYear, as_user: AsUser) -> None:
    clerk = as_user("clerk", "610102")
    assert "Compute all files" not in clerk.get(LIST).text
    assert clerk.post(f"{LIST}/classify").status_code == 403
    assert db.session.query(Job).filter_by(name="hardship_aid.classify").count() == 0
    assert as_user("reviewer").post(f"{LIST}/classify").status_code == 403


def test_without_an_open_file_no_work_is_asked_for(
    program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser
) -> None:
    make_file(state="out")
    make_file(sponsor="6101")
    with pytest.raises(Refused, match="no open file"):
        services.ask_to_classify(make_user("clerk"), program_year)
    assert db.session.query(Job).filter_by(name="hardship_aid.classify").count() == 0


def test_every_night_new_files_are_computed(program_year: ProgramYear, make_file: MakeFile) -> None:
    assert jobs.CLASSIFY.schedule
    assert open_year_ids("hardship_aid") == [program_year.id]
    mine = make_file(state="draft")
    context = JobContext(job_id=1, attempt=1, program_year_id=program_year.id, user_id=None, engine=db.engine)
    for _night in range(2):
        jobs.classify(context)
        db.session.refresh(mine)
        assert mine.computed == "deep"
    assert [line.data["changed"] for line in lines("hardship.classify")] == [1, 0]


def test_one_file_is_computed_on_its_page(program_year: ProgramYear, make_file: MakeFile, as_user: AsUser) -> None:
    mine, other = make_file(income_fen=60_000_00), make_file()
    clerk = as_user("clerk", "610102")
    assert clerk.post(f"{LIST}/{mine.id}/compute").status_code == 302
    db.session.refresh(mine)
    db.session.refresh(other)
    assert (mine.computed, other.computed) == ("relative", None)
    page = clerk.get(f"{LIST}/{mine.id}").text
    assert "Relative hardship" in page
    assert "1,062.00" in page
    assert lines("register.entry_shown")[-1].object == f"hardship_aid.files:{mine.id}"


def test_a_closed_file_is_not_computed(program_year: ProgramYear, make_file: MakeFile, as_user: AsUser) -> None:
    closed = make_file(state="out")
    page = as_user("clerk", "610102").post(f"{LIST}/{closed.id}/compute")
    assert page.status_code == 409
    assert "This file is not computed" in page.text
    assert lines("hardship.classify") == []


def test_a_reviewer_decides_otherwise_and_takes_it_back(file: File, make_user: MakeUser, as_user: AsUser) -> None:
    user = make_user("reviewer", "6101")
    reviewer = as_user(user)
    assert "Decide otherwise" in reviewer.get(f"{LIST}/{file.id}").text
    assert reviewer.post(f"{LIST}/{file.id}/decide", data=DECISION).status_code == 302
    assert decided(file) == ("relative", "财产核查", "deep")
    assert reviewer.post(f"{LIST}/{file.id}/decide", data=DECISION | {"decided": "none"}).status_code == 302
    assert reviewer.post(f"{LIST}/{file.id}/take-back").status_code == 302
    assert decided(file) == (None, "", "deep")
    first, second = lines("hardship.decide")
    assert first.data == {"computed": "deep", "former": None, "decided": "relative", "reason": "财产核查"}
    assert (second.data["former"], second.data["decided"]) == ("relative", "none")
    (back,) = lines("hardship.take_back")
    assert back.data == {"computed": "deep", "former": "none", "reason": "财产核查"}
    assert back.user_id == user.id


@pytest.mark.parametrize(
    ("values", "sentence", "status"),
    [
        ({"decided_because": ""}, "Please say why.", 400),
        ({"decided_because": "  \n "}, "Please say why.", 409),
        ({"decided": "deep"}, "That is what the rule says", 409),
        ({"decided": "rich"}, "Not a valid choice.", 400),
        ({"decided_because": "长" * 501}, "Field cannot be longer than 500 characters.", 400),
    ],
)
def test_a_decision_that_cannot_be_is_told_at_its_field(
    file: File, as_user: AsUser, values: dict[str, str], sentence: str, status: int
) -> None:
    page = as_user("reviewer", "610102").post(f"{LIST}/{file.id}/decide", data=DECISION | values)
    assert page.status_code == status
    assert sentence in page.text
    assert decided(file)[0] is None
    assert lines("hardship.decide") == []


def test_who_made_the_file_does_not_decide_about_it(file: File, make_user: MakeUser, as_user: AsUser) -> None:
    maker = make_user("reviewer", "610102")
    file.made_by = maker.id
    db.session.commit()
    browser = as_user(maker)
    assert "Decide otherwise" not in browser.get(f"{LIST}/{file.id}").text
    for step in ("decide", "take-back"):
        page = browser.post(f"{LIST}/{file.id}/{step}", data=DECISION)
        assert page.status_code == 409
        assert "Who made a file does not decide about it." in page.text
    assert as_user("reviewer", "610102").post(f"{LIST}/{file.id}/decide", data=DECISION).status_code == 302


def test_whoever_is_no_reviewer_there_does_not_decide(file: File, as_user: AsUser) -> None:
    for role, code, status in (("clerk", "610102", 403), ("reviewer", "610103", 404), ("reviewer", "610102001", 404)):
        browser = as_user(role, code)
        for step in ("decide", "take-back"):
            assert browser.post(f"{LIST}/{file.id}/{step}", data=DECISION).status_code == status
    assert decided(file)[0] is None


def test_nothing_is_decided_about_what_is_closed_or_not_computed(
    program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser
) -> None:
    reviewer = make_user("reviewer")
    computed = {"computed": "deep", "computed_year": 2014, "line_fen": 1}
    for file, sentence in (
        (make_file(), "has not been computed"),
        (make_file(state="out", **computed), "is closed"),
        (make_file(state="refused", **computed), "is closed"),
        (make_file(state="removed", **computed), "is closed"),
    ):
        with pytest.raises(Refused, match=sentence):
            decide(reviewer, program_year, file.id, "relative", "因故")
    with pytest.raises(Refused, match="Nothing was decided"):
        take_back(reviewer, program_year, make_file(**computed).id)
    with pytest.raises(NotFound):
        decide(reviewer, program_year, make_file(sponsor="6101", **computed).id, "relative", "因故")


def test_in_a_year_that_is_over_nothing_changes(file: File, program_year: ProgramYear, make_user: MakeUser) -> None:
    program_year.closes_on = date(2014, 12, 31)
    db.session.commit()
    with pytest.raises(Refused, match="not open"):
        decide(make_user("reviewer"), program_year, file.id, "relative", "因故")
    with pytest.raises(Refused, match="not open"):
        services.ask_to_classify(make_user("clerk"), program_year)


def test_computing_again_keeps_what_was_decided(file: File, program_year: ProgramYear, make_user: MakeUser) -> None:
    decide(make_user("reviewer"), program_year, file.id, "accidental", "因故")
    program_year.settings = program_year.settings | {"line": 10_00}
    services.classify(make_user("clerk"), program_year)
    assert decided(file) == ("accidental", "因故", "none")


def test_the_table_keeps_no_decision_without_a_reason(file: File) -> None:
    with pytest.raises(IntegrityError, match="ck_hardship_aid_file_decided"):
        db.session.execute(text("UPDATE hardship_aid_file SET decided = 'none'"))


def shown(browser: FlaskClient, which: str) -> set[str]:
    page = browser.get(f"{LIST}?show={which}").text.partition("<tbody>")[2].partition("</tbody>")[0]
    return {name for name in NAMES if name in page}


NAMES = ("王未算", "李无类", "张另定", "赵深度", "钱已出")


def test_the_list_finds_what_is_to_be_looked_at(
    program_year: ProgramYear, make_file: MakeFile, as_user: AsUser
) -> None:
    done = {"computed_year": 2014, "line_fen": 1}
    make_file(name="王未算")
    make_file(name="李无类", computed="none", **done)
    make_file(name="张另定", computed="none", decided="deep", decided_because="因故", **done)
    make_file("610202", name="赵深度", computed="deep", **done)
    make_file(name="钱已出", computed="deep", state="out", **done)
    province, city = as_user("leader"), as_user("leader", "6101")
    assert shown(province, "all") == {"王未算", "李无类", "张另定", "赵深度"}
    assert shown(province, "nonsense") == shown(province, "all")
    assert shown(city, "all") == {"王未算", "李无类", "张另定"}
    assert shown(city, "uncomputed") == {"王未算"}
    assert shown(city, "none") == {"李无类"}
    assert shown(city, "differing") == {"张另定"}


def test_a_long_list_has_pages(
    program_year: ProgramYear, make_file: MakeFile, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.hardship_aid.categories.queries.PAGE", 1)
    monkeypatch.setattr("plugins.hardship_aid.categories.category_views.PAGE", 1)
    first = make_file(name="王未算")
    make_file(name="李无类")
    leader = as_user("leader")
    assert shown(leader, "all") == {"王未算"}
    page = leader.get(f"{LIST}?after={first.id}").text
    assert "李无类" in page
    assert "王未算" not in page
    assert 'rel="next"' not in page


def test_a_user_without_a_role_sees_nothing(file: File, as_user: AsUser) -> None:
    nobody = as_user(None, "610102")
    for page in (LIST, f"{LIST}/{file.id}"):
        assert nobody.get(page).status_code in (403, 404)
