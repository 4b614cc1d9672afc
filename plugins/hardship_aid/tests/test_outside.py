"""Comparing with lists from outside: what is read, refused, stored and found, and who sees it."""

import io
from collections.abc import Callable, Sequence

import pytest
import xlsxwriter
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from core.api import (
    Forbidden,
    Person,
    ProgramYear,
    Refused,
    Scope,
    User,
    db,
    decrypt,
    digest,
    mask_id,
    mask_name,
    today,
)
from core.audit.models import AuditLine
from core.people.merging import merge
from core.users.access import reach_of
from core.users.testing import AsUser, Browser, MakeUser
from core.wall import reach_as, reach_now
from plugins.hardship_aid.categories import outside, people
from plugins.hardship_aid.categories.models import Hit, Outside, OutsideList
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.households import MakeFile
from plugins.hardship_aid.tests.households import make_file as make_file

pytestmark = pytest.mark.services
PAGE = f"{PAGES}/comparisons"
HEADINGS = ("公民身份号码", "比对事项")
#: Nobody's here; the check digit is right.
STRANGER = "11010519491231002X"
Rows = Sequence[Sequence[object]]


def number_of(file: File) -> str:
    return decrypt("id_number", db.session.get_one(Person, file.person_id).id_number)


def as_csv(rows: Rows, headings: Sequence[str] = HEADINGS) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in [headings, *rows]).encode("gb18030")


def as_xlsx(rows: Rows, headings: Sequence[str] = HEADINGS) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["某市低保对象名单"])
        for line, row in enumerate([headings, *rows], start=2):
            page.write_row(line, 0, row)
    return target.getvalue()


def send(browser: Browser, content: bytes, name: str = "名单.csv") -> TestResponse:
    return browser.post(PAGE, data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")


def compare(actor: User, program_year: ProgramYear, rows: Rows) -> outside.Compared:
    return outside.compare(actor, program_year, io.BytesIO(as_csv(rows)), "名单.csv")


def kept() -> tuple[int, int, int]:
    db.session.expire_all()
    models = (OutsideList, Outside, Hit)
    lists, digests, hits = (db.session.scalar(select(func.count()).select_from(model)) or 0 for model in models)
    return lists, digests, hits


def hits_of(file: File) -> list[str]:
    return sorted(db.session.scalars(select(Hit.kind).where(Hit.file_id == file.id)))


@pytest.mark.parametrize(("write", "name"), [(as_csv, "名单.csv"), (as_xlsx, "名单.xlsx")])
def test_a_list_is_compared_by_digest_and_keeps_no_number(
    program_year: ProgramYear, make_file: MakeFile, as_user: AsUser, write: Callable[[Rows], bytes], name: str
) -> None:
    found, clean, on_file = make_file(state="comparison"), make_file(state="comparison"), make_file()
    number = number_of(found)
    rows = [(number, "低保"), (number, "车辆"), (number, "低保"), (number_of(on_file), "房产"), (STRANGER, "工商登记")]
    clerk = as_user("clerk", "610102")
    page = send(clerk, write(rows), name)
    assert page.status_code == 302
    page = clerk.get(PAGE)
    assert "2 files were compared with 4 entries; 3 new hits." in page.text
    assert (hits_of(found), hits_of(clean), hits_of(on_file)) == (["car", "relief"], [], ["property"])
    for file in (found, clean, on_file):
        db.session.refresh(file)
    assert (found.compared_on, clean.compared_on, on_file.compared_on) == (today(), today(), None)
    stored = set(db.session.execute(select(Outside.digest, Outside.kind)).all())
    assert (digest("id_number", number), "relief") in stored
    assert len(stored) == 4
    everything = db.session.scalars(
        text("SELECT t::text FROM hardship_aid_outside_list t UNION SELECT t::text FROM hardship_aid_outside t"
             " UNION SELECT t::text FROM hardship_aid_hit t")
    )  # fmt: skip
    assert not any(number in row for row in everything)
    (line,) = db.session.query(AuditLine).filter_by(action="hardship.compare")
    assert (line.data["rows"], line.data["hits"], line.data["files"]) == (4, 3, 2)
    assert number not in str(line.data)


def test_a_hit_is_shown_masked(program_year: ProgramYear, make_file: MakeFile, as_user: AsUser) -> None:
    file = make_file(name="王试验")
    clerk = as_user("clerk", "610102")
    send(clerk, as_csv([(number_of(file), "房产")]))
    page = clerk.get(PAGE).text
    assert mask_name("王试验") in page
    assert mask_id(number_of(file)) in page
    assert "Owns property" in page
    assert "王试验" not in page
    assert number_of(file) not in page


BAD = [
    ((STRANGER[:-1] + "1", "低保"), "The check digit of the identity number is wrong"),
    (("", "低保"), "The identity number is missing."),
    (("110105491231002", "低保"), "old identity number of 15 digits"),
    ((STRANGER, ""), "is none of"),
    ((STRANGER, "飞机"), "“飞机” is none of On low-income relief、Owns property"),
]


@pytest.mark.parametrize(("row", "sentence"), BAD)
def test_one_bad_row_refuses_the_list_and_nothing_is_kept(
    program_year: ProgramYear, make_file: MakeFile, as_user: AsUser, row: tuple[str, str], sentence: str
) -> None:
    file = make_file(state="comparison")
    page = send(as_user("clerk", "610102"), as_csv([(number_of(file), "低保"), row, (STRANGER, "房产")]))
    assert page.status_code == 409
    assert "1 rows are wrong, so nothing was taken." in page.text
    assert "<td>3</td>" in page.text
    assert sentence in page.text
    assert kept() == (0, 0, 0)
    db.session.refresh(file)
    assert file.compared_on is None


def test_all_bad_rows_are_counted_and_the_first_are_named(
    program_year: ProgramYear, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "NAMED", 2)
    with pytest.raises(outside.BadRows, match="5 rows are wrong") as refusal:
        compare(make_user("clerk"), program_year, [row for row, _sentence in BAD])
    assert refusal.value.faults.count == 5
    assert [line for line, _sentence in refusal.value.faults.named] == [2, 3]


def test_digits_that_excel_has_lost_are_told(program_year: ProgramYear, as_user: AsUser) -> None:
    page = send(as_user("clerk"), as_xlsx([(int(STRANGER[:-1] + "0"), "低保")]), "名单.xlsx")
    assert page.status_code == 409
    assert "Excel has lost the last digits" in page.text


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (as_csv([]), "名单.csv", "The file has headings, but no rows."),
        (as_csv([("王", "低保")], ("姓名", "事项")), "名单.csv", "None of the first ten rows holds the two headings"),
        (b"", "名单.csv", "None of the first ten rows"),
        (b"%PDF-1.4", "名单.pdf", "is not a list that can be read"),
        (b"no zip", "名单.xlsx", "The xlsx file cannot be read"),
        (as_csv([(STRANGER, "低保"), (STRANGER, "房产")]), "名单.csv", "more than 1 rows"),
    ],
    ids=["empty list", "other headings", "nothing", "pdf", "broken", "too long"],
)
def test_a_file_that_is_no_list_is_refused(
    program_year: ProgramYear,
    as_user: AsUser,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    name: str,
    sentence: str,
) -> None:
    monkeypatch.setattr(outside, "MOST_ROWS", 1)
    page = send(as_user("clerk"), content, name)
    assert page.status_code == 400
    assert sentence in page.text
    assert kept() == (0, 0, 0)


def test_no_file_no_list(program_year: ProgramYear, as_user: AsUser) -> None:
    page = as_user("clerk").post(PAGE, data={})
    assert page.status_code == 400
    assert "Choose a file first." in page.text


def test_a_file_with_a_virus_is_not_taken(
    program_year: ProgramYear, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "scan_file", lambda _content, _name: ["Eicar"])
    page = send(as_user("clerk"), as_csv([(STRANGER, "低保")]))
    assert page.status_code == 409
    assert "a virus was found in it: Eicar" in page.text
    assert kept() == (0, 0, 0)


def test_the_same_list_again_finds_only_who_came_since(
    program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser
) -> None:
    first, second = make_file(state="draft"), make_file(state="draft")
    first.state = second.state = "comparison"
    second.state = "out"
    db.session.commit()
    clerk = make_user("clerk", "610102")
    rows = [(number_of(first), "低保"), (number_of(second), "低保")]
    once = compare(clerk, program_year, rows)
    assert (once.rows, once.hits, once.files) == (2, 1, 1)
    second.state = "comparison"
    db.session.commit()
    again = compare(clerk, program_year, rows)
    assert (again.list_id, again.rows, again.hits, again.files) == (once.list_id, 2, 1, 2)
    assert kept() == (1, 2, 2)
    other = compare(make_user("clerk", "6101"), program_year, rows)
    assert (other.list_id != once.list_id, other.hits) == (True, 2)


def test_a_list_from_before_a_change_of_the_data_key_is_found_when_it_is_uploaded_again(
    program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser
) -> None:
    file, clerk = make_file(state="comparison"), make_user("clerk", "610102")
    rows = [(number_of(file), "低保")]
    file.state = "out"
    db.session.commit()
    assert compare(clerk, program_year, rows).hits == 0
    db.session.execute(text("UPDATE hardship_aid_outside SET digest = sha256(digest)"))
    file.state = "comparison"
    db.session.commit()
    assert compare(clerk, program_year, rows).hits == 1


def test_who_was_on_file_under_another_number_is_found(
    program_year: ProgramYear, make_file: MakeFile, make_person: Callable[..., Person], make_user: MakeUser
) -> None:
    file, former = make_file(), make_person("610102")
    number = decrypt("id_number", former.id_number)
    merge(make_user("clerk"), Scope(("/",)), file.person_id, former.id)
    compare(make_user("clerk"), program_year, [(number, "车辆")])
    assert hits_of(file) == ["car"]


def test_a_list_reaches_the_files_of_its_sender_and_is_seen_there(
    program_year: ProgramYear, make_file: MakeFile, as_user: AsUser
) -> None:
    mine, beside, waiting = make_file(name="王本区"), make_file("610103", name="李邻区"), make_file(
        "610103", name="赵等待", state="comparison"
    )  # fmt: skip
    rows = [(number_of(file), "低保") for file in (mine, beside, waiting)]
    county = as_user("clerk", "610102")
    send(county, as_csv(rows), "新城名单.csv")
    assert (hits_of(mine), hits_of(beside), hits_of(waiting)) == (["relief"], [], [])
    db.session.refresh(waiting)
    assert waiting.compared_on is None
    neighbour = as_user("clerk", "610103")
    assert "新城名单" not in neighbour.get(PAGE).text
    assert "新城名单" in as_user("leader", "6101").get(PAGE).text
    send(as_user("clerk", "6101"), as_csv(rows, ("证件号码", "类别")), "西安名单.csv")
    page = neighbour.get(PAGE).text
    assert mask_name("李邻区") in page  # what was found about its own file it sees, the city's list it does not
    assert mask_name("王本区") not in page
    assert "西安名单" not in page
    assert "新城名单" in county.get(PAGE).text
    assert "西安名单" not in county.get(PAGE).text


def test_wall_one_keeps_a_list_to_the_files_of_its_sender(
    program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser
) -> None:
    """In a test's own reach the database holds nothing back."""
    mine, beside = (make_file(code, state="comparison") for code in ("610102", "610103"))
    other = make_file(sponsor="6101", state="comparison")
    rows = [(number_of(file), "低保") for file in (mine, beside, other)]
    done = compare(make_user("clerk", "610102"), program_year, rows)
    assert (done.hits, done.files, hits_of(mine)) == (1, 1, ["relief"])


def test_the_database_shows_a_list_to_nobody_beside(
    program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser
) -> None:
    file = make_file()
    compare(make_user("clerk", "610102"), program_year, [(number_of(file), "低保")])
    everything = reach_now()
    for code, seen in (("610103", (0, 0, 0)), ("610102", (1, 1, 1)), ("6101", (1, 1, 1)), ("610202", (0, 0, 0))):
        reach_as(reach_of(make_user("clerk", code)))
        assert kept() == seen, code
        reach_as(everything)


def test_only_who_changes_files_at_the_own_union_compares(
    program_year: ProgramYear, make_user: MakeUser, as_user: AsUser
) -> None:
    with pytest.raises(Forbidden):
        compare(make_user("reviewer"), program_year, [(STRANGER, "低保")])
    assert send(as_user("reviewer"), as_csv([(STRANGER, "低保")])).status_code == 403
    assert "Send a list in" not in as_user("reviewer").get(PAGE).text
    program_year.closes_on = program_year.opens_on
    db.session.commit()
    with pytest.raises(Refused, match="not open"):
        compare(make_user("clerk"), program_year, [(STRANGER, "低保")])


def test_the_table_takes_no_other_kind(program_year: ProgramYear, make_user: MakeUser) -> None:
    compare(make_user("clerk"), program_year, [(STRANGER, "低保")])
    with pytest.raises(IntegrityError, match="ck_hardship_aid_outside_kind"):
        db.session.execute(text("UPDATE hardship_aid_outside SET kind = 'plane'"))


@pytest.mark.as_owner
def test_a_hit_goes_with_its_file(program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser) -> None:
    file = make_file()
    compare(make_user("clerk"), program_year, [(number_of(file), "低保")])
    db.session.execute(text("DELETE FROM hardship_aid_file"))
    db.session.commit()
    assert kept() == (1, 1, 0)


def test_what_is_kept_about_a_person_is_shown_and_erased(
    program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser
) -> None:
    file = make_file(computed="deep", computed_year=2014, line_fen=1, decided="relative", decided_because="配偶重病")
    compare(make_user("clerk"), program_year, [(number_of(file), "车辆"), (STRANGER, "低保")])
    person = db.session.get_one(Person, file.person_id)
    decided, found = people.personal_data(person, "show")
    assert decided.values == {"Category decided": "Relative hardship", "Why": "配偶重病"}
    assert found.values == {"What it says": "Owns a car", "Found on": today().isoformat()}
    assert len(people.personal_data(person, "erase")) == 2
    db.session.commit()
    assert kept() == (1, 1, 0)
    db.session.refresh(file)
    assert (file.decided, file.decided_because) == ("relative", "—")
