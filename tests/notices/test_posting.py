"""Posting a notice: what is refused, what it shows, how long it runs."""

from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import event, insert, literal, update

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import NotFound
from core.extensions import db
from core.lists.queries import Asked, rows_of
from core.notices import services
from core.notices.models import Notice, NoticeLine
from core.notices.queries import under_objection, was_announced
from core.notices.services import set_day
from core.org.models import Org
from core.org.scope import Scope
from core.people.numbers import mask_name
from core.programs.models import ProgramYear
from core.programs.services import close
from core.registers import queries as registers
from core.registers.listing import listing_of
from core.users.testing import AsUser, MakeUser
from tests.notices.conftest import (
    FORM,
    NOTICES,
    URL,
    MakePerson,
    SetDay,
    id_number,
    line_of,
    only_notice,
    post_notice,
    unmasked,
)
from tests.plugins_for_tests.reading_club.registers import READERS, Corner, Reader

pytestmark = pytest.mark.services


def ids(rows: list[Reader] | list[Corner]) -> list[int]:
    return [row.id for row in rows]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": " "}, "This must not be empty."),
        ({"title": ""}, "This field is required"),
        ({"contact": ""}, "This field is required"),
        ({"working_days": "0"}, "between 1 and 60"),
        ({"working_days": "61"}, "between 1 and 60"),
        ({"working_days": "five"}, "Not a valid integer"),
        ({"org_code": "99"}, "There is no organisation with the code “99” here."),
        ({"columns": ["person_id"]}, "not a valid choice"),
        ({"expected": 2}, "The rows are not the same any more as when you looked"),
        ({"expected": "x"}, "3 entries are to be shown"),
        ({"org_code": "6101"}, "1 of the entries do not belong to 西安市总工会"),
    ],
)
def test_a_notice_that_is_not_right_is_refused_at_its_place_and_nothing_is_lost(
    readers: list[Reader], as_user: AsUser, changes: dict[str, Any], sentence: str
) -> None:
    status, page = post_notice(as_user("clerk"), ids(readers), **changes)
    assert status in (400, 404, 409)
    assert sentence in unescape(page)
    assert "经研究，现予公示。" in page
    assert [f'name="row" value="{row.id}"' in page for row in readers] == [True, True, True]
    assert db.session.query(Notice).count() == 0


def test_nothing_chosen_is_told(readers: list[Reader], as_user: AsUser) -> None:
    clerk = as_user("clerk")
    for page in ("new", "post"):
        for row in ([], ["x"], [str(10**30)]):
            response = clerk.post(NOTICES + page, data=FORM | {"row": row})
            assert response.status_code == 400
            assert "Choose some rows of the list first." in response.text
    status, page = post_notice(clerk, [10**9], expected=0)
    assert (status, "None of the chosen entries is one" in page) == (409, True)


def test_who_may_not_post_is_refused_on_both_pages(readers: list[Reader], as_user: AsUser) -> None:
    # The leader may not even read this register; the reviewer of corners may, and still posts nothing.
    assert as_user("leader").post(NOTICES + "new", data={"all": "1"}).status_code == 403
    for page in ("new", "post"):
        refused = as_user("reviewer").post(f"{URL}corners/notices/{page}", data={"all": "1"})
        assert refused.status_code == 403
        assert "Post public notices" in refused.text
    assert db.session.query(Notice).count() == 0


def test_rows_outside_the_scope_are_not_taken_whatever_is_sent(readers: list[Reader], as_user: AsUser) -> None:
    city = as_user("clerk", "6102")
    asked = city.post(NOTICES + "new", data={"row": ids(readers)})
    assert "1 entries are to be shown" in asked.text
    assert "李*" in asked.text
    assert "王*" not in asked.text
    assert post_notice(city, ids(readers), org_code="6102", expected=3)[0] == 409
    assert post_notice(city, ids(readers), org_code="6102", expected=1)[0] == 302
    assert [line.row_id for line in db.session.query(NoticeLine)] == [readers[2].id]


def test_a_city_does_not_post_in_the_name_of_another(readers: list[Reader], as_user: AsUser) -> None:
    status, page = post_notice(as_user("clerk", "6101"), ids(readers[:2]), org_code="6102")
    assert (status, "There is no organisation with the code “6102” here." in page) == (404, True)


def test_a_union_of_another_sponsor_issues_nothing(
    readers: list[Reader], clubs: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    stranger = Org(
        code="62", name="甘肃省总工会", short_name="甘肃省", pinyin="", initials="", level="province", path="/62/"
    )
    db.session.add(stranger)
    db.session.commit()
    draft = services.Draft(org=stranger, title="公示", text="", contact="某处", working_days=5, columns=(), expected=3)
    rows = rows_of(listing_of(READERS, clubs), Scope(("/",)), Asked())
    with pytest.raises(NotFound, match="no such union"):
        services.post(make_user("clerk", "62"), READERS, clubs, rows, draft)


def test_a_closed_year_takes_no_notice(readers: list[Reader], clubs: ProgramYear, as_user: AsUser) -> None:
    clerk = as_user("clerk")
    close(SYSTEM, clubs)
    assert post_notice(clerk, ids(readers))[0] == 403
    assert db.session.query(Notice).count() == 0


def test_a_row_stands_under_one_notice_at_a_time(readers: list[Reader], as_user: AsUser, wall: SetDay) -> None:
    clerk = as_user("clerk")
    assert post_notice(clerk, ids(readers[:2]))[0] == 302
    status, page = post_notice(clerk, ids(readers[1:]), title="再次公示")
    assert status == 409
    assert "1 of the entries stand under the notice “关于读者名单的公示” already, which runs until 2026-09-11." in page
    assert db.session.query(Notice).count() == 1
    assert post_notice(clerk, [readers[2].id])[0] == 302
    wall(date(2026, 9, 11))
    assert post_notice(clerk, [readers[0].id])[0] == 409
    wall(date(2026, 9, 12))
    assert post_notice(clerk, [readers[0].id])[0] == 302


def test_the_same_number_in_another_register_is_another_row(
    readers: list[Reader], corners: list[Corner], as_user: AsUser
) -> None:
    assert readers[0].id == corners[0].id
    clerk = as_user("clerk")
    assert post_notice(clerk, [readers[0].id])[0] == 302
    assert post_notice(clerk, [corners[0].id], page=f"{URL}corners/notices/")[0] == 302


@pytest.mark.parametrize(
    ("posted", "days", "ends_on"),
    [
        (date(2026, 9, 4), 5, date(2026, 9, 11)),
        (date(2026, 9, 4), 1, date(2026, 9, 7)),
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # a Sunday worked in exchange for the National Day
        (date(2026, 9, 30), 3, date(2026, 10, 10)),  # 1 to 7 October are off; the Saturday after them is worked
        (date(2026, 10, 3), 1, date(2026, 10, 8)),  # posted on a day off
    ],
)
def test_the_end_counts_working_days_without_the_day_of_posting(
    readers: list[Reader], as_user: AsUser, wall: SetDay, posted: date, days: int, ends_on: date
) -> None:
    wall(posted)
    clerk = as_user("clerk")
    asked = clerk.post(NOTICES + "new", data=FORM | {"row": ids(readers), "working_days": days, "org_code": "61"})
    assert f"the notice runs until {ends_on.isoformat()}" in asked.text
    assert post_notice(clerk, ids(readers), working_days=days)[0] == 302
    notice = only_notice()
    assert (notice.posted_on, notice.ends_on, notice.working_days) == (posted, ends_on, days)


def test_an_announced_end_stays_whatever_becomes_of_calendar_and_settings(
    readers: list[Reader], clubs: ProgramYear, small_tree: dict[str, Org], as_user: AsUser
) -> None:
    clerk = as_user("clerk")
    clubs.settings = clubs.settings | {"notice_working_days": 7}
    db.session.commit()
    assert 'value="7"' in clerk.post(NOTICES + "new", data={"row": ids(readers)}).text
    assert post_notice(clerk, ids(readers), working_days=7)[0] == 302
    assert only_notice().ends_on == date(2026, 9, 15)
    set_day(SYSTEM, small_tree["61"], date(2026, 9, 10), working=False, reason="陕政办发〔2026〕1号")
    clubs.settings = clubs.settings | {"notice_working_days": 1}
    db.session.commit()
    assert only_notice().ends_on == date(2026, 9, 15)


def test_without_a_setting_five_working_days_are_proposed(
    readers: list[Reader], clubs: ProgramYear, as_user: AsUser
) -> None:
    clubs.settings = {key: value for key, value in clubs.settings.items() if key != "notice_working_days"}
    db.session.commit()
    page = as_user("clerk").post(NOTICES + "new", data={"row": ids(readers)}).text
    assert 'name="working_days" required type="number" value="5"' in page or 'value="5"' in page
    assert "until 2026-09-11" in page


def test_a_year_whose_holidays_nobody_knows_is_told(readers: list[Reader], as_user: AsUser, wall: SetDay) -> None:
    clerk = as_user("clerk")
    sentence = "The holidays of that year are not known yet"
    assert sentence not in clerk.post(NOTICES + "new", data={"row": ids(readers)}).text
    wall(date(2088, 9, 3))
    assert sentence in clerk.post(NOTICES + "new", data={"row": ids(readers)}).text


def test_what_is_shown_is_masked_and_frozen(
    readers: list[Reader], clubs: ProgramYear, as_user: AsUser, make_person: MakePerson
) -> None:
    numbers = f"{id_number(1)}，电话13912345678、029-8765 4321，卡 6222 0212 3456 7890 123，机8765432"
    likes = f"王芳的证件{numbers}；2014-03-05"
    readers[0].likes = likes
    db.session.commit()
    clerk = as_user("clerk")
    asked = clerk.post(NOTICES + "new", data=FORM | {"row": ids(readers), "columns": "likes"})
    assert unmasked(asked.text.split("Preview")[1]) == []
    assert post_notice(clerk, ids(readers), columns=["likes"])[0] == 302
    masked = f"**************{id_number(1)[-4:]}"
    assert line_of(readers[0].id).shown == {
        "__person": "王*",
        "__id_number": masked,
        "__union": "西一路街道工会",
        "likes": "王*的证件****，电话****、****，卡 ****，机****；2014-03-05",
    }
    assert only_notice().columns == [
        {"name": "__person", "title": "姓名"},
        {"name": "__id_number", "title": "身份证号"},
        {"name": "__union", "title": "所在单位"},
        {"name": "likes", "title": "Likes"},
    ]
    readers[0].likes = "小说"
    db.session.commit()
    pages = [clerk.get(f"{NOTICES}{only_notice().id}{part}").text for part in ("", "/print")]
    for page in pages:
        assert "王*的证件" in page
        assert "小说" not in page
        assert "欧**轩" in page
        assert unmasked(page) == []


@pytest.mark.parametrize("name", ["王", "王芳", "王小芳", "欧阳明轩", "买买提·吐尔逊", ""])
def test_names_are_masked_as_everywhere(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, wall: SetDay, name: str
) -> None:
    person = make_person(9)
    person.name = name
    db.session.add(
        Reader(sponsor_id=clubs.org_id, person_id=person.id, org_id=person.org_id, org_path=person.org_path, likes="")
    )
    db.session.commit()
    row_id = db.session.query(Reader).one().id
    assert post_notice(as_user("clerk"), [row_id])[0] == 302
    assert line_of(row_id).shown["__person"] == mask_name(name)


def test_every_kind_of_column_reads_as_in_the_list(corners: list[Corner], as_user: AsUser) -> None:
    page = f"{URL}corners/notices/"
    names = ["opened_on", "name", "kind", "volumes", "cost_fen"]
    assert post_notice(as_user("clerk"), ids(corners), page=page, columns=names)[0] == 302
    assert [line.shown for line in db.session.query(NoticeLine).order_by(NoticeLine.id)] == [
        {"__union": "新城区总工会", "name": "职工书屋", "kind": "Library", "volumes": "1200", "cost_fen": "15,000.00",
         "opened_on": "2014-03-05"},
        {"__union": "新城区总工会", "name": "二号书屋", "kind": "Reading corner", "volumes": "1200", "cost_fen": "—",
         "opened_on": "2014-03-05"},
    ]  # fmt: skip
    assert [column["title"] for column in only_notice().columns] == [
        "单位", "Name", "Kind", "Volumes", "Cost（元）", "Opened",
    ]  # fmt: skip


def test_all_that_fit_a_filter_are_posted_and_the_filter_stays(readers: list[Reader], as_user: AsUser) -> None:
    clerk = as_user("clerk")
    asked = clerk.post(f"{NOTICES}new?org=6101", data={"all": "1"})
    assert "2 entries are to be shown" in asked.text
    assert f"{NOTICES}post?org=6101" in asked.text
    response = clerk.post(f"{NOTICES}post?org=6101", data=FORM | {
        "all": "1", "working_days": "5", "org_code": "6101", "expected": "2",
    })  # fmt: skip
    assert response.status_code == 302
    assert {line.row_id for line in db.session.query(NoticeLine)} == set(ids(readers[:2]))
    lines = db.session.query(AuditLine).filter_by(action="notice.post").all()
    assert [(line.object, line.org_path, line.data) for line in lines] == [
        (f"notice:{only_notice().id}", "/61/6101/", {"lines": 2, "until": "2026-09-11"})
    ]


def test_an_industry_union_speaks_for_its_members_wherever_they_lie(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, wall: SetDay
) -> None:
    person = make_person(5, "610102-bus", "赵六")
    db.session.add(
        Reader(sponsor_id=clubs.org_id, person_id=person.id, org_id=person.org_id, org_path=person.org_path, likes="")
    )
    db.session.commit()
    row_id = db.session.query(Reader).one().id
    assert post_notice(as_user("clerk", "61-transport"), [row_id], org_code="61-transport")[0] == 302
    assert only_notice().org_path == "/61/61-transport/"


@pytest.mark.parametrize("count", [30, 3000])
def test_any_number_of_rows_takes_the_same_few_statements(
    clubs: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser, wall: SetDay, count: int
) -> None:
    county = small_tree["610102"]
    db.session.execute(
        insert(Corner),
        [
            {"program_year_id": clubs.id, "org_id": county.id, "org_path": county.path, "name": f"书屋{number}",
             "kind": "corner", "volumes": 1, "cost_fen": None, "opened_on": None}
            for number in range(count)
        ],
    )  # fmt: skip
    db.session.commit()
    from_code = registers.registers_of(clubs)[0]
    draft = services.Draft(
        org=small_tree["61"], title="公示", text="", contact="某处", working_days=5, columns=("name",), expected=count
    )
    clerk = make_user("clerk")
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        rows = rows_of(listing_of(from_code, clubs), Scope(("/61/",)), Asked())
        notice = services.post(clerk, from_code, clubs, rows, draft)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert db.session.query(NoticeLine).filter_by(notice_id=notice.id).count() == count
    assert len(statements) < 25
    assert len([one for one in statements if "INSERT INTO core_notice_line" in one]) == 1


def test_conditions_say_what_is_announced_and_what_is_held(
    readers: list[Reader], as_user: AsUser, wall: SetDay
) -> None:
    def announced() -> list[int]:
        condition = was_announced("reading_club.readers", Reader)
        return [row.id for row in db.session.query(Reader).filter(condition).order_by(Reader.id)]

    assert post_notice(as_user("clerk"), ids(readers[:2]))[0] == 302
    wall(date(2026, 9, 11))
    assert announced() == []
    wall(date(2026, 9, 12))
    assert announced() == ids(readers[:2])
    assert db.session.query(Corner).filter(was_announced("reading_club.corners", Corner)).count() == 0
    posted = db.session.query(Notice).one().posted_on
    for since, count in ((posted, 2), (posted + timedelta(days=1), 0)):
        announced_since = was_announced("reading_club.readers", Reader, since=literal(since))
        assert db.session.query(Reader).filter(announced_since).count() == count
    db.session.execute(update(NoticeLine).where(NoticeLine.row_id == readers[0].id).values(held=True))
    for since, count in ((posted, 1), (posted + timedelta(days=1), 0)):
        held_since = under_objection("reading_club.readers", Reader, since=literal(since))
        assert db.session.query(Reader).filter(held_since).count() == count
    db.session.rollback()
    assert db.session.query(Reader).filter(under_objection("reading_club.readers", Reader)).count() == 0


def test_the_list_leads_to_the_notices(readers: list[Reader], as_user: AsUser) -> None:
    assert "/registers/readers/notices/" in as_user("clerk").get(f"{URL}readers/").text
