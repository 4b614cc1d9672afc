"""The audit trail in a real browser, wide and narrow: nothing runs over the edge, and a line opens from the list."""

import pytest
from flask import Flask
from playwright.sync_api import Page

from core.audit.services import SYSTEM, record
from core.extensions import db
from core.org.models import Org
from core.web.testing import OpenAs

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1440, 390])
def test_the_trail_fits_and_leads_to_its_lines(
    app: Flask, small_tree: dict[str, Org], open_as: OpenAs, page: Page, width: int
) -> None:
    record(
        SYSTEM,
        "program_year.settings",
        "program_year:1",
        "/61/6101/",
        changed={"cap_fen": 50000},
        before={"cap_fen": 30000},
    )
    for number in range(12):
        record(SYSTEM, "run.approve", f"run:{number}", "/61/6101/", round=1, stage=2, comment="同意发放")
    db.session.commit()
    page.set_viewport_size({"width": width, "height": 900})
    open_as("auditor", "61", "/admin/audit/")
    page.click("summary:has-text('更多筛选')")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.click("summary:has-text('更多筛选')")
    page.click("tbody tr:last-child a")
    page.wait_for_selector("text=操作人所属工会")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
