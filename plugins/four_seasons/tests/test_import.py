"""Hardship lists that come in as files: through the core's imports, with the wording of the offices."""

import io
from collections.abc import Callable

import pytest
from werkzeug.datastructures import FileStorage

from core.api import Person, ProgramYear, User, db
from core.imports import services as imports
from core.imports.models import Import
from core.users.testing import AsUser, MakeUser
from plugins.four_seasons.tests.conftest import HEADINGS, MakePeople, good_row, sheet, upload
from plugins.four_seasons.winter import services
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.winter.registers import HARDSHIP

pytestmark = pytest.mark.services
URL = "/2014/61/winter_warmth/registers/hardship/imports/"
RunJobs = Callable[[], int]


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


def test_the_wording_of_the_offices_is_understood(clerk: User, program_year: ProgramYear, run_jobs: RunJobs) -> None:
    headings = ("姓 名*", "身份证号码", "所属工会代码", "困难类别", "致困原因", "手机号", "银行卡号", "开户银行")
    rows = [good_row(number, category=text) for number, text in enumerate(("深度困难", "相对困难", "意外致困"))]
    one = imports.upload(clerk, HARDSHIP, program_year, sheet(rows, headings), "名单.xlsx")
    assert (one.state, one.good, one.bad) == ("staged", 3, 0)
    imports.start_merge(clerk, one, HARDSHIP, program_year, only_good=False)
    run_jobs()
    assert [row.category for row in db.session.query(Hardship).order_by(Hardship.id)] == [
        "deep", "relative", "accidental",
    ]  # fmt: skip
    assert db.session.query(Person).count() == 3


def test_who_is_on_the_list_already_stays_as_they_are(
    clerk: User, program_year: ProgramYear, make_people: MakePeople
) -> None:
    (person,) = make_people(1)
    services.make_list(clerk, program_year)
    one = upload(clerk, program_year, [good_row(0, name=person.name), good_row(1)])
    assert (one.good, one.bad, one.there) == (1, 0, 1)


def test_a_list_goes_through_the_pages_from_upload_to_list(
    as_user: AsUser, program_year: ProgramYear, run_jobs: RunJobs
) -> None:
    browser = as_user("clerk")
    assert URL in browser.get("/2014/61/winter_warmth/registers/hardship/").text
    rows = [good_row(number, **({"category": "很困难"} if number % 20 == 9 else {})) for number in range(100)]
    response = browser.post(URL, data={"file": FileStorage(sheet(rows), filename="名单.xlsx")})
    assert response.status_code == 302
    page = str(response.location)
    shown = browser.get(page).text
    assert "很困难" in shown
    assert "6222020000" not in shown
    assert browser.get(f"{page}/errors.xlsx").status_code == 200
    assert browser.post(f"{page}/merge").status_code == 409
    assert browser.post(f"{page}/merge", data={"only_good": "y"}).status_code == 302
    run_jobs()
    assert "95" in browser.get(page).text
    assert db.session.query(Hardship).count() == 95
    assert browser.post(f"{page}/undo").status_code == 302
    assert db.session.query(Hardship).count() == 0
    assert browser.get(page).status_code == 200


@pytest.mark.parametrize("name", ["", "list.pdf"])
def test_a_wrong_upload_is_answered_at_the_field(as_user: AsUser, program_year: ProgramYear, name: str) -> None:
    data = {"file": FileStorage(io.BytesIO(b"x"), filename=name)}
    response = as_user("clerk").post(URL, data=data)
    assert response.status_code == 400
    assert "invalid-feedback" in response.text


def test_columns_are_named_and_an_upload_is_cancelled_on_its_page(as_user: AsUser, program_year: ProgramYear) -> None:
    browser = as_user("clerk")
    file = FileStorage(sheet([[*good_row(1), "x"]], [*HEADINGS, "备注"]), filename="名单.xlsx")
    page = str(browser.post(URL, data={"file": file}).location)
    assert "备注" in browser.get(page).text
    columns = ["name", "id_number", "org_code", "category", "cause", "phone", "bank_account", "bank_name"]
    wrong = browser.post(f"{page}/columns", data={"column": [*columns, "name"]})
    assert wrong.status_code == 400
    assert "twice" in wrong.text
    assert browser.post(f"{page}/columns", data={"column": [*columns, ""]}).status_code == 302
    assert "13800000000" not in browser.get(page).text
    assert browser.post(f"{page}/cancel").status_code == 302
    assert db.session.query(Import).one().state == "cancelled"
    assert "名单.xlsx" in browser.get(URL).text


def test_the_template_is_handed_out(as_user: AsUser, program_year: ProgramYear) -> None:
    assert as_user("clerk").get(f"{URL}template.xlsx").data[:2] == b"PK"


@pytest.mark.parametrize("path", ["", "1", "template.xlsx", "1/errors.xlsx"])
def test_a_reader_has_no_imports(as_user: AsUser, program_year: ProgramYear, path: str) -> None:
    browser = as_user("auditor")
    assert browser.get(f"{URL}{path}").status_code == 403
    assert URL not in browser.get("/2014/61/winter_warmth/registers/hardship/").text
