"""Objections: until when they are taken, who decides, what they hold back; withdrawing; and what becomes of people."""

from datetime import date
from html import unescape

import pytest
from sqlalchemy.exc import IntegrityError

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Forbidden, Refused
from core.extensions import db
from core.notices import services
from core.notices.models import NoticeLine, Objection
from core.notices.queries import under_objection
from core.org.scope import Scope
from core.people.merging import merge
from core.people.personal import erase, show_data
from core.plugin.hooks import year_blockers
from core.programs.models import ProgramYear
from core.programs.services import close
from core.users.access import reach_of
from core.users.testing import AsUser, MakeUser
from core.wall import reach_as, reach_now
from tests.notices.conftest import (
    NOTICES,
    POSTED,
    URL,
    SetDay,
    line_of,
    line_url,
    object_to,
    only_notice,
    post_notice,
    unmasked,
)
from tests.plugins_for_tests.reading_club.registers import Reader

pytestmark = pytest.mark.services
EVERYWHERE = Scope(("/",))
PHONE = "13912345678"
LAST_DAY, DAY_AFTER = date(2026, 9, 11), date(2026, 9, 12)


def held() -> list[int]:
    """The readers that a scheme leaves out."""
    condition = under_objection("reading_club.readers", Reader)
    return [row.id for row in db.session.query(Reader).filter(condition).order_by(Reader.id)]


@pytest.fixture
def posted(readers: list[Reader], as_user: AsUser) -> list[Reader]:
    """All three readers under one notice until 11 September."""
    assert post_notice(as_user("clerk"), [row.id for row in readers], columns=["likes"])[0] == 302
    return readers


def decide(browser: object, row_id: int, upheld: str = "no", reason: str = "核实无误") -> int:
    one = db.session.query(Objection).filter_by(notice_line_id=line_of(row_id).id).order_by(Objection.id.desc()).first()
    assert one is not None
    url = f"{line_url(row_id)}objections/{one.id}/decide"
    status: int = browser.post(url, data={"upheld": upheld, "reason": reason}).status_code  # type: ignore[attr-defined]
    return status


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text": ""}, "This field is required"),
        ({"text": "  "}, "Say what the objection is."),
        ({"received_on": "2026-09-03"}, "before the notice was posted, or in the future"),
        ({"received_on": "2026-09-05"}, "before the notice was posted, or in the future"),
        ({"received_on": "soon"}, "Not a valid date"),
        ({"contact": "12345"}, "A phone number has 11 digits"),
    ],
)
def test_an_objection_that_is_not_right_holds_nothing_back(
    posted: list[Reader], as_user: AsUser, changes: dict[str, str], sentence: str
) -> None:
    values = {"text": "并非本单位职工", "raised_by": "张某", "contact": "", "received_on": POSTED.isoformat()}
    page = as_user("clerk").post(line_url(posted[0].id), data=values | changes)
    assert page.status_code == 400
    assert sentence in unescape(page.text)
    assert 'value="张某"' in page.text
    assert (db.session.query(Objection).count(), held()) == (0, [])


def test_objections_are_taken_until_the_last_day_and_not_the_day_after(
    posted: list[Reader], as_user: AsUser, wall: SetDay
) -> None:
    clerk = as_user("clerk")
    wall(LAST_DAY)
    assert object_to(clerk, posted[0].id, received_on=LAST_DAY.isoformat()) == 302
    wall(DAY_AFTER)
    values = {"text": "不符合条件", "received_on": LAST_DAY.isoformat()}
    late = clerk.post(line_url(posted[1].id), data=values)
    assert late.status_code == 409
    assert "The notice ended on 2026-09-11." in late.text
    assert "Record an objection" not in late.text
    assert held() == [posted[0].id]


def test_a_notice_that_ends_on_a_worked_saturday_takes_objections_on_it(
    readers: list[Reader], as_user: AsUser, wall: SetDay
) -> None:
    clerk = as_user("clerk")
    wall(date(2026, 10, 9))
    assert post_notice(clerk, [readers[0].id], working_days=1)[0] == 302
    wall(date(2026, 10, 10))
    assert object_to(clerk, readers[0].id, received_on="2026-10-10") == 302
    wall(date(2026, 10, 11))
    assert object_to(clerk, readers[0].id, received_on="2026-10-10") == 409


def test_who_may_not_record_objections_does_not_see_them_either(posted: list[Reader], as_user: AsUser) -> None:
    clerk = as_user("clerk")
    assert object_to(clerk, posted[0].id, contact=PHONE) == 302
    leader = as_user("leader")
    assert leader.get(line_url(posted[0].id)).status_code == 403
    assert object_to(leader, posted[0].id) == 403
    page = leader.get(f"{NOTICES}{only_notice().id}").text
    assert "王*" in page
    assert "Held back" not in page
    assert "/lines/" not in page
    # A line of the city is meant for the county as well, and no business of the county's clerk.
    county = as_user("clerk", "610103")
    assert county.get(line_url(posted[1].id)).status_code == 403
    assert object_to(county, posted[1].id) == 403
    assert as_user("clerk", "6102").get(line_url(posted[0].id)).status_code == 404


@pytest.mark.parametrize(("code", "objections"), [("6101", 1), ("610102", 0)])
def test_the_database_shows_an_objection_only_to_unions_that_the_line_is_of(
    posted: list[Reader], as_user: AsUser, make_user: MakeUser, code: str, objections: int
) -> None:
    """A line of the city is announced to the county below it; what was said against it is not."""
    line = line_of(posted[1].id)
    assert object_to(as_user("clerk", "6101"), posted[1].id) == 302
    everything, user = reach_now(), make_user("clerk", code)
    reach_as(reach_of(user))
    assert db.session.query(NoticeLine).filter_by(id=line.id).count() == 1
    assert db.session.query(Objection).count() == objections
    assert db.session.query(Objection).update({"text": "x"}) == objections
    db.session.rollback()
    reach_as(everything)


def test_the_services_ask_for_the_permissions_themselves(posted: list[Reader], make_user: MakeUser) -> None:
    leader, notice, line = make_user("leader"), only_notice(), line_of(posted[0].id)
    with pytest.raises(Forbidden):
        services.object_to(leader, notice, line, text="不", raised_by="", contact="", received_on=POSTED)
    objection = services.object_to(
        make_user("clerk"), notice, line, text="不", raised_by="", contact=PHONE, received_on=POSTED
    )
    with pytest.raises(Forbidden):
        services.decide(leader, notice, line, objection, upheld=False, reason="无")
    with pytest.raises(Forbidden):
        services.show_contact(make_user("clerk", username="second"), notice, line, objection)
    with pytest.raises(Forbidden):
        services.withdraw(leader, notice, "错")


def test_nobody_decides_on_what_they_recorded_or_posted(
    posted: list[Reader], as_user: AsUser, make_user: MakeUser
) -> None:
    recorder = as_user("reviewer")
    assert object_to(recorder, posted[0].id) == 302
    assert decide(recorder, posted[0].id) == 409
    assert decide(as_user("clerk"), posted[0].id) == 403
    poster = make_user("reviewer", username="both")
    notice = only_notice()
    notice.created_by = poster.id
    db.session.commit()
    browser = as_user(poster)
    assert "somebody else decides" in browser.get(line_url(posted[0].id)).text
    assert decide(browser, posted[0].id) == 409
    assert held() == [posted[0].id]
    assert decide(as_user("reviewer"), posted[0].id) == 302
    assert held() == []
    with pytest.raises(IntegrityError, match="ck_core_objection_decided_by"):
        db.session.query(Objection).update({"decided_by": Objection.recorded_by})


def test_a_decision_owes_a_reason_and_is_made_once(posted: list[Reader], as_user: AsUser) -> None:
    assert object_to(as_user("clerk"), posted[0].id) == 302
    reviewer, other = as_user("reviewer"), as_user("reviewer")
    assert decide(reviewer, posted[0].id, reason="") == 400
    assert decide(reviewer, posted[0].id, reason="  ") == 400
    assert decide(reviewer, posted[0].id, upheld="") == 400
    assert decide(reviewer, posted[0].id, upheld="yes") == 302
    assert decide(other, posted[0].id, upheld="no") == 409
    one = db.session.query(Objection).one()
    assert (one.upheld, one.reason, one.decided_on) == (True, "核实无误", POSTED)
    assert held() == [posted[0].id]


def test_an_entry_is_held_until_every_objection_to_it_is_turned_down(
    posted: list[Reader], as_user: AsUser, wall: SetDay
) -> None:
    clerk, reviewer = as_user("clerk"), as_user("reviewer")
    assert (object_to(clerk, posted[0].id), object_to(clerk, posted[0].id, text="重复申报")) == (302, 302)
    wall(DAY_AFTER)  # decisions may take longer than the notice
    assert decide(reviewer, posted[0].id) == 302
    assert held() == [posted[0].id]
    first = db.session.query(Objection).order_by(Objection.id).first()
    assert first is not None
    data = {"upheld": "no", "reason": "无误"}
    assert reviewer.post(f"{line_url(posted[0].id)}objections/{first.id}/decide", data=data).status_code == 302
    assert held() == []
    lines = db.session.query(AuditLine).filter(AuditLine.action.in_(["notice.object", "notice.decide"])).all()
    assert len(lines) == 4
    assert {line.org_path for line in lines} == {"/61/6101/610102/610102001/"}
    assert "重复申报" not in str([line.data for line in lines])


def test_the_phone_number_is_stored_encrypted_and_seeing_it_is_on_record(posted: list[Reader], as_user: AsUser) -> None:
    clerk, reviewer = as_user("clerk"), as_user("reviewer")
    assert object_to(clerk, posted[0].id, contact="139 1234 5678") == 302
    one = db.session.query(Objection).one()
    assert one.contact is not None
    assert PHONE.encode() not in one.contact
    for browser in (clerk, reviewer):
        assert unmasked(browser.get(line_url(posted[0].id)).text.partition("<main")[2]) == []
    address = f"{line_url(posted[0].id)}objections/{one.id}/contact"
    assert clerk.post(address).status_code == 403
    assert PHONE in reviewer.post(address).text
    lines = db.session.query(AuditLine).filter_by(action="notice.contact_shown").all()
    assert [(line.object, line.data) for line in lines] == [
        (f"notice:{only_notice().id}", {"objection": one.id, "purpose": "contact"})
    ]
    assert object_to(clerk, posted[1].id) == 302
    other = db.session.query(Objection).order_by(Objection.id.desc()).first()
    assert other is not None
    assert reviewer.post(f"{line_url(posted[1].id)}objections/{other.id}/contact").status_code == 404
    assert reviewer.post(f"{line_url(posted[1].id)}objections/{one.id}/contact").status_code == 404


def test_open_objections_wait_on_the_home_page_of_those_who_may_decide(posted: list[Reader], as_user: AsUser) -> None:
    recorder = as_user("reviewer")
    assert object_to(recorder, posted[0].id) == 302
    assert "Decide on the objections: 关于读者名单的公示" in as_user("reviewer", "6101").get("/").text
    for browser in (recorder, as_user("reviewer", "6102"), as_user("clerk")):
        assert "Decide on the objections" not in browser.get("/").text


def test_a_notice_is_withdrawn_with_a_reason_while_it_runs(posted: list[Reader], as_user: AsUser, wall: SetDay) -> None:
    clerk, url = as_user("clerk"), f"{NOTICES}{only_notice().id}"
    assert object_to(clerk, posted[0].id) == 302
    assert clerk.post(f"{url}/withdraw", data={"reason": ""}).status_code == 400
    assert clerk.post(f"{url}/withdraw", data={"reason": "  "}).status_code == 400
    for other in (as_user("reviewer"), as_user("clerk", "6101")):
        assert other.post(f"{url}/withdraw", data={"reason": "错"}).status_code == 403
    assert clerk.post(f"{url}/withdraw", data={"reason": "名单有误"}).status_code == 302
    assert "Withdrawn on 2026-09-04: 名单有误" in clerk.get(url).text
    assert "本公示已于2026年9月4日撤回" in clerk.get(f"{url}/print").text
    assert clerk.post(f"{url}/withdraw", data={"reason": "再撤"}).status_code == 400
    assert only_notice().withdrawal_reason == "名单有误"
    late = clerk.post(line_url(posted[1].id), data={"text": "不", "received_on": POSTED.isoformat()})
    assert "The notice was withdrawn on 2026-09-04." in late.text
    assert held() == [posted[0].id]  # withdrawing is no way around an objection
    assert post_notice(clerk, [row.id for row in posted])[0] == 302
    wall(DAY_AFTER)
    ended = f"{NOTICES}{line_of(posted[0].id).notice_id}"
    refused = clerk.post(f"{ended}/withdraw", data={"reason": "晚了"})
    assert refused.status_code == 400
    assert "/withdraw" not in clerk.get(ended).text


def test_a_year_is_not_closed_while_a_notice_runs_or_an_objection_is_open(
    posted: list[Reader], clubs: ProgramYear, as_user: AsUser, wall: SetDay
) -> None:
    def sentences() -> list[str]:
        return [str(one.sentence) for one in year_blockers(clubs) if one.step == "close"]

    title = "关于读者名单的公示"
    runs = f"The notice “{title}” runs until 2026-09-11; wait for its end or withdraw it."
    assert sentences() == [runs]
    assert object_to(as_user("clerk"), posted[0].id) == 302
    undecided = f"An objection to an entry of the notice “{title}” is not decided; decide on it first."
    assert sentences() == [runs, undecided]
    wall(DAY_AFTER)
    with pytest.raises(Refused, match="is not decided"):
        close(SYSTEM, clubs)
    assert decide(as_user("reviewer"), posted[0].id) == 302
    assert sentences() == []


def test_where_somebody_was_shown_is_told_and_blanked_after_the_notice(
    posted: list[Reader], as_user: AsUser, make_user: MakeUser, wall: SetDay
) -> None:
    admin, person_id = make_user("admin"), posted[0].person_id
    assert object_to(as_user("clerk"), posted[0].id, contact=PHONE) == 302
    shown = [dict(one.values) for one in show_data(admin, EVERYWHERE, person_id) if str(one.title) == "Public notice"]
    assert [(one["Notice"], one["Until"], one["姓名"], one["Objections"]) for one in shown] == [
        ("关于读者名单的公示", "2026-09-11", "王*", "并非本单位职工")
    ]
    wall(LAST_DAY)
    with pytest.raises(Refused, match="runs until 2026-09-11"):
        erase(admin, EVERYWHERE, person_id, "本人申请")
    wall(DAY_AFTER)
    with pytest.raises(Refused, match="is not decided"):
        erase(admin, EVERYWHERE, person_id, "本人申请")
    assert line_of(posted[0].id).shown["__person"] == "王*"
    assert decide(as_user("reviewer"), posted[0].id, upheld="yes") == 302
    erased = erase(admin, EVERYWHERE, person_id, "本人申请")
    assert [dict(one.values) for one in erased if str(one.title) == "Public notices"] == [
        {"Erased": "1 lines of notices were blanked."}
    ]
    one = db.session.query(Objection).populate_existing().one()
    assert (line_of(posted[0].id).shown, one.text, one.raised_by, one.contact, one.reason) == ({}, "", "", None, "")
    assert held() == [posted[0].id]
    clerk = as_user("clerk")
    assert "(erased)" in clerk.get(f"{NOTICES}{only_notice().id}").text
    assert "（已删除）" in clerk.get(f"{NOTICES}{only_notice().id}/print").text
    assert "(erased)" in clerk.get(line_url(posted[0].id)).text
    assert line_of(posted[1].id).shown["__person"] == "欧**轩"


@pytest.mark.parametrize("both_shown", [False, True])
def test_two_files_that_are_one_person_do_not_lose_what_holds_them_back(
    readers: list[Reader], as_user: AsUser, make_user: MakeUser, both_shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped, kept = readers[0], readers[2]
    assert post_notice(as_user("clerk"), [dropped.id, *([kept.id] if both_shown else [])])[0] == 302
    assert object_to(as_user("clerk"), dropped.id) == 302
    dropped_id, kept_id, kept_person, dropped_person = dropped.id, kept.id, kept.person_id, dropped.person_id
    db.session.delete(dropped)  # as a plugin that already has an entry of the other file
    db.session.commit()
    merge(make_user("clerk", username="merger"), EVERYWHERE, kept_person, dropped_person)
    assert held() == [kept_id]
    assert {line.person_id for line in db.session.query(NoticeLine)} == {kept_person}
    on = db.session.query(Objection).populate_existing().one().notice_line_id
    assert on == line_of(kept_id).id
    assert db.session.query(NoticeLine).filter_by(row_id=dropped_id).count() == (1 if both_shown else 0)


def test_a_merge_leaves_an_entry_that_is_still_there_as_it_is(
    posted: list[Reader], as_user: AsUser, make_user: MakeUser
) -> None:
    assert object_to(as_user("clerk"), posted[0].id) == 302
    merge(make_user("clerk", username="merger"), EVERYWHERE, posted[2].person_id, posted[0].person_id)
    assert held() == [posted[0].id]


def test_the_page_of_an_entry_shows_its_notices(posted: list[Reader], as_user: AsUser) -> None:
    clerk = as_user("clerk")
    assert object_to(clerk, posted[0].id) == 302
    page = clerk.get(f"{URL}readers/{posted[0].id}").text
    assert "关于读者名单的公示" in page
    assert "Held back" in page
    assert line_url(posted[0].id) in page
    assert "关于读者名单的公示" in clerk.get(f"{URL}readers/{posted[1].id}").text
