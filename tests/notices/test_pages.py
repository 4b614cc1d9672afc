"""The pages of notices: who reads which, page by page, and the printed one."""

import re
from datetime import date
from html import unescape

import pytest
from sqlalchemy import insert

from core.audit.services import SYSTEM
from core.extensions import db
from core.notices import queries
from core.notices.models import Notice, NoticeLine
from core.programs.models import ProgramYear
from core.programs.services import close
from core.users.testing import AsUser
from tests.notices.conftest import NOTICES, URL, SetDay, only_notice, post_notice, unmasked
from tests.plugins_for_tests.reading_club.registers import Reader

pytestmark = pytest.mark.services


def test_a_notice_is_read_by_the_unions_in_its_line_and_lines_keep_to_them(
    readers: list[Reader], as_user: AsUser
) -> None:
    clerk = as_user("clerk")
    assert post_notice(clerk, [row.id for row in readers])[0] == 302
    url = f"{NOTICES}{only_notice().id}"
    seen = {
        "61": ["王*", "欧**轩", "李*"],
        "6101": ["王*", "欧**轩"],
        "610102": ["王*", "欧**轩"],
        "610103": ["欧**轩"],
        "6102": ["李*"],
        "6111": [],
    }
    for code, names in seen.items():
        for role in ("leader", "auditor"):  # neither may read the register
            page = as_user(role, code)
            for part in ("", "/print"):
                text = page.get(url + part).text
                assert [name for name in ("王*", "欧**轩", "李*") if name in text] == names, (code, part)
    assert "The notice shows nothing of your unions." in as_user("leader", "6111").get(url).text


def test_a_notice_of_a_city_is_none_of_another_citys(readers: list[Reader], as_user: AsUser) -> None:
    assert post_notice(as_user("clerk", "6101"), [readers[1].id], org_code="6101")[0] == 302
    url = f"{NOTICES}{only_notice().id}"
    for code, status in (("61", 200), ("6101", 200), ("610103", 200), ("6102", 404)):
        browser = as_user("leader", code)
        assert browser.get(url).status_code == status
        assert browser.get(f"{url}/print").status_code == status
        assert ("关于读者名单的公示" in browser.get(NOTICES).text) is (status == 200)


@pytest.mark.parametrize("address", ["999", str(10**30), "999/print", "999/lines/1/", f"1/lines/{10**30}/"])
def test_what_is_not_there_is_not_found(readers: list[Reader], as_user: AsUser, address: str) -> None:
    clerk = as_user("clerk")
    assert post_notice(clerk, [readers[0].id])[0] == 302
    assert clerk.get(NOTICES + address).status_code == 404
    assert clerk.get(f"{URL}corners/notices/{only_notice().id}").status_code == 404
    assert clerk.get(f"{URL}nothing/notices/").status_code == 404


def test_the_list_of_notices_is_paged_and_says_what_became_of_each(
    readers: list[Reader], clubs: ProgramYear, as_user: AsUser, wall: SetDay
) -> None:
    clerk = as_user("clerk")
    assert "There is no notice here." in clerk.get(NOTICES).text
    assert post_notice(clerk, [readers[0].id])[0] == 302
    first = only_notice()
    db.session.execute(
        insert(Notice),
        [
            {
                "register": first.register, "program_year_id": clubs.id, "org_id": first.org_id,
                "org_path": first.org_path,
                "title": f"公示{number:02}", "text": "", "contact": "", "columns": [], "lines": 0, "working_days": 1,
                "posted_on": date(2026, 8, 3), "ends_on": date(2026, 8, 4), "created_by": first.created_by,
            }
            for number in range(50)
        ],
    )  # fmt: skip
    db.session.commit()
    page = clerk.get(NOTICES).text
    assert "公示49" in page
    assert "Notice ended" in page
    assert "关于读者名单的公示" not in page
    after = page.split('rel="next"')[0].rpartition('href="')[2].rstrip('" ')
    assert "Under public notice" in clerk.get(after).text
    assert clerk.get(f"{NOTICES}?before=nonsense").status_code == 200
    assert clerk.get(f"{NOTICES}?before={10**30}").status_code == 200


def test_lines_are_paged_by_key(readers: list[Reader], as_user: AsUser) -> None:
    clerk = as_user("clerk")
    assert post_notice(clerk, [readers[0].id])[0] == 302
    notice, org = only_notice(), readers[2]
    db.session.execute(
        insert(NoticeLine),
        [
            {"notice_id": notice.id, "row_id": 1000 + number, "org_id": org.org_id, "org_path": org.org_path,
             "shown": {"__person": f"第{number:03}*", "__id_number": "*" * 14 + "0000", "__union": "某工会"}}
            for number in range(70)
        ],
    )  # fmt: skip
    db.session.commit()
    url = f"{NOTICES}{notice.id}"
    page = clerk.get(url).text
    assert "王*" in page
    assert "第048*" in page
    assert "第049*" not in page
    after = unescape(page.split('rel="next"')[0].rpartition('href="')[2].rstrip('" '))
    page = clerk.get(after).text
    assert "第049*" in page
    assert "第069*" in page
    assert clerk.get(f"{url}?after=nonsense").status_code == 400
    printed = clerk.get(f"{url}/print").text
    assert printed.count("<tr>") == 72
    assert '<td class="sheet-no">71</td>' in printed
    assert "sheet-parts" not in printed


@pytest.mark.parametrize(("lines", "parts"), [(5, 1), (6, 2), (10, 2), (11, 3)])
def test_a_very_long_notice_is_printed_in_parts(
    readers: list[Reader], as_user: AsUser, monkeypatch: pytest.MonkeyPatch, lines: int, parts: int
) -> None:
    monkeypatch.setattr(queries, "PART", 5)
    clerk = as_user("clerk")
    assert post_notice(clerk, [readers[0].id])[0] == 302
    notice, org = only_notice(), readers[2]
    more = [
        {"notice_id": notice.id, "row_id": 1000 + number, "org_id": org.org_id, "org_path": org.org_path,
         "shown": {"__person": f"第{number:03}*"}}
        for number in range(1, lines)
    ]  # fmt: skip
    db.session.execute(insert(NoticeLine), more)
    db.session.commit()
    url = f"{NOTICES}{notice.id}/print"
    pages = [clerk.get(f"{url}?part={part}").text for part in range(1, parts + 1)]
    numbers = [int(found) for page in pages for found in re.findall(r'<td class="sheet-no">(\d+)</td>', page)]
    assert numbers == list(range(1, lines + 1))
    for page, part in zip(pages, range(1, parts + 1), strict=True):
        assert (f"第{part}份，共{parts}份" in page) is (parts > 1)
        assert (f"part={part + 1}" in page) is (part < parts)
    assert clerk.get(url).text == pages[0]
    assert clerk.get(f"{url}?part=0").status_code == 404
    assert clerk.get(f"{url}?part={parts + 1}").status_code == 404
    assert clerk.get(f"{url}?part={10**30}").status_code == 404


def test_the_printed_notice_has_the_official_form(readers: list[Reader], as_user: AsUser) -> None:
    clerk = as_user("clerk")
    assert post_notice(clerk, [row.id for row in readers], text="第一段。\n\n<b>第二段</b>。")[0] == 302
    response = clerk.get(f"{NOTICES}{only_notice().id}/print")
    page = response.text
    assert response.headers["Cache-Control"] == "no-store"
    for part in (
        "<h1>关于读者名单的公示</h1>",
        "<p>第一段。</p>",
        "<p>&lt;b&gt;第二段&lt;/b&gt;。</p>",
        "公示期：自2026年9月4日至2026年9月11日（5个工作日）。",
        "受理单位及联系方式：生产保障部 029-87654321",
        "<th>姓名</th><th>身份证号</th><th>所在单位</th>",
        "陕西省总工会（盖章）",
        "<p>2026年9月4日</p>",
    ):
        assert part in page
    assert unmasked(page.replace("87654321", "")) == []


def test_in_a_closed_year_notices_read_and_nothing_is_offered(
    readers: list[Reader], clubs: ProgramYear, as_user: AsUser, wall: SetDay
) -> None:
    clerk = as_user("clerk")
    assert post_notice(clerk, [readers[0].id])[0] == 302
    notice, line = only_notice(), db.session.query(NoticeLine).one()
    wall(date(2026, 9, 12))
    close(SYSTEM, clubs)
    wall(date(2026, 9, 11))
    url = f"{NOTICES}{notice.id}"
    assert "Withdraw" not in clerk.get(url).text
    assert "Record an objection" not in clerk.get(f"{url}/lines/{line.id}/").text
    assert clerk.get(f"{url}/print").status_code == 200
    for address in ("/withdraw", f"/lines/{line.id}/"):
        assert clerk.post(url + address, data={"reason": "错"}).status_code == 403


def test_a_notice_reads_without_its_plugin(
    readers: list[Reader], as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post_notice(as_user("clerk"), [readers[0].id])[0] == 302
    leader = as_user("leader")
    monkeypatch.setattr("core.notices.views.find_register", lambda *_which: None)
    for address in ("", f"{only_notice().id}", f"{only_notice().id}/print"):
        assert "关于读者名单的公示" in leader.get(NOTICES + address).text
