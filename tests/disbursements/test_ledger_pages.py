"""The pages of both ledgers and of the budget: who sees which lines, and writing the work ledger by hand."""

from datetime import date, timedelta
from html import unescape
from itertools import pairwise

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.disbursements import payout
from core.extensions import db
from core.ledger.allotting import Share, allot
from core.ledger.models import Activity, Entry
from core.ledger.posting import Posting, post_entries
from core.users.access import today
from core.users.testing import AsUser, Browser, MakeUser
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
BUDGET = "/2014/61/aid/budget/"
LISTS = ("/ledger/", "/ledger/balances", "/ledger/activities")
LINE = {
    "org_code": "6101",
    "held_on": "2014-01-10",
    "program_year": "",
    "key": "a-key",
    "column-organisation": "成立送温暖工作小组",
    "column-cadres": "李春梅、赵建国",
    "column-time": "2014年1月10日",
    "column-method": "入户走访",
    "column-result": "走访12户",
    "column-appraisal": "",
}


@pytest.fixture
def posted(campaign: Campaign) -> Campaign:
    """Own funds in each city, part of Xi'an's passed down, and a run that is posted."""
    campaign.fund(10_000, "6101", "6102", "6111")
    orgs = campaign.orgs
    allot(
        campaign.finance,
        campaign.year,
        key="down",
        giver=orgs["6101"],
        shares=[Share(orgs["610102"].id, 1), Share(orgs["610103"].id, 2)],
        amount_fen=1_000,
        effective_on=date(2014, 1, 6),
        description="下拨区县",
    )
    payout.post(campaign.finance, campaign.approved(), today())
    return campaign


def entry_of(code: str) -> Entry:
    """The first entry of a union."""
    path = f"/61/{code}/" if code != "61" else "/61/"
    return db.session.scalars(select(Entry).where(Entry.org_path == path).order_by(Entry.id).limit(1)).one()


def writes(browser: Browser, **changes: str) -> tuple[int, str]:
    """Send the form of a line."""
    response = browser.post("/ledger/activities/new?form=three_services", data=LINE | changes)
    return response.status_code, response.text


@pytest.mark.parametrize("page", [*LISTS, "/ledger/entries/1", "/ledger/activities/new", BUDGET])
def test_a_stranger_is_sent_to_log_in(posted: Campaign, client: FlaskClient, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/login")


@pytest.mark.parametrize("page", [*LISTS, "/ledger/activities/new", BUDGET])
def test_without_the_permission_no_page_opens(posted: Campaign, as_user: AsUser, page: str) -> None:
    assert as_user(None).get(page).status_code in (403, 404)


def test_another_city_s_entry_is_not_found(posted: Campaign, as_user: AsUser) -> None:
    browser = as_user("finance", "6101")
    assert browser.get(f"/ledger/entries/{entry_of('6102').id}").status_code == 404
    assert browser.get(f"/ledger/entries/{entry_of('6101').id}").status_code == 200
    assert browser.get("/ledger/entries/999999").status_code == 404


@pytest.mark.parametrize("page", [*LISTS, BUDGET])
def test_a_city_sees_its_own_lines_only(posted: Campaign, as_user: AsUser, page: str) -> None:
    text = as_user("finance", "6101").get(page).text
    assert "铜川市" not in text
    assert "杨凌" not in text
    assert ("西安市" in text) or page == "/ledger/balances"


@pytest.mark.parametrize("page", LISTS)
def test_a_filter_for_what_one_may_not_see_is_refused_in_a_sentence(
    posted: Campaign, as_user: AsUser, page: str
) -> None:
    browser = as_user("finance", "6101")
    is_list = page == "/ledger/activities"
    field = "f-program_year_id" if is_list else "program_year"
    for query in ("org=6102", "org=nowhere", f"{field}=999"):
        assert browser.get(f"{page}?{query}").status_code == (400 if is_list else 404), query
    assert browser.get(f"{page}?org=6101&{field}={posted.year.id}").status_code == 200


def test_a_grant_for_another_program_opens_no_line(posted: Campaign, as_user: AsUser, make_user: MakeUser) -> None:
    user = make_user("finance", "61", program="aid")
    user.grants[0].program = "skills"
    db.session.commit()
    browser = as_user(user)
    assert browser.get(f"/ledger/entries/{entry_of('6101').id}").status_code == 404
    assert "西安市总工会" not in browser.get("/ledger/").text
    assert browser.get(f"/ledger/?program_year={posted.year.id}").status_code == 404


def test_a_grant_for_one_program_opens_its_lines_and_no_others(posted: Campaign, as_user: AsUser) -> None:
    org = posted.orgs["6101"]
    other = Posting(
        scope="hand", key="1", kind="other", title="其他业务", description="", org_id=org.id, org_path=org.path,
        program_year_id=None, effective_on=date(2014, 1, 2), legs=[("102", 500), ("402", -500)],
    )  # fmt: skip
    [entry] = post_entries(SYSTEM, [other])
    db.session.commit()
    browser = as_user("finance", "61", program="aid")
    assert browser.get(f"/ledger/entries/{entry_of('6102').id}").status_code == 200
    assert browser.get(f"/ledger/entries/{entry.id}").status_code == 404
    assert "其他业务" not in browser.get("/ledger/").text
    assert "西安市总工会" in browser.get("/ledger/").text
    assert "其他业务" in as_user("finance").get("/ledger/").text


def test_an_entry_shows_its_legs_its_number_and_its_neighbours(posted: Campaign, as_user: AsUser) -> None:
    browser = as_user("auditor")
    ordered = db.session.scalars(select(Entry).order_by(Entry.seq)).all()
    for entry, following in pairwise(ordered):
        text = browser.get(f"/ledger/entries/{entry.id}").text
        assert f'href="/ledger/entries/{following.id}" rel="next"' in text
        assert entry.digest.hex()[:16] in text
        assert entry.previous.hex()[:16] in text
    text = browser.get(f"/ledger/entries/{ordered[0].id}").text
    assert 'rel="prev"' not in text
    assert "银行存款" in text
    assert text.count("100.00") == 5  # debit, credit, the sum of each, and the line of the work ledger


def test_neighbours_are_those_that_one_may_see(posted: Campaign, as_user: AsUser) -> None:
    mine = db.session.scalars(select(Entry).where(Entry.org_path.startswith("/61/6101/")).order_by(Entry.seq)).all()
    text = as_user("finance", "6101").get(f"/ledger/entries/{mine[0].id}").text
    assert f'href="/ledger/entries/{mine[1].id}" rel="next"' in text
    assert mine[1].seq > mine[0].seq + 1


def test_the_trial_balance_is_even_in_every_scope(posted: Campaign, as_user: AsUser) -> None:
    for browser in (as_user("auditor"), as_user("auditor", "6101")):
        for query in ("", f"?program_year={posted.year.id}", "?org=6101"):
            text = browser.get(f"/ledger/balances{query}").text
            foot = text.partition("<tfoot>")[2].split("</td>")
            debit, credit = (cell.rpartition(">")[2] for cell in foot[2:4])
            assert debit == credit
            assert debit != "0.00"


def test_the_lists_page_on_from_the_last_line(
    posted: Campaign, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = as_user("auditor")
    for name in ("ledger.queries", "ledger.views", "lists.queries"):
        monkeypatch.setattr(f"core.{name}.PAGE", 2)
    for start, model in (("/ledger/", Entry), ("/ledger/activities", Activity)):
        count = len(db.session.scalars(select(model)).all())
        texts = [browser.get(start).text]
        while 'rel="next"' in texts[-1]:
            url = unescape(texts[-1].split('rel="next"')[0].rpartition('href="')[2].split('"')[0])
            texts.append(browser.get(url).text)
            assert len(texts) <= count
        assert len(texts) == (count + 1) // 2


def test_the_budget_adds_up_and_counts_passed_money_once(posted: Campaign, as_user: AsUser) -> None:
    text = as_user("leader").get(BUDGET).text
    foot = [cell.rpartition(">")[2] for cell in text.partition("<tfoot>")[2].split("</td>")][1:7]
    _funds, held, spent, free, allotted, passed = (float(cell.replace(",", "")) for cell in foot)
    assert (allotted, passed, held, spent) == (310.0, 10.0, 0.0, 100.0)
    assert allotted == passed + held + spent + free
    assert "下拨区县" in text
    assert "310.00" in text


def test_a_run_s_line_of_the_work_ledger_leads_to_its_entry(posted: Campaign, as_user: AsUser) -> None:
    browser = as_user("auditor")
    line = db.session.scalars(select(Activity).limit(1)).one()
    text = browser.get("/ledger/activities").text
    assert "送温暖" in text or "银行转账" in text
    assert f"/ledger/entries/{line.entry_id}" in text
    assert "银行转账" not in browser.get("/ledger/activities?form=field_service").text
    assert browser.get("/ledger/activities?form=nothing").status_code == 404


def test_only_a_clerk_writes_the_work_ledger(posted: Campaign, as_user: AsUser) -> None:
    for role in ("auditor", "leader", "finance", "reviewer", "admin"):
        assert writes(as_user(role))[0] == 403
    assert "/ledger/activities/new" not in as_user("auditor").get("/ledger/activities").text
    assert "/ledger/activities/new" in as_user("clerk").get("/ledger/activities").text


def test_a_clerk_writes_for_their_own_part_of_the_tree(posted: Campaign, as_user: AsUser) -> None:
    status, text = writes(as_user("clerk", "6102"))
    assert status == 400
    assert "走访12户" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"column-result": "  "},
        {"column-organisation": ""},
        {"column-result": "长" * 2001},
        {"held_on": ""},
        {"held_on": "2014-02-30"},
        {"org_code": "nowhere"},
        {"program_year": "999"},
        {"key": ""},
    ],
)
def test_a_wrong_line_is_refused_and_nothing_of_it_is_lost(
    posted: Campaign, as_user: AsUser, changes: dict[str, str]
) -> None:
    status, text = writes(as_user("clerk"), **changes)
    assert status == 400
    assert "李春梅、赵建国" in text
    assert db.session.scalars(select(Activity).where(Activity.scope == "hand")).all() == []


def test_a_line_is_of_today_at_the_latest(posted: Campaign, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert writes(browser, held_on=(today() + timedelta(days=1)).isoformat())[0] == 400
    assert writes(browser, held_on=today().isoformat())[0] == 302


def test_a_line_cannot_belong_to_a_program_that_is_not_open(posted: Campaign, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert writes(browser, program_year=str(posted.year.id))[0] == 302
    posted.year.closes_on = today() - timedelta(days=1)
    db.session.commit()
    assert writes(browser, program_year=str(posted.year.id), key="another")[0] == 400


def test_a_line_sent_twice_is_written_once(posted: Campaign, as_user: AsUser, make_user: MakeUser) -> None:
    browser = as_user("clerk")
    assert writes(browser)[0] == 302
    status, text = writes(browser)
    assert status == 409
    assert "走访12户" in text
    assert writes(as_user("clerk"))[0] == 302  # another clerk's key is another key
    lines = db.session.scalars(select(Activity).where(Activity.scope == "hand")).all()
    assert len(lines) == 2
    assert "column-appraisal" not in lines[0].data
    assert lines[0].data["result"] == "走访12户"


def test_a_line_written_by_hand_is_shown_and_on_record(posted: Campaign, as_user: AsUser) -> None:
    browser = as_user("clerk", "6101")
    form = browser.get("/ledger/activities/new?form=three_services").text
    assert 'value="6101"' in form
    assert "办理结果" in form
    assert writes(browser)[0] == 302
    assert "走访12户" in browser.get("/ledger/activities").text
    assert "走访12户" not in as_user("clerk", "6102").get("/ledger/activities").text
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "ledger.record")).one()
    assert line.org_path == "/61/6101/"


def test_empty_books_say_so(campaign: Campaign, as_user: AsUser) -> None:
    browser = as_user("leader")
    for page in (*LISTS, BUDGET):
        assert 'class="empty"' in browser.get(page).text, page


@pytest.mark.parametrize(
    "page",
    [
        "/ledger/?org=%00",
        f"/ledger/?before={'9' * 30}",
        f"/ledger/entries/{'9' * 30}",
        f"/2014/61/aid/runs/{'9' * 30}",
        "/people?org=%00",
    ],
)
def test_what_no_column_could_hold_is_a_sentence_and_no_crash(posted: Campaign, as_user: AsUser, page: str) -> None:
    response = as_user("clerk").get(page)
    assert response.status_code == 400
    assert "<h1" in response.text


def test_a_form_with_what_no_column_could_hold_changes_nothing(posted: Campaign, as_user: AsUser) -> None:
    assert writes(as_user("clerk"), **{"column-result": "a\0b"})[0] == 400
    assert writes(as_user("clerk"), org_code="\0")[0] == 400
    assert db.session.scalars(select(Activity).where(Activity.scope == "hand")).all() == []
