"""The report of who is on file: its figures at each level, and that only posted money counts as paid."""

import re
from collections.abc import Callable
from datetime import date

import pytest

from core.api import ProgramYear, User, db
from core.disbursements.payout import post
from core.disbursements.services import decide, submit
from core.users.testing import AsUser, Browser, MakeUser
from plugins.four_seasons.tests.conftest import MakePeople, computed_run
from plugins.four_seasons.winter import allotting, services
from plugins.four_seasons.winter.models import Hardship

pytestmark = pytest.mark.services
DAY = date(2014, 1, 10)
URL = "/2014/61/winter_warmth/reports/on_file?by=org_path&by=category"


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


@pytest.fixture
def listed(make_people: MakePeople, program_year: ProgramYear, clerk: User) -> ProgramYear:
    """Seven on the list: three in 新城区, one at the city 西安 itself, two in 铜川, one at the province itself."""
    make_people(3)
    make_people(1, "6101", start=5)
    make_people(2, "610202", start=10)
    make_people(1, "61", start=20)
    services.make_list(clerk, program_year)
    rows = db.session.query(Hardship).order_by(Hardship.id).all()
    categories = {"/61/": "accidental", "/61/6101/": "deep", "/61/6102/610202/": "relative"}
    for place, row in enumerate(rows):
        row.category = categories.get(row.org_path, ("deep", "relative", "accidental")[place % 3])
    db.session.commit()
    return program_year


def figures(browser: Browser) -> list[list[str]]:
    """The rows below the heading."""
    page = browser.get(URL)
    assert page.status_code == 200
    rows = re.findall(r"<tr>(.*?)</tr>", page.text, re.DOTALL)
    return [[re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows[1:]]


def test_nobody_on_the_list_is_an_empty_report(as_user: AsUser, program_year: ProgramYear) -> None:
    assert figures(as_user("leader")) == []


def test_each_reader_sees_the_unions_below_their_own(as_user: AsUser, listed: ProgramYear) -> None:
    def counts(org_code: str) -> list[tuple[str, str]]:
        return [(row[0], row[2]) for row in figures(as_user("leader", org_code))[:-1]]

    assert counts("61") == [("陕西省 itself", "1"), ("西安市", "2"), ("西安市", "1"), ("西安市", "1"), ("铜川市", "2")]
    assert counts("6101") == [("西安市 itself", "1"), ("新城区", "1"), ("新城区", "1"), ("新城区", "1")]
    assert counts("610102001") == [("西一路街道 itself", "1")] * 3
    assert counts("6111") == []


def test_only_what_is_posted_counts_as_paid(
    as_user: AsUser,
    make_user: MakeUser,
    clerk: User,
    listed: ProgramYear,
    run_jobs: Callable[[], int],
) -> None:
    finance, reader = make_user("finance"), as_user("leader")
    allotting.allot_to_unions(finance, listed, DAY)
    allotting.book_own_funds(finance, listed, DAY)
    run = computed_run(clerk, listed, run_jobs, "6101")
    assert (run.paid, run.total_fen) == (4, 571_44)
    submit(clerk, run)
    decide(make_user("reviewer"), run, approve=True, comment="")
    assert {tuple(row[3:]) for row in figures(reader)} == {("0", "0.00")}
    post(finance, run, DAY)
    rows = figures(reader)
    assert [row[2:] for row in rows] == [
        ["1", "0", "0.00"],
        ["2", "2", "285.72"],
        ["1", "1", "142.86"],
        ["1", "1", "142.86"],
        ["2", "0", "0.00"],
        ["7", "4", "571.44"],
    ]
