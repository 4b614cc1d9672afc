"""A file that could be another one under a second number: shown first, and saved when somebody else is meant."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select
from stdnum.cn.ric import calc_check_digit
from werkzeug.test import TestResponse

from core.api import ProgramYear, Refused, db, decrypt
from core.imports import services as imports
from core.imports.models import ImportRow
from core.people.models import Person
from core.users.testing import AsUser, Browser
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.files.registers import FILES
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.paired import sheet
from plugins.hardship_aid.tests.test_files import VALUES

BORN = date(1985, 5, 5)
PHONE, ACCOUNT = "13800000001", "6222000000000001"
NOTHING_SAVED = "There are entries that could be the same; nothing was saved yet."


def number_of(serial: int, born_on: date = BORN) -> str:
    """A valid identity number of a fictional woman, one for each serial number below 500."""
    body = f"610102{born_on:%Y%m%d}{serial * 2:03d}"
    return body + calc_check_digit(body + "0")


def send(browser: Browser, serial: int, born_on: date = BORN, **values: str) -> TestResponse:
    """Send the form of a file of 王芳, if nothing else is said."""
    whose = {"id_number": number_of(serial, born_on), "name": "王芳", "org_code": "610102"}
    return browser.post(f"{PAGES}/registers/files/add", data=VALUES | whose | values)


def token_of(page: TestResponse) -> str:
    """What the box says that somebody else is meant with."""
    found = re.search(r'name="others" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    return found[1]


@pytest.fixture
def clerk(program_year: ProgramYear, as_user: AsUser) -> Browser:
    """A clerk of the county, where 王芳 has a file, a phone and an account."""
    browser = as_user("clerk", "610102")
    assert send(browser, 1, phone=PHONE, bank_account=ACCOUNT, bank_name="某银行").status_code == 302
    return browser


@pytest.mark.parametrize(
    ("born_on", "values"),
    [
        (BORN, {}),
        (date(1985, 5, 6), {"phone": "138 0000 0001"}),
        (date(1985, 5, 6), {"bank_account": "6222 0000 0000 0001", "bank_name": "某银行"}),
        (date(1985, 5, 6), {"name": "李梅", "phone": PHONE}),
    ],
)
def test_a_second_number_for_somebody_who_has_a_file_is_shown_first(
    clerk: Browser, born_on: date, values: dict[str, str]
) -> None:
    page = send(clerk, 2, born_on, cause_note="某病", **values)
    assert page.status_code == 409
    assert NOTHING_SAVED in page.text
    first = db.session.query(File).one()
    assert f"/registers/files/{first.id}" in page.text
    assert f"**************{number_of(1)[-4:]}" in page.text
    assert number_of(1) not in page.text
    assert 'value="某病"' in page.text  # nothing that was typed is lost
    assert number_of(2, born_on) in page.text
    assert db.session.query(Person).count() == 1  # nor has anybody come on file
    saved = send(clerk, 2, born_on, others=token_of(page), **values)
    assert saved.status_code == 302
    assert db.session.query(File).count() == 2


@pytest.mark.parametrize(
    ("born_on", "values"),
    [
        (date(1985, 5, 6), {}),
        (BORN, {"name": "王方"}),  # the same in pinyin
        (BORN, {"name": "王芳芳"}),
        (date(1985, 5, 6), {"phone": "13800000002", "bank_account": "6222000000000002", "bank_name": "某银行"}),
    ],
)
def test_whoever_is_like_nobody_is_saved_at_once(clerk: Browser, born_on: date, values: dict[str, str]) -> None:
    assert send(clerk, 2, born_on, **values).status_code == 302


def test_the_numbers_that_are_on_file_count_as_well_as_what_is_typed(clerk: Browser) -> None:
    assert send(clerk, 2, date(1985, 5, 6), name="李梅", phone="13800000002").status_code == 302
    file = db.session.query(File).order_by(File.id.desc()).first()
    db.session.delete(file)
    db.session.query(Person).filter_by(name="李梅").one().phone_digest = (
        db.session.query(Person).filter_by(name="王芳").one().phone_digest
    )
    db.session.commit()
    assert send(clerk, 2, date(1985, 5, 6), name="李梅").status_code == 409


def test_a_member_of_another_household_is_found_by_name_and_day_of_birth(clerk: Browser) -> None:
    file = db.session.query(File).one()
    for name, born_on in (("李梅", BORN), ("张燕", date(1985, 5, 6))):
        db.session.add(
            Member(
                sponsor_id=file.sponsor_id, person_id=file.person_id, org_id=file.org_id, org_path=file.org_path,
                name=name, relation="sibling", born_on=born_on,
            )
        )  # fmt: skip
    db.session.commit()
    assert send(clerk, 2, name="张燕").status_code == 302
    page = send(clerk, 3, name="李梅")
    assert page.status_code == 409
    assert f"/registers/files/{file.id}" in page.text


def test_a_file_at_another_union_is_counted_and_not_shown(program_year: ProgramYear, as_user: AsUser) -> None:
    assert send(as_user("clerk", "610103"), 1, org_code="610103").status_code == 302
    hidden = db.session.query(File).one()
    browser = as_user("clerk", "610102")
    page = send(browser, 2)
    assert page.status_code == 409
    assert "1 at other unions, which you do not see" in page.text
    assert f"/registers/files/{hidden.id}" not in page.text
    assert number_of(1)[-4:] not in page.text.replace(number_of(2), "")
    assert send(browser, 2, others=token_of(page)).status_code == 302


def test_the_box_holds_for_those_who_were_shown_and_for_this_worker_only(clerk: Browser) -> None:
    token = token_of(send(clerk, 2))
    assert send(clerk, 3, others=token).status_code == 409  # another number
    assert send(clerk, 2, others="y").status_code == 409
    assert send(clerk, 4, others=token_of(send(clerk, 4))).status_code == 302
    assert send(clerk, 2, others=token).status_code == 409  # one more has come meanwhile
    assert db.session.query(File).count() == 2


def test_the_same_number_is_told_as_before(clerk: Browser) -> None:
    page = send(clerk, 1)
    assert page.status_code == 400
    assert "This person is in the register already." in page.text


HEADINGS = (
    "Identity number", "Name", "Code of the union", "Phone", "Bank account", "Bank", "Kind of worker",
    "People in the household", "Head of the household", "Income of the household in a year (yuan)",
    "Unavoidable expenses in a year (yuan)", "Loss by an accident in the year (yuan)", "Cause of hardship",
    "What keeps a household off the file", "Applied on",
)  # fmt: skip


def listed(serial: int, born_on: date = BORN, name: str = "王芳", phone: str = "", account: str = "") -> list[object]:
    """A row of a list of files, on 王芳 if nothing else is said."""
    bank = "某银行" if account else ""
    whose = [number_of(serial, born_on), name, "610102", phone, account, bank]
    return [*whose, "Employed", "1", "The worker", "10000", "0", "0", "Serious illness", "None of them", "2014-01-06"]


def test_an_import_finds_the_same_as_the_form(
    clerk: Browser, program_year: ProgramYear, run_jobs: Callable[[], int]
) -> None:
    first = db.session.query(File).one()
    place = {"org_id": first.org_id, "org_path": first.org_path, "sponsor_id": first.sponsor_id}
    db.session.add(Member(person_id=first.person_id, name="李梅", relation="sibling", born_on=BORN, **place))
    db.session.commit()
    other = date(1985, 5, 6)
    rows = [
        listed(2),  # name and day of birth
        listed(3, other),
        listed(4, other, phone="138 0000 0001"),
        listed(5, other, account="6222 0000 0000 0001"),
        listed(6, name="李梅"),  # of the household
        listed(7, name="王方"),  # the same in pinyin
    ]
    assert clerk.user is not None
    one = imports.upload(clerk.user, FILES, program_year, sheet(HEADINGS, *rows), "建档名单.xlsx")
    assert (one.state, one.good, one.bad, one.alike) == ("staged", 6, 0, 4)
    marked = select(ImportRow.line).where(ImportRow.alike).order_by(ImportRow.line)
    assert db.session.scalars(marked).all() == [2, 4, 5, 6]
    page = clerk.get(f"{PAGES}/registers/files/imports/{one.id}").text
    assert page.count(f"/registers/files/{first.id}") == 4
    assert f"**************{number_of(1)[-4:]}" in page
    with pytest.raises(Refused, match="4 rows could be the same"):
        imports.start_merge(clerk.user, one, FILES, program_year, only_good=False)
    db.session.rollback()
    imports.start_merge(clerk.user, one, FILES, program_year, only_good=False, others=True)
    run_jobs()
    assert db.session.query(File).count() == 7


def test_whoever_is_known_is_compared_as_they_are_on_file(
    clerk: Browser, program_year: ProgramYear, make_person: Callable[..., Person]
) -> None:
    assert clerk.user is not None
    known = make_person("610102", name="李梅")
    known.phone_digest = db.session.query(Person).filter_by(name="王芳").one().phone_digest
    db.session.commit()
    row = listed(2, name="李梅")
    row[0] = decrypt("id_number", known.id_number)
    one = imports.upload(clerk.user, FILES, program_year, sheet(HEADINGS, row), "建档名单.xlsx")
    assert (one.good, one.new_people, one.alike) == (1, 0, 1)
