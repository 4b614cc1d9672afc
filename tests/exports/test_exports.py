"""Exports: who may have which rows, what stands in the file, what opens it, and how long it is kept."""

import io
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook
from pyzipper import BadZipFile
from sqlalchemy import func, text

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.exports import services
from core.exports.models import Export
from core.extensions import db
from core.files.store import store_of
from core.imports.fields import field_of
from core.imports.reading import find_list
from core.jobs.models import Job
from core.programs.models import ProgramYear
from core.programs.services import close, disable
from core.registers import sheets
from core.registers.sheets import read_rows, write_xlsx
from core.tasks.models import Message
from core.users.models import Grant
from core.users.testing import AsUser, Browser, MakeUser
from tests.exports.conftest import CORNERS, READERS, AskFor, address, unlocked
from tests.registers.conftest import MakePerson, add_corner, add_reader, id_number

pytestmark = pytest.mark.services
ALL = ["org", "name", "kind", "volumes", "cost_fen", "opened_on"]


def take(browser: Browser, export: Export) -> bytes:
    answer = browser.get(f"/exports/{export.id}/file")
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    content: bytes = answer.data
    return content


def rows(content: bytes, folder: Path, name: str = "list.xlsx") -> list[tuple[str, ...]]:
    path = folder / name
    path.write_bytes(content)
    return [row.values for row in read_rows(path)]


def audit() -> list[tuple[str, dict[str, object]]]:
    lines = db.session.query(AuditLine).filter(AuditLine.action.startswith("export.")).order_by(AuditLine.id)
    return [(line.action, line.data) for line in lines]


def test_the_file_holds_what_the_reader_may_see_and_all_of_it_is_on_record(
    clubs: ProgramYear, as_user: AsUser, ask_for: AskFor, tmp_path: Path
) -> None:
    clerk = as_user("clerk")
    add_corner(clerk)
    add_corner(clerk, org_code="610202", name="=1+1", cost_fen="", opened_on="")
    leader = as_user("leader", "6102")
    export = ask_for(leader, columns=ALL)
    assert (export.rows, export.password, export.title) == (1, None, "Reading corners-2014")
    assert rows(take(leader, export), tmp_path) == [
        ("Union", "Name", "Kind", "Volumes", "Cost (yuan)", "Opened"),
        ("王益区", "=1+1", "Library", "1200", "", ""),
    ]
    assert audit() == [
        ("export.ask", {"list": CORNERS, "columns": ALL}),
        ("export.download", {"list": CORNERS, "rows": 1}),
    ]


def test_the_file_keeps_to_the_filter_the_order_and_the_columns(
    clubs: ProgramYear, as_user: AsUser, ask_for: AskFor, tmp_path: Path
) -> None:
    clerk = as_user("clerk")
    for name, code in (("甲", "610102"), ("乙", "6101"), ("丙", "6102")):
        add_corner(clerk, name=name, org_code=code)
    export = ask_for(clerk, CORNERS, "org=6101&sort=-org", kind="csv", columns=["name"])
    content = take(clerk, export)
    assert content.startswith(b"\xef\xbb\xbf")
    assert rows(content, tmp_path, "list.csv") == [("Name",), ("甲",), ("乙",)]


def test_a_formula_in_a_csv_is_made_harmless(clubs: ProgramYear, as_user: AsUser, ask_for: AskFor) -> None:
    clerk = as_user("clerk")
    add_corner(clerk, name='=HYPERLINK("http://x")')
    content = take(clerk, ask_for(clerk, kind="csv", columns=["name"])).decode("utf-8-sig")
    assert content.splitlines()[1].startswith("\"'=HYPERLINK")


def test_what_holds_personal_data_is_a_zip_with_a_password(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, ask_for: AskFor, tmp_path: Path
) -> None:
    make_person(1)
    clerk = as_user("clerk")
    add_reader(clerk, 1)
    export = ask_for(clerk, READERS, columns=["person", "id_number", "likes"])
    password = services.password_of(export)
    assert password is not None
    assert len(password) == 12
    assert password in clerk.get(f"/exports/{export.id}").text
    assert export.password is not None
    assert password.encode() not in export.password
    content = take(clerk, export)
    [(name, inside)] = unlocked(content, password).items()
    assert name == "Readers-2014.xlsx"
    assert rows(inside, tmp_path) == [
        ("Name", "Identity number", "Likes"),
        ("王芳", "*" * 14 + id_number(1)[-4:], "诗"),
    ]
    with pytest.raises((RuntimeError, BadZipFile)):
        unlocked(content, "wrong")
    assert "王芳".encode() not in content
    (tmp_path / "marked.xlsx").write_bytes(inside)
    book = CalamineWorkbook.from_path(str(tmp_path / "marked.xlsx"))
    mark = {str(title): str(value) for title, value in book.get_sheet_by_name(book.sheet_names[-1]).to_python()}
    assert book.sheet_names[-1] == "About this file"
    assert mark["What for"] == "Report to the union above or to an authority: 年报"
    assert mark["Exported by"].split()[0] == "测试clerk" and mark["Union"]
    assert (mark["Reference"], mark["Time"][:3]) == (str(export.id), "202")
    with ZipFile(io.BytesIO(inside)) as parts:
        page = parts.read("xl/worksheets/sheet1.xml").decode()
    assert page.count("年报") == 2  # at the head and the foot of each printed page
    assert audit()[0][1]["purpose"] == "report"


def test_a_csv_of_people_begins_with_its_mark_and_can_be_read_back(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, ask_for: AskFor
) -> None:
    make_person(1)
    clerk = as_user("clerk")
    add_reader(clerk, 1)
    export = ask_for(clerk, READERS, kind="csv", columns=["person", "likes"])
    [inside] = unlocked(take(clerk, export), services.password_of(export) or "").values()
    first, heading, line = inside.decode("utf-8-sig").splitlines()
    assert "测试clerk" in first and "年报" in first
    assert (heading, line) == ("Name,Likes", "王芳,诗")
    found = find_list(io.BytesIO(inside), "list.csv", [field_of("likes", "Likes", False)], {})
    assert found.headings == ["Name", "Likes"]


@pytest.mark.parametrize("said", [{}, {"purpose": "other"}, {"purpose": "report", "note": "13900001234"}])
def test_a_list_of_people_needs_a_purpose(clubs: ProgramYear, as_user: AsUser, said: dict[str, str]) -> None:
    form = {"kind": "csv", "columns": ["likes"]} | said
    refused = as_user("clerk").post(address(clubs, READERS), data=form)
    assert refused.status_code == 400
    assert db.session.query(Export).count() == 0


def test_a_purpose_is_not_asked_for_a_list_of_unions(clubs: ProgramYear, as_user: AsUser) -> None:
    assert 'name="purpose"' not in as_user("clerk").get(address(clubs, CORNERS)).text
    assert 'name="purpose"' in as_user("clerk").get(address(clubs, READERS)).text


def test_the_mark_of_a_long_name_fits_the_page() -> None:
    target = io.BytesIO()
    write_xlsx(target, ["A"], [["1"]], "A", [("Union", "总工会&" * 100)])
    with ZipFile(target) as parts:
        page = parts.read("xl/worksheets/sheet1.xml").decode()
    assert 0 < len(page.split("<oddFooter>")[1].split("</oddFooter>")[0].replace("&amp;", "&")) <= 255


def test_an_export_is_there_for_nobody_else(
    clubs: ProgramYear, as_user: AsUser, make_user: MakeUser, ask_for: AskFor
) -> None:
    clerk = as_user("clerk")
    add_corner(clerk)
    export = ask_for(clerk, columns=["name"])
    other = as_user(make_user("clerk", username="other"))
    for path in (f"/exports/{export.id}", f"/exports/{export.id}/file", f"/exports/{2**63}"):
        assert other.get(path).status_code == 404
    assert "Reading corners" not in other.get("/exports/").text
    assert "Reading corners-2014" in clerk.get("/exports/").text


@pytest.mark.parametrize(
    ("code", "role"), [(READERS, "leader"), ("users", "clerk"), ("nonsense", "admin"), ("reading_club.none", "admin")]
)
def test_a_list_that_is_not_theirs_is_none(clubs: ProgramYear, as_user: AsUser, code: str, role: str) -> None:
    browser = as_user(role)
    assert browser.get(address(clubs, code)).status_code == 404
    assert browser.post(address(clubs, code), data={"kind": "csv", "columns": ["name"]}).status_code == 404
    assert db.session.query(Export).count() == 0


def test_a_register_without_its_year_is_none(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert browser.get(address(None, CORNERS)).status_code == 404
    for number in ("0", str(2**63), "x"):
        assert browser.get(f"/exports/new?list={CORNERS}&in={number}").status_code == 404
    disable(SYSTEM, clubs)
    assert browser.get(address(clubs, CORNERS)).status_code == 404


@pytest.mark.parametrize(
    ("query", "data", "status", "sentence"),
    [
        ("", {"kind": "csv"}, 400, "Choose at least one column."),
        ("", {"kind": "doc", "columns": ["name"]}, 400, "alid choice"),
        ("", {"kind": "csv", "columns": ["name", "secret"]}, 400, "valid choice"),
        ("org=999", {"kind": "csv", "columns": ["name"]}, 400, "The filter of the list is wrong"),
    ],
)
def test_what_cannot_be_made_is_refused_at_its_field(
    clubs: ProgramYear, as_user: AsUser, query: str, data: dict[str, object], status: int, sentence: str
) -> None:
    page = as_user("clerk").post(address(clubs, CORNERS, query), data=data)
    assert (page.status_code, sentence in page.text) == (status, True)
    assert db.session.query(Job).count() == 0


def test_the_form_says_how_many_rows_and_offers_what_the_list_shows(clubs: ProgramYear, as_user: AsUser) -> None:
    clerk = as_user("clerk")
    add_corner(clerk)
    add_corner(clerk, name="二楼", org_code="6102")
    page = clerk.get(address(clubs, CORNERS, "org=6101")).text
    assert "1 rows go into the file" in page
    assert 'value="volumes" checked' in page
    assert "password" not in page
    assert "password" in clerk.get(address(clubs, READERS)).text
    listed = clerk.get("/2014/61/reading_club/registers/corners/?org=6101").text
    assert f"/exports/new?org=6101&amp;list={CORNERS}&amp;in={clubs.id}" in listed


def test_whoever_lost_the_permission_meanwhile_gets_nothing(
    clubs: ProgramYear, as_user: AsUser, make_user: MakeUser, ask_for: AskFor, run_jobs: Callable[[], int]
) -> None:
    user = make_user("clerk")
    clerk = as_user(user)
    add_corner(clerk)
    made = ask_for(clerk, columns=["name"])
    waiting = ask_for(clerk, columns=["name"], run=False)
    db.session.query(Grant).filter_by(user_id=user.id).delete()
    db.session.commit()
    run_jobs()
    db.session.refresh(waiting)
    assert (waiting.key, db.session.get_one(Job, waiting.job_id).state) == (None, "failed")
    assert "There is no such program year, or none that you may see." in clerk.get(f"/exports/{waiting.id}").text
    assert clerk.get(f"/exports/{made.id}/file").status_code == 404


def test_a_closed_year_can_still_be_exported(clubs: ProgramYear, as_user: AsUser, ask_for: AskFor) -> None:
    clerk = as_user("clerk")
    add_corner(clerk)
    close(SYSTEM, clubs)
    assert ask_for(clerk, columns=["name"]).rows == 1


def age(export: Export, days: float) -> None:
    db.session.execute(
        text("UPDATE core_export SET made_at = now() - make_interval(secs => :seconds) WHERE id = :id"),
        {"seconds": days * 86400, "id": export.id},
    )
    db.session.commit()


def test_a_file_is_kept_for_seven_days(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, ask_for: AskFor
) -> None:
    make_person(1)
    clerk = as_user("clerk")
    add_reader(clerk, 1)
    export = ask_for(clerk, READERS, columns=["likes"])
    key = export.key or ""
    age(export, 6.99)
    assert services.remove_old() == 0
    age(export, 7.01)
    assert services.remove_old() == 1
    db.session.refresh(export)
    assert (export.key, export.password, export.rows) == (None, None, 1)
    with pytest.raises(FileNotFoundError):
        list(services.store().read(key))
    assert "This file is not kept any more" in clerk.get(f"/exports/{export.id}").text
    assert clerk.get(f"/exports/{export.id}/file").status_code == 404


def test_whoever_asked_finds_a_message_in_the_inbox(clubs: ProgramYear, as_user: AsUser, ask_for: AskFor) -> None:
    clerk = as_user("clerk")
    add_corner(clerk)
    export = ask_for(clerk, columns=["name"])
    page = clerk.get("/inbox/").text
    assert "The export “Reading corners-2014” is ready" in page
    assert db.session.query(Message).one().address == {"export_id": export.id}


def test_a_job_that_runs_twice_makes_one_file(clubs: ProgramYear, as_user: AsUser, ask_for: AskFor) -> None:
    clerk = as_user("clerk")
    add_corner(clerk)
    export = ask_for(clerk, columns=["name"])
    key = export.key
    services.make(export.id, lambda _done, _total: None)
    late = services.store().put(io.BytesIO(b"late"))
    services._made(export.id, late, "", 9, 9)
    db.session.refresh(export)
    assert (export.key, export.rows) == (key, 1)
    kept = {name for names in services.store().folders() for name in names}
    assert (key in kept, late in kept) == (True, False)


def test_exports_and_attachments_lie_apart(clubs: ProgramYear, as_user: AsUser, ask_for: AskFor) -> None:
    clerk = as_user("clerk")
    add_corner(clerk)
    export = ask_for(clerk, columns=["name"])
    assert export.key is not None
    with pytest.raises(FileNotFoundError):
        list(store_of().read(export.key))


@pytest.mark.parametrize(
    ("role", "code", "column"),
    [
        ("admin", "users", "username"),
        ("leader", "orgs", "org"),
        ("auditor", "people", "name"),
        ("leader", "activities:", "org"),
    ],
)
def test_the_lists_of_the_core_are_exported_too(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, ask_for: AskFor, role: str, code: str, column: str
) -> None:
    make_person(1)
    make_person(2, "6102")
    template = db.session.execute(text("SELECT code FROM core_activity_template LIMIT 1")).scalar_one()
    export = ask_for(as_user(role, "6101"), code + (template if code.endswith(":") else ""), columns=[column])
    expected = {"users": 1, "orgs": 5, "people": 1}.get(code, 0)
    assert (export.rows, export.password is not None) == (expected, code == "people")


def test_a_list_longer_than_a_sheet_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sheets, "LONGEST_SHEET", 2)
    path = tmp_path / "long.xlsx"
    with path.open("wb") as target:
        write_xlsx(target, ["Number"], ([number] for number in range(5)), "Numbers")
    book = CalamineWorkbook.from_path(str(path))
    found = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert book.sheet_names == ["Numbers", "Numbers 2", "Numbers 3"]
    assert found == [[["Number"], [0], [1]], [["Number"], [2], [3]], [["Number"], [4]]]


def test_progress_is_told_now_and_then(
    clubs: ProgramYear, as_user: AsUser, ask_for: AskFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "STEP", 2)
    clerk = as_user("clerk")
    for number in range(5):
        add_corner(clerk, name=str(number))
    export = ask_for(clerk, columns=["name"], run=False)
    told: list[tuple[int, int]] = []
    services.make(export.id, lambda done, total: told.append((done, total)))
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert db.session.query(func.count()).select_from(Export).filter(Export.key.is_not(None)).scalar() == 1
