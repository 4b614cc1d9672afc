"""Lists that come in as files: what is refused at once, what is named row by row, and what goes on the list."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from werkzeug.datastructures import FileStorage

from core.api import Forbidden, NotFound, Person, ProgramYear, Refused, Scope, User, ZhijiaError, db
from core.jobs.models import Job
from core.users.testing import AsUser, Browser, MakeUser
from plugins.four_seasons import importing, queries, services
from plugins.four_seasons.models import Hardship, Import, ImportRow
from plugins.four_seasons.tests.conftest import MakeFile, MakePeople, good_row, id_number
from plugins.four_seasons.titles import COLUMNS

pytestmark = pytest.mark.services
PROVINCE, XIAN = Scope(("/61/",)), Scope(("/61/6101/",))
URL = "/2014/61/four_seasons/imports"
RunJobs = Callable[[], int]


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


def stage(clerk: User, program_year: ProgramYear, path: Path, scope: Scope = PROVINCE) -> Import:
    return importing.stage(clerk, program_year, scope, path, path.name)


def errors_of(upload: Import) -> dict[int, list[str]]:
    return {row.line: row.errors for row in queries.import_rows(upload, bad=True, limit=1000)}


def only_error(clerk: User, program_year: ProgramYear, path: Path, scope: Scope = PROVINCE) -> str:
    (errors,) = errors_of(stage(clerk, program_year, path, scope)).values()
    (sentence,) = errors
    return str(sentence)


def test_a_file_of_another_kind_is_refused(clerk: User, program_year: ProgramYear, tmp_path: Path) -> None:
    path = tmp_path / "list.docx"
    path.write_bytes(b"PK")
    with pytest.raises(ZhijiaError, match="use xlsx or CSV"):
        stage(clerk, program_year, path)


def test_a_missing_column_is_named_and_nothing_is_kept(
    clerk: User, program_year: ProgramYear, make_file: MakeFile
) -> None:
    with pytest.raises(ZhijiaError, match="lacks the column 身份证号、困难类别"):
        stage(clerk, program_year, make_file([["王芳", "61"]], heading=["姓名", "所属工会代码"]))
    assert db.session.query(Import).count() == 0


def test_a_file_with_headings_only_is_refused(clerk: User, program_year: ProgramYear, make_file: MakeFile) -> None:
    with pytest.raises(ZhijiaError, match="no rows"):
        stage(clerk, program_year, make_file([]))
    assert db.session.query(Import).count() == 0


@pytest.mark.parametrize(("most", "refused"), [(2, True), (3, False)])
def test_a_list_that_is_too_long_is_refused(
    clerk: User,
    program_year: ProgramYear,
    make_file: MakeFile,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    refused: bool,
) -> None:
    monkeypatch.setattr(importing, "MOST_ROWS", most)
    path = make_file([good_row(number) for number in range(3)])
    if refused:
        with pytest.raises(ZhijiaError, match="more than 2 rows"):
            stage(clerk, program_year, path)
        assert db.session.query(ImportRow).count() == 0
    else:
        assert stage(clerk, program_year, path).good == 3


def test_who_may_edit_nowhere_uploads_nothing(clerk: User, program_year: ProgramYear, make_file: MakeFile) -> None:
    with pytest.raises(Forbidden):
        stage(clerk, program_year, make_file([good_row(1)]), Scope())


#: What is changed in a row that is right, and a part of the one sentence that must be said about it.
FAULTS: list[tuple[dict[str, object], str]] = [
    ({"name": ""}, "“姓名” is missing"),
    ({"name": "王" * 61}, "“姓名” is longer than 60"),
    ({"id_number": ""}, "“身份证号” is missing"),
    ({"id_number": "610102800101002"}, "old identity number"),
    ({"id_number": "610102198001010021"}, "check digit"),
    ({"id_number": 610102198001010020}, "lost the last digits of “身份证号”"),
    ({"org_code": ""}, "“所属工会代码” is missing"),
    ({"org_code": "999999"}, "no union with the code “999999”"),
    ({"org_code": "610202"}, "no union with the code “610202”"),
    ({"category": ""}, "“” is no category"),
    ({"category": "特别困难"}, "“特别困难” is no category"),
    ({"phone": "123"}, "phone number"),
    ({"bank_account": "12345678901"}, "12 to 19 digits"),
    ({"bank_account": 6222020000000000001}, "lost the last digits of “银行卡号”"),
    ({"cause": "病" * 201}, "“致困原因” is longer than 200"),
]


def test_what_is_wrong_with_a_row_is_said_in_one_sentence(
    clerk: User, program_year: ProgramYear, make_file: MakeFile
) -> None:
    path = make_file([good_row(number, **changes) for number, (changes, _sentence) in enumerate(FAULTS)])
    errors = errors_of(stage(clerk, program_year, path, XIAN))
    for line, (changes, sentence) in enumerate(FAULTS, start=2):
        assert len(errors[line]) == 1, (changes, errors[line])
        assert sentence in errors[line][0]


def test_the_second_row_of_one_person_names_the_first(
    clerk: User, program_year: ProgramYear, make_file: MakeFile
) -> None:
    path = make_file([good_row(1), good_row(2), good_row(1, name="李静静")])
    assert errors_of(stage(clerk, program_year, path)) == {4: ["The same identity number stands in line 2 already."]}


def test_who_is_on_the_list_already_is_named(
    clerk: User, program_year: ProgramYear, make_file: MakeFile, make_people: MakePeople
) -> None:
    (person,) = make_people(1)
    services.make_list(clerk, program_year)
    path = make_file([good_row(0, name=person.name)])
    assert "on the list already" in only_error(clerk, program_year, path)


def test_who_is_on_file_under_another_name_is_named(
    clerk: User, program_year: ProgramYear, make_file: MakeFile, make_people: MakePeople
) -> None:
    make_people(1)
    assert "another name" in only_error(clerk, program_year, make_file([good_row(0)]))


def test_who_is_on_file_at_a_union_of_others_is_named(
    clerk: User, program_year: ProgramYear, make_file: MakeFile, make_people: MakePeople
) -> None:
    (person,) = make_people(1, "610202")
    path = make_file([good_row(0, name=person.name)])
    assert "another union" in only_error(clerk, program_year, path, XIAN)


def hundred_rows() -> list[list[object]]:
    """A hundred rows, five of them bad: in lines 11, 31, 51, 71 and 91 of the sheet."""
    rows = [good_row(number) for number in range(100)]
    rows[9] = good_row(9, name="")
    rows[29] = good_row(29, id_number="610102198001010581")
    rows[49] = good_row(49, org_code="000000")
    rows[69] = good_row(69, category="很困难")
    rows[89] = good_row(88, name="李梅梅")
    return rows


def test_five_bad_rows_of_a_hundred_are_named_and_the_good_ones_kept_on_request(
    clerk: User, program_year: ProgramYear, make_file: MakeFile, run_jobs: RunJobs
) -> None:
    upload = stage(clerk, program_year, make_file(hundred_rows()))
    assert (upload.good, upload.bad) == (95, 5)
    errors = errors_of(upload)
    assert list(errors) == [11, 31, 51, 71, 91]
    assert all(len(sentences) == 1 for sentences in errors.values())
    assert db.session.query(Hardship).count() == 0
    with pytest.raises(Refused, match="5 rows are wrong"):
        importing.start_merge(clerk, upload, only_good=False)
    assert db.session.query(Job).count() == 0
    importing.start_merge(clerk, upload, only_good=True)
    run_jobs()
    db.session.refresh(upload)
    assert (upload.state, upload.added, db.session.query(Hardship).count()) == ("merged", 95, 95)
    assert db.session.query(Person).count() == 95
    assert db.session.query(ImportRow).count() == 5


def test_merging_twice_puts_everybody_on_the_list_once(
    clerk: User, program_year: ProgramYear, make_file: MakeFile
) -> None:
    upload = stage(clerk, program_year, make_file([good_row(number) for number in range(7)]))
    importing.start_merge(clerk, upload, only_good=False)
    seen: list[tuple[int, int]] = []
    assert importing.merge(clerk, upload, PROVINCE, lambda done, total: seen.append((done, total))) == 7
    assert importing.merge(clerk, upload, PROVINCE, lambda _done, _total: None) == 7
    assert db.session.query(Hardship).count() == 7
    assert seen[-1] == (7, 7)


def test_a_merge_that_died_after_taking_people_on_file_goes_on(
    clerk: User, program_year: ProgramYear, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch, run_jobs: RunJobs
) -> None:
    upload = stage(clerk, program_year, make_file([good_row(number) for number in range(5)]))
    importing.start_merge(clerk, upload, only_good=False)
    monkeypatch.setattr(importing, "BATCH", 2)

    def die(done: int, _total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.merge(clerk, upload, PROVINCE, die)
    db.session.rollback()
    assert (db.session.query(Person).count(), db.session.query(Hardship).count()) == (4, 0)
    run_jobs()
    assert (db.session.query(Person).count(), db.session.query(Hardship).count()) == (5, 5)


def test_a_cancelled_list_leaves_nothing_and_cannot_be_merged(
    clerk: User, program_year: ProgramYear, make_file: MakeFile
) -> None:
    upload = stage(clerk, program_year, make_file([good_row(1)]))
    importing.cancel(clerk, upload)
    assert db.session.query(ImportRow).count() == 0
    with pytest.raises(Refused, match="merged or cancelled already"):
        importing.start_merge(clerk, upload, only_good=True)
    with pytest.raises(Refused, match="Only a list"):
        importing.cancel(clerk, upload)


def test_a_list_without_a_good_row_cannot_be_merged(
    clerk: User, program_year: ProgramYear, make_file: MakeFile
) -> None:
    upload = stage(clerk, program_year, make_file([good_row(1, name="")]))
    with pytest.raises(Refused, match="no row"):
        importing.start_merge(clerk, upload, only_good=True)


def test_a_clerk_of_another_city_finds_no_upload(clerk: User, program_year: ProgramYear, make_file: MakeFile) -> None:
    upload = stage(clerk, program_year, make_file([good_row(1)]))
    with pytest.raises(NotFound):
        queries.find_import(program_year.id, upload.id, Scope(("/61/6102/",)))


def test_personal_numbers_are_never_stored_in_the_clear(
    clerk: User, program_year: ProgramYear, make_file: MakeFile
) -> None:
    stage(clerk, program_year, make_file([good_row(1), good_row(2, id_number="610102198001010021")]))
    for row in db.session.query(ImportRow):
        assert b"610102" not in bytes(row.id_number)
        assert b"62220200000" not in bytes(row.bank_account or b"")


def test_the_error_file_gives_the_rows_back_with_reasons_and_without_formulas(
    clerk: User, program_year: ProgramYear, make_file: MakeFile
) -> None:
    path = make_file([good_row(1, name="=1+1", category="很困难"), good_row(2)])
    target = io.BytesIO()
    importing.write_errors(stage(clerk, program_year, path), target)
    target.seek(0)
    heading, row = CalamineWorkbook.from_filelike(target).get_sheet_by_index(0).to_python()
    assert heading == [*COLUMNS.values(), "问题"]
    assert row[:4] == ["'=1+1", id_number(1), "610102001", "很困难"]
    assert "很困难" in str(row[-1])


def upload_to(browser: Browser, path: Path) -> str:
    response = browser.post(URL, data={"file": FileStorage(path.open("rb"), filename="名单.xlsx")})
    assert response.status_code == 302
    return str(response.location)


def test_a_list_goes_through_the_pages_from_upload_to_list(
    as_user: AsUser, program_year: ProgramYear, make_file: MakeFile, run_jobs: RunJobs
) -> None:
    browser = as_user("clerk")
    page = upload_to(browser, make_file(hundred_rows()))
    shown = browser.get(page).text
    assert "很困难" in shown
    assert browser.get(f"{page}/errors.xlsx").status_code == 200
    assert browser.post(f"{page}/merge").status_code == 409
    assert browser.post(f"{page}/merge", data={"only_good": "y"}).status_code == 302
    run_jobs()
    assert "95" in browser.get(page).text
    assert db.session.query(Hardship).count() == 95


@pytest.mark.parametrize("name", ["", "list.pdf"])
def test_a_wrong_upload_is_answered_at_the_field(as_user: AsUser, program_year: ProgramYear, name: str) -> None:
    data = {"file": FileStorage(io.BytesIO(b"x"), filename=name)}
    response = as_user("clerk").post(URL, data=data)
    assert response.status_code == 400
    assert "invalid-feedback" in response.text


def test_an_upload_is_cancelled_on_its_page(as_user: AsUser, program_year: ProgramYear, make_file: MakeFile) -> None:
    browser = as_user("clerk")
    page = upload_to(browser, make_file([good_row(1)]))
    assert browser.post(f"{page}/cancel").status_code == 302
    assert db.session.query(Import).one().state == "cancelled"


def test_the_template_has_the_columns(as_user: AsUser, program_year: ProgramYear) -> None:
    response = as_user("clerk").get(f"{URL}/template.xlsx")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(response.data)).get_sheet_by_index(0)
    assert sheet.to_python() == [list(COLUMNS.values())]


@pytest.mark.parametrize("path", ["", "/1", "/template.xlsx", "/1/errors.xlsx"])
def test_a_reader_has_no_imports(as_user: AsUser, program_year: ProgramYear, path: str) -> None:
    assert as_user("auditor").get(f"{URL}{path}").status_code == 403
