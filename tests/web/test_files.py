"""Files in a real browser: attached without a script of ours, looked at, refused at the field."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.disbursements.testing import SwitchOn
from core.org.models import Org
from core.web.testing import OpenAs
from tests.files.conftest import picture

pytestmark = pytest.mark.browser


def test_a_picture_is_attached_and_looked_at(
    small_tree: dict[str, Org],
    program_year: SwitchOn,
    open_as: OpenAs,
    page: Page,
    run_jobs: Callable[[], int],
    tmp_path: Path,
) -> None:
    image, paper = tmp_path / "现场照片.png", tmp_path / "证明.pdf"
    image.write_bytes(picture())
    paper.write_bytes(picture())
    program_year("winter_warmth", pool=100_000_00)
    open_as("clerk", "61", "/2014/61/winter_warmth/registers/targets/")
    page.click("main tbody a >> nth=0")
    entry = page.url
    page.set_input_files("input[type=file]", paper)
    page.click("form[enctype] button")
    expect(page.locator("#file-errors")).to_contain_text("与内容不符")
    page.set_input_files("input[type=file]", image)
    page.click("form[enctype] button")
    expect(page).to_have_url(re.compile(f"^{re.escape(entry)}$"))
    run_jobs()
    page.reload()
    shown = page.locator("img[src$='/thumbnail']")
    expect(shown).to_be_visible()
    expect(shown).to_have_js_property("naturalWidth", 240)  # once it has been fetched, which takes its time

    with page.expect_download() as download:
        page.click("a:text('现场照片.png')")
    assert download.value.suggested_filename == "现场照片.png"
    assert Path(download.value.path()).read_bytes() == picture()
    page.goto(str(page.locator("a[href*='show=1']").first.get_attribute("href")))
    expect(page.locator("img").first).to_have_js_property("naturalWidth", 600)
