"""The pages of runs: who sees which part, what a refusal looks like, and the way from the draft to the bank file."""

from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from core.audit.models import AuditLine
from core.config import settings_of
from core.disbursements import payout, queries, services
from core.disbursements.models import Exclusion, Payment, Run
from core.extensions import db
from core.jobs.models import Job
from core.org.models import Org
from core.plugin.registry import registry_of
from core.users.access import today
from core.users.testing import PASSWORD, AsUser, MakeUser
from tests.disbursements.conftest import Campaign, add_people
from tests.disbursements.test_decisions import with_settings

pytestmark = pytest.mark.services
RUNS = "/2014/61/aid/runs"
CITIES = ("6101", "6102", "6111")
PAGES = ("", "/progress", "/payments", "/exclusions")
SIGNED = {"password": PASSWORD}


@pytest.fixture
def funded(campaign: Campaign) -> Campaign:
    """The campaign with enough money in each city."""
    campaign.fund(10_000, *CITIES)
    return campaign


def sent(campaign: Campaign, title: str = "送温暖") -> Run:
    """A run whose bank files stand."""
    run = campaign.approved(title=title)
    payout.post(campaign.finance, run, today())
    payout.start_bank_files(campaign.finance, run)
    campaign.run_jobs()
    return run


def at(run: Run, page: str = "") -> str:
    return f"{RUNS}/{run.id}{page}"


def decision(what: str, comment: str, seen: str = "1-1") -> dict[str, str]:
    """What the form sends for a run in a round and stage, signed with the own password."""
    return {"decision": what, "comment": comment, "seen": seen, **SIGNED}


@pytest.mark.parametrize("page", [*PAGES, "/bank-files/6101"])
def test_a_stranger_is_sent_to_log_in(funded: Campaign, client: FlaskClient, page: str) -> None:
    response = client.get(at(funded.draft(), page))
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/login")


@pytest.mark.parametrize("page", PAGES)
def test_without_the_permission_no_page_opens(funded: Campaign, as_user: AsUser, page: str) -> None:
    assert as_user(None).get(at(funded.draft(), page)).status_code in (403, 404)


@pytest.mark.parametrize("page", PAGES)
def test_another_city_sees_nothing_of_a_run(funded: Campaign, as_user: AsUser, page: str) -> None:
    run = funded.computed(org="6102")
    assert as_user("clerk", "6101").get(at(run, page)).status_code == 404
    assert as_user("clerk", "6102").get(at(run)).status_code == 200


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("reviewer", "compute"),
        ("reviewer", "notice"),
        ("reviewer", "submit"),
        ("reviewer", "cancel"),
        ("reviewer", "object"),
        ("clerk", "decide"),
        ("clerk", "post"),
        ("clerk", "bank-files"),
    ],
)
def test_each_action_needs_its_permission(funded: Campaign, as_user: AsUser, role: str, action: str) -> None:
    run = funded.computed()
    response = as_user(role).post(at(run, f"/{action}"), data={"decision": "approve", "effective_on": "2014-01-24"})
    assert response.status_code == 403
    assert run.state == "computed"


@pytest.mark.parametrize("action", ["compute", "submit", "cancel"])
def test_a_clerk_of_one_city_cannot_act_on_a_run_of_the_province(
    funded: Campaign, as_user: AsUser, action: str
) -> None:
    run = funded.computed()
    browser = as_user("clerk", "6101")
    assert browser.post(at(run, f"/{action}")).status_code == 403
    assert run.state == "computed"
    assert f"{at(run)}/{action}" not in browser.get(at(run)).text


def test_a_run_of_another_program_year_is_not_found(funded: Campaign, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert browser.get(f"{RUNS}/999").status_code == 404
    assert browser.get(at(funded.draft()).replace("2014", "2015")).status_code == 404


def test_a_city_sees_its_own_part_of_a_run_and_totals_of_that(funded: Campaign, as_user: AsUser) -> None:
    run = funded.computed()
    browser = as_user("clerk", "6101")
    text = browser.get(at(run)).text
    assert "西安市总工会" in text
    assert "铜川市" not in text
    assert "杨凌" not in text
    mine = db.session.scalars(select(Payment.amount_fen).where(Payment.org_path.startswith("/61/6101/"))).all()
    shown = f"{sum(mine) / 100:,.2f}"
    assert shown in text
    assert "100.00" not in text
    assert shown in browser.get(f"{RUNS}/").text
    assert "100.00" not in browser.get(f"{RUNS}/").text
    assert browser.get(at(run, "/payments")).text.count("**************") == len(mine) == 4
    assert browser.get(at(run, "/payments?org=6102")).status_code == 404


def test_why_a_run_failed_names_other_cities_only_to_who_sees_them(funded: Campaign, as_user: AsUser) -> None:
    funded.fund(1, "610202", key="little")
    run = funded.computed()
    run.state, run.error = "failed", "铜川市总工会缺 5.00 元。"
    db.session.commit()
    assert "铜川市" in as_user("clerk").get(at(run)).text
    assert "铜川市" not in as_user("clerk", "6101").get(at(run)).text


def test_numbers_are_masked_and_names_are_those_of_the_run(funded: Campaign, as_user: AsUser) -> None:
    text = as_user("clerk").get(at(funded.computed(), "/payments")).text
    assert "秦安0" in text
    assert "**************0000" in text
    assert f"{0:018d}" not in text


def test_a_new_run_begins_with_the_sponsor_and_a_wrong_one_keeps_what_was_typed(
    funded: Campaign, as_user: AsUser
) -> None:
    browser = as_user("clerk")
    assert 'value="61"' in browser.get(f"{RUNS}/new").text
    nowhere = browser.post(f"{RUNS}/new", data={"scheme": "aid.everybody", "title": "冬送温暖", "org_code": "99"})
    assert nowhere.status_code == 400
    assert "冬送温暖" in nowhere.text
    assert "99" in nowhere.text
    foreign = browser.post(f"{RUNS}/new", data={"scheme": "aid.nothing", "title": "x", "org_code": "61"})
    assert foreign.status_code == 400
    assert (
        browser.post(f"{RUNS}/new", data={"scheme": "aid.everybody", "title": " ", "org_code": "61"}).status_code == 400
    )
    assert db.session.scalars(select(Run)).all() == []


def test_a_city_makes_runs_for_itself_only(funded: Campaign, as_user: AsUser) -> None:
    browser = as_user("clerk", "6101")
    data = {"scheme": "aid.everybody", "title": "送温暖", "org_code": "61"}
    assert browser.post(f"{RUNS}/new", data=data).status_code == 400
    assert browser.post(f"{RUNS}/new", data=data | {"org_code": "6101"}).status_code == 302


def test_the_way_from_the_draft_to_the_bank_file(funded: Campaign, as_user: AsUser) -> None:
    clerk, reviewer, finance = (as_user(user) for user in (funded.clerk, funded.reviewer, funded.finance))
    made = clerk.post(f"{RUNS}/new", data={"scheme": "aid.everybody", "title": "送温暖", "org_code": "61"})
    page = made.headers["Location"]
    assert clerk.post(f"{page}/compute").status_code == 302
    assert "hx-get" in clerk.get(page).text
    funded.run_jobs()
    assert "100.00" in clerk.get(page).text
    assert clerk.post(f"{page}/submit").status_code == 302
    assert reviewer.post(f"{page}/decide", data=decision("approve", "同意")).status_code == 302
    assert finance.post(f"{page}/post", data={"effective_on": "2014-01-24", **SIGNED}).status_code == 302
    assert finance.post(f"{page}/bank-files").status_code == 302
    assert "hx-get" in finance.get(page).text
    funded.run_jobs()
    text = finance.get(page).text
    assert "同意" in text
    assert f"{page}/bank-files/6101" in text
    assert db.session.scalars(select(Run.state)).one() == "sent"


def test_the_progress_fragment_ends_by_loading_the_page(funded: Campaign, as_user: AsUser) -> None:
    run = funded.draft()
    services.start_computing(funded.clerk, run)
    browser = as_user(funded.clerk)
    assert "every 2s" in browser.get(at(run, "/progress")).text
    funded.run_jobs()
    assert browser.get(at(run, "/progress")).headers["HX-Refresh"] == "true"


def test_a_computing_that_stopped_says_why_and_can_be_asked_for_again(funded: Campaign, as_user: AsUser) -> None:
    run = funded.draft()
    services.start_computing(funded.clerk, run)
    browser = as_user(funded.clerk)
    assert f"{at(run)}/compute" not in browser.get(at(run)).text
    db.session.execute(update(Job).values(state="failed", error="磁盘已满。"))
    db.session.commit()
    text = browser.get(at(run)).text
    assert "磁盘已满" in text
    assert f"{at(run)}/compute" in text
    assert browser.post(at(run, "/compute")).status_code == 302
    funded.run_jobs()
    assert run.state == "computed"


def test_bank_files_that_failed_say_why(funded: Campaign, as_user: AsUser) -> None:
    run = funded.approved()
    payout.post(funded.finance, run, today())
    payout.start_bank_files(funded.finance, run)
    db.session.execute(update(Job).where(Job.state == "queued").values(state="failed", error="磁盘已满。"))
    db.session.commit()
    text = as_user(funded.finance).get(at(run)).text
    assert "磁盘已满" in text
    assert f"{at(run)}/bank-files" in text


def test_a_return_without_a_comment_is_refused_in_a_sentence(funded: Campaign, as_user: AsUser) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    response = as_user(funded.reviewer).post(at(run, "/decide"), data=decision("return", ""))
    assert response.status_code == 400
    assert 'id="comment-errors"' in response.text
    assert run.state == "submitted"


def test_a_decision_that_is_none_is_refused_and_keeps_the_comment(funded: Campaign, as_user: AsUser) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    response = as_user(funded.reviewer).post(at(run, "/decide"), data=decision("burn", "名单属实"))
    assert response.status_code == 400
    assert "名单属实" in response.text


def test_own_work_is_neither_offered_nor_approved(funded: Campaign, as_user: AsUser, make_user: MakeUser) -> None:
    run = funded.computed()
    run.created_by = funded.reviewer.id
    db.session.commit()
    services.submit(funded.clerk, run)
    browser = as_user(funded.reviewer)
    assert f"{at(run)}/decide" not in browser.get(at(run)).text
    response = browser.post(at(run, "/decide"), data=decision("approve", ""))
    assert response.status_code == 409
    assert run.state == "submitted"


def test_who_has_decided_is_not_asked_again(funded: Campaign, as_user: AsUser) -> None:
    with_settings(funded, approvals_needed=2)
    run = funded.computed()
    services.submit(funded.clerk, run)
    browser = as_user(funded.reviewer)
    assert at(run) in browser.get("/").text
    assert f"{at(run)}/decide" in browser.get(at(run)).text
    services.decide(funded.reviewer, run, approve=True, comment="")
    assert f"{at(run)}/decide" not in browser.get(at(run)).text
    assert at(run) not in browser.get("/").text


@pytest.mark.parametrize("day", ["", "24.1.2014", "2014-02-30"])
def test_a_day_of_posting_that_is_none_is_refused(funded: Campaign, as_user: AsUser, day: str) -> None:
    run = funded.approved()
    assert as_user(funded.finance).post(at(run, "/post"), data={"effective_on": day, **SIGNED}).status_code == 400
    assert run.state == "approved"


def test_the_day_of_posting_is_at_most_today(funded: Campaign, as_user: AsUser) -> None:
    run, browser = funded.approved(), as_user(funded.finance)
    late = today() + timedelta(days=1)
    response = browser.post(at(run, "/post"), data={"effective_on": late.isoformat(), **SIGNED})
    assert response.status_code == 409
    assert f'value="{late}"' in response.text
    assert f'value="{today()}"' in browser.get(at(run)).text
    assert browser.post(at(run, "/post"), data={"effective_on": today().isoformat(), **SIGNED}).status_code == 302


def test_what_the_run_has_left_behind_is_refused(funded: Campaign, as_user: AsUser) -> None:
    run, clerk = funded.approved(), as_user(funded.clerk)
    for action in ("compute", "notice", "submit", "cancel"):
        response = clerk.post(at(run, f"/{action}"))
        assert response.status_code == 409, action
        assert "alert-danger" in response.text
    assert as_user(funded.finance).post(at(run, "/bank-files")).status_code == 409
    assert run.state == "approved"


def test_an_objection_without_words_is_refused_and_one_with_words_holds_back(funded: Campaign, as_user: AsUser) -> None:
    run, browser = funded.computed(), as_user(funded.clerk)
    person = db.session.scalars(select(Payment.payee_id)).first()
    assert browser.post(at(run, "/object"), data={"payee_id": person, "note": " "}).status_code == 400
    nobody = browser.post(at(run, "/object"), data={"payee_id": "99999", "note": "已迁出"})
    assert nobody.status_code == 404
    assert "已迁出" in nobody.text
    assert db.session.scalars(select(Exclusion)).all() == []
    assert browser.post(at(run, "/object"), data={"payee_id": person, "note": "已迁出"}).status_code == 302
    assert "已迁出" in browser.get(at(run, "/exclusions")).text
    assert run.excluded == 1


def test_reasons_read_in_words_and_one_of_a_lost_plugin_as_its_code(
    funded: Campaign, small_tree: dict[str, Org], as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_people(small_tree["610102"], 1, first=50, account=False)
    run, browser = funded.computed(), as_user("auditor")
    assert "No bank account" in browser.get(at(run, "/exclusions")).text
    monkeypatch.delitem(registry_of().schemes, "aid.everybody")
    assert "<td>no_account</td>" in browser.get(at(run, "/exclusions")).text
    assert ">no_account</a></td>" in browser.get(at(run)).text


def test_the_lists_page_on_from_the_last_line(
    funded: Campaign, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, browser = funded.computed(), as_user("auditor")
    for module in ("queries", "lines"):
        monkeypatch.setattr(f"core.disbursements.{module}.PAGE", 3)
    texts = [browser.get(at(run, "/payments")).text]
    while 'rel="next"' in texts[-1]:
        url = unescape(texts[-1].split('rel="next"')[0].rpartition('href="')[2].split('"')[0])
        texts.append(browser.get(url).text)
        assert len(texts) <= 3
    seen = [line for text in texts for line in text.split("<td>") if line.startswith("秦安")]
    assert len(seen) == len(set(seen)) == 7
    assert queries.PAGE == 3


@pytest.mark.parametrize("after", ["x", ":", "/61/:", "/61/:x", f"/61/:{'9' * 19}"])
def test_a_page_that_does_not_exist_says_so(funded: Campaign, as_user: AsUser, after: str) -> None:
    assert as_user("auditor").get(at(funded.draft(), f"/payments?after={quote(after)}")).status_code == 400


def test_a_list_narrowed_to_a_county_shows_no_total_of_others(funded: Campaign, as_user: AsUser) -> None:
    run, browser = funded.computed(), as_user("auditor")
    text = browser.get(at(run, "/payments?org=610103")).text
    assert text.count("**************") == 1
    assert "100.00" not in text
    assert "100.00" in browser.get(at(run, "/payments?org=61")).text


def test_a_bank_file_is_for_finance_of_its_union_and_every_download_is_on_record(
    funded: Campaign, as_user: AsUser
) -> None:
    run = sent(funded)
    assert as_user("clerk").get(at(run, "/bank-files/6101")).status_code == 403
    city = as_user("finance", "6101")
    assert city.get(at(run, "/bank-files/6102")).status_code == 404
    assert city.get(at(run, "/bank-files/99")).status_code == 404
    downloads = select(AuditLine).where(AuditLine.action == "run.download")
    assert db.session.scalars(downloads).all() == []
    response = city.get(at(run, "/bank-files/6101"))
    assert response.status_code == 200
    assert response.text.count("秦安") == 4
    assert quote("送温暖-西安市.csv") in response.headers["Content-Disposition"]
    line = db.session.scalars(downloads).one()
    assert (line.object, line.org_path) == (f"run:{run.id}", "/61/6101/")


def test_a_title_cannot_leave_the_name_of_the_file(funded: Campaign, as_user: AsUser) -> None:
    run = sent(funded, title='送"温暖"/..\\\u202e')
    name = as_user(funded.finance).get(at(run, "/bank-files/6101")).headers["Content-Disposition"]
    assert name.isascii()
    assert "/" not in name.partition("UTF-8''")[2]
    assert name.count('"') == 2


@pytest.mark.parametrize("content", [None, b"", b"\0\0\0\x20" + b"x" * 60])
def test_a_damaged_bank_file_is_refused_and_not_on_record(
    funded: Campaign, as_user: AsUser, content: bytes | None
) -> None:
    run = sent(funded)
    path = settings_of().files / "bank" / f"{run.id}-6101-csv.csv"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert as_user(funded.finance).get(at(run, "/bank-files/6101")).status_code == 409
    assert db.session.scalars(select(AuditLine).where(AuditLine.action == "run.download")).all() == []


def test_many_runs_are_shown_page_by_page(funded: Campaign, as_user: AsUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.disbursements.views.PAGE", 2)
    runs = [funded.draft(title=f"第{number}批") for number in range(3)]
    browser = as_user("leader")
    first = browser.get("/2014/61/aid/runs/").text
    assert [run.title in first for run in runs] == [False, True, True]
    following = browser.get(f"/2014/61/aid/runs/?before={runs[1].id}").text
    assert [run.title in following for run in runs] == [True, False, False]
    assert f'href="/2014/61/aid/runs/?before={runs[1].id}"' in first
    assert 'rel="next"' not in following
    for wrong in ("0", "-1", str(2**63)):
        assert browser.get(f"/2014/61/aid/runs/?before={wrong}").status_code == 400
