"""From the page of a file to its category, its pairs and its visits, and back."""

import re

import pytest

from core.api import Person, ProgramYear, db
from core.users.testing import AsUser
from plugins.hardship_aid.files.models import Member
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.households import MakeFile
from plugins.hardship_aid.tests.households import make_file as make_file
from plugins.hardship_aid.tests.paired import pair, visit

pytestmark = pytest.mark.services


def links(page: str) -> set[str]:
    """The addresses of this program that a page leads to."""
    return {found.removeprefix(PAGES) for found in re.findall(r'href="(/2014/61/hardship_aid/[^"]+)"', page)}


def test_the_file_leads_to_all_that_hangs_on_it_and_that_leads_back(
    program_year: ProgramYear, make_file: MakeFile, as_user: AsUser
) -> None:
    file, other = make_file(), make_file()
    paired = pair(program_year, db.session.get_one(Person, file.person_id))
    visited = visit(program_year, paired)
    of_other = pair(program_year, db.session.get_one(Person, other.person_id))
    place = {"sponsor_id": file.sponsor_id, "org_id": file.org_id, "org_path": file.org_path}
    member = Member(person_id=file.person_id, name="李梅", relation="spouse", born_on=paired.paired_on, **place)
    db.session.add(member)
    db.session.commit()
    browser = as_user("clerk", "610102")
    entry = f"/registers/files/{file.id}"
    shown = links(browser.get(PAGES + entry).text)
    assert {f"/categories/{file.id}", f"/categories/{file.id}#pairs", f"/transfers/of/{file.id}"} <= shown
    hanging = {f"/registers/pairs/{paired.id}", f"/registers/pair_visits/{visited.id}"}
    shown = links(browser.get(f"{PAGES}/categories/{file.id}").text)
    assert hanging | {entry} <= shown
    assert f"/registers/pairs/{of_other.id}" not in shown
    for address in (*hanging, f"/registers/members/{member.id}"):
        assert entry in links(browser.get(PAGES + address).text)
    assert entry in links(browser.get(f"{PAGES}/transfers/of/{file.id}").text)


def test_what_stayed_behind_leads_to_no_file_of_another_union(
    program_year: ProgramYear, make_file: MakeFile, as_user: AsUser
) -> None:
    file, elsewhere = make_file(), make_file("610103")
    visited = visit(program_year, pair(program_year, db.session.get_one(Person, file.person_id)))
    file.org_id, file.org_path = elsewhere.org_id, elsewhere.org_path
    db.session.commit()
    page = as_user("clerk", "610102").get(f"{PAGES}/registers/pair_visits/{visited.id}")
    assert page.status_code == 200
    assert f"/registers/files/{file.id}" not in links(page.text)
