"""What the pages of an import offer, and when."""

import io

import pytest
from werkzeug.datastructures import FileStorage

from core.programs.models import ProgramYear
from core.users.testing import AsUser, Browser
from tests.imports.conftest import HEADINGS, URL, RunJobs, good_row, xlsx

pytestmark = pytest.mark.services


def send(browser: Browser, content: bytes) -> str:
    """Upload a file; the address of its page."""
    response = browser.post(f"{URL}/", data={"file": FileStorage(io.BytesIO(content), filename="a.xlsx")})
    assert response.status_code == 302
    return str(response.location)


def test_headings_that_nobody_knows_are_named_and_marked(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    rows = [[*good_row(1), "x", "y"]]
    page = browser.get(send(browser, xlsx(rows, [*HEADINGS, "备用一", "备用二"]))).text
    assert "备用一、备用二" in page
    assert page.count("bg-orange-lt") == 2


def test_a_page_looks_again_while_a_worker_has_the_file_and_offers_nothing(
    clubs: ProgramYear, as_user: AsUser, run_jobs: RunJobs
) -> None:
    browser = as_user("clerk")
    address = send(browser, xlsx([good_row(1)]))
    waiting = browser.get(address).text
    assert f'action="{address}/merge"' in waiting
    assert "every 2s" not in waiting
    browser.post(f"{address}/merge")
    working = browser.get(address).text
    assert f'hx-get="{address}" hx-trigger="every 2s"' in working
    assert f'action="{address}/' not in working
    run_jobs()
    done = browser.get(address).text
    assert "every 2s" not in done
    assert f'action="{address}/undo"' in done


def test_a_file_that_brings_nothing_new_says_so(clubs: ProgramYear, as_user: AsUser, run_jobs: RunJobs) -> None:
    browser = as_user("clerk")
    address = send(browser, xlsx([good_row(1)]))
    assert "alert" not in browser.get(address).text.partition("<main")[2]
    browser.post(f"{address}/merge")
    run_jobs()
    address = send(browser, xlsx([good_row(1, note="other")]))
    page = browser.get(address).text.partition("<main")[2]
    assert f'action="{address}/merge"' not in page
    assert "alert" in page


def test_an_import_of_which_nothing_can_be_taken_back_says_so(
    clubs: ProgramYear, as_user: AsUser, run_jobs: RunJobs
) -> None:
    browser = as_user("clerk")
    address = send(browser, xlsx([good_row(1, note="stays")]))
    browser.post(f"{address}/merge")
    run_jobs()
    before = browser.get(address).text.count('role="alert"')
    browser.post(f"{address}/undo")
    assert browser.get(address).text.count('role="alert"') == before + 1
