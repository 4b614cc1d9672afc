"""Bank statements: what is matched by itself, what by hand, and what is refused."""

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from core.audit.models import AuditLine
from core.disbursements.banking import statements
from core.disbursements.banking.models import Statement, StatementLine
from core.disbursements.models import Run
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.users.access import today
from core.users.testing import AsUser
from tests.disbursements.banking import as_csv, sent
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
HEADINGS = ("交易日期", "金额", "收支", "对方户名", "摘要")


@pytest.fixture
def run(campaign: Campaign) -> Run:
    """A run of Tongchuan of 28.56 yuan at the bank."""
    campaign.fund(20_000, "6102")
    campaign.year.settings = {**campaign.year.settings, "pool": 0, "each": 1428}
    db.session.commit()
    return sent(campaign, org="6102", title="第一批")


def take(campaign: Campaign, *rows: tuple[str, ...]) -> Statement:
    return statements.upload(campaign.finance, campaign.orgs["6102"], BytesIO(as_csv(rows, HEADINGS)), "对账单.csv")


def debit(amount: str = "28.56", text: str = "代发", day: str = "") -> tuple[str, ...]:
    return day or today().isoformat(), amount, "支出", "代发户", text


def matched(statement: Statement) -> dict[int, int | None]:
    query = select(StatementLine.line, StatementLine.run_id).where(StatementLine.statement_id == statement.id)
    return dict(db.session.execute(query).all())


def test_a_debit_of_the_sum_in_those_days_is_matched_once(campaign: Campaign, run: Run) -> None:
    org = campaign.orgs["6102"]
    assert [file.total_fen for file in statements.open_files(org)] == [2856]
    income = (today().isoformat(), "28.56", "收入", "", "")
    one = take(campaign, debit("28.55"), income, debit(day="2014-01-02"), debit(), debit())
    assert matched(one) == {2: None, 3: None, 4: None, 5: run.id, 6: None}
    assert statements.open_files(org) == []


def test_the_same_statement_again_is_the_one_that_is_there(campaign: Campaign, run: Run) -> None:
    assert take(campaign, debit()).id == take(campaign, debit()).id
    assert len(db.session.scalars(select(StatementLine)).all()) == 1


def test_by_hand_and_undone_on_record(campaign: Campaign, run: Run) -> None:
    org = campaign.orgs["6102"]
    one = take(campaign, debit(day="2014-01-02"), debit("28.55"))
    with pytest.raises(Refused):
        statements.match(campaign.finance, org, one.id, 3, run.id)
    with pytest.raises(Refused):
        statements.undo(campaign.finance, org, one.id, 2)
    with pytest.raises(NotFound):
        statements.match(campaign.finance, org, one.id, 9, run.id)
    with pytest.raises(Forbidden):
        statements.match(campaign.clerk, org, one.id, 2, run.id)
    statements.match(campaign.finance, org, one.id, 2, run.id)
    with pytest.raises(Refused):
        statements.match(campaign.finance, org, one.id, 2, run.id)
    assert matched(one) == {2: run.id, 3: None}
    statements.undo(campaign.finance, org, one.id, 2)
    assert matched(one) == {2: None, 3: None}
    actions = db.session.scalars(select(AuditLine.action).where(AuditLine.action.startswith("statement."))).all()
    assert sorted(actions) == ["statement.match", "statement.undo", "statement.upload"]


@pytest.mark.parametrize(
    "row",
    [
        ("x", "28.56", "支出", "", ""),
        ("2999-01-01", "28.56", "支出", "", ""),
        ("2014-01-02", "28.565", "支出", "", ""),
        ("2014-01-02", "x", "支出", "", ""),
        ("2014-01-02", "28.56", "?", "", ""),
    ],
)
def test_one_wrong_line_keeps_the_statement_out(campaign: Campaign, run: Run, row: tuple[str, ...]) -> None:
    with pytest.raises(ZhijiaError, match="3"):
        take(campaign, debit(), row)
    assert db.session.scalars(select(Statement)).all() == []


def test_the_pages_are_for_who_posts_there(campaign: Campaign, run: Run, as_user: AsUser) -> None:
    address = "/orgs/6102/statements"
    assert as_user("clerk").get(address).status_code == 403
    assert as_user("finance", "6101").get(address).status_code == 404
    browser = as_user("finance", "6102")
    assert "28.56" in browser.get(address).text
    assert browser.post(address).status_code == 400
    file = {"file": (BytesIO(as_csv([debit(day="2014-01-02")], HEADINGS)), "对账单.csv")}
    page = browser.post(address, data=file).headers["Location"]
    assert f'value="{run.id}"' in browser.get(page).text
    assert browser.post(f"{page}/2", data={"run_id": "999"}).status_code == 409
    assert browser.post(f"{page}/2", data={"run_id": str(run.id)}).status_code == 302
    assert browser.post(f"{page}/2").status_code == 302
    assert as_user("finance", "6101").get(page).status_code == 404


def test_of_several_files_the_one_that_the_text_names(
    campaign: Campaign, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = [statements.OpenFile(number, "x", 2856, today()) for number in (run.id, run.id + 1)]
    monkeypatch.setattr(statements, "open_files", lambda _org: list(two))
    one = take(campaign, debit(), debit(text=f"代发R{run.id}1"), debit(text=f"代发 r{run.id}-7"))
    assert matched(one) == {2: None, 3: None, 4: run.id}


@pytest.mark.parametrize(("days", "fits"), [(-1, False), (0, True), (15, True), (16, False)])
def test_a_file_is_looked_for_in_the_days_after_it_was_written(
    campaign: Campaign, run: Run, monkeypatch: pytest.MonkeyPatch, days: int, fits: bool
) -> None:
    written = statements.OpenFile(run.id, "x", 2856, today() - timedelta(days=days))
    monkeypatch.setattr(statements, "open_files", lambda _org: [written])
    if days < 0:
        assert matched(take(campaign, debit(day=(today() - timedelta(days=30)).isoformat()))) == {2: None}
    assert (matched(take(campaign, debit()))[2] == run.id) is fits
