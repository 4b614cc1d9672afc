"""The steps before a merge: columns that are asked about, workers that read, what is cancelled, shown and cleared."""

import io
from datetime import timedelta

import pytest
from sqlalchemy import update

from core.audit.services import SYSTEM
from core.errors import Forbidden, Refused, ZhijiaError
from core.extensions import db
from core.imports import jobs, queries, services
from core.imports.models import Import, ImportMapping, ImportRow
from core.imports.sheets import write_errors, write_template
from core.org.scope import Scope
from core.people.personal import erase, show_data
from core.plugin.hooks import year_blockers
from core.programs.models import ProgramYear
from core.programs.services import close
from core.registers.sheets import read_rows
from core.users.models import User
from core.users.testing import MakeUser
from tests.imports.conftest import HEADINGS, RunJobs, Upload, good_row, merge, xlsx
from tests.plugins_for_tests.reading_club.registers import CORNERS, MEMBERS
from tests.registers.conftest import MakePerson, id_number

pytestmark = pytest.mark.services
PROVINCE = Scope(("/61/",))


def test_a_cancelled_import_leaves_nothing_and_cannot_be_merged(
    upload: Upload, clerk: User, clubs: ProgramYear
) -> None:
    one = upload(xlsx([good_row(1)]))
    services.cancel(clerk, one)
    assert db.session.query(ImportRow).count() == 0
    with pytest.raises(Refused, match="merged or cancelled already"):
        services.start_merge(clerk, one, MEMBERS, clubs, only_good=True)
    with pytest.raises(Refused, match="Only a file"):
        services.cancel(clerk, one)


def test_a_file_without_a_good_row_cannot_be_merged(upload: Upload, clerk: User, clubs: ProgramYear) -> None:
    with pytest.raises(Refused, match="no row"):
        services.start_merge(clerk, upload(xlsx([good_row(1, name="")])), MEMBERS, clubs, only_good=True)


def test_who_may_edit_nowhere_uploads_nothing(upload: Upload, make_user: MakeUser) -> None:
    with pytest.raises(Forbidden):
        upload(xlsx([good_row(1)]), user=make_user("auditor"))


def test_a_clerk_of_another_city_finds_no_import(upload: Upload, clubs: ProgramYear) -> None:
    one = upload(xlsx([good_row(1)]))
    assert queries.find_import(MEMBERS, clubs, Scope(("/61/6102/",)), one.id) is None
    assert queries.find_import(CORNERS, clubs, PROVINCE, one.id) is None
    assert queries.find_import(MEMBERS, clubs, PROVINCE, one.id) is not None


def test_an_unknown_heading_is_asked_about_once(upload: Upload, clerk: User, clubs: ProgramYear) -> None:
    headings = [*HEADINGS[:-1], "在册", "备注"]
    rows = [[*good_row(1), "随便"]]
    one = upload(xlsx(rows, headings))
    assert (one.state, one.headings, db.session.query(ImportRow).count()) == ("mapping", headings, 0)
    assert services.file_of(one.id).exists()
    columns = ["id_number", "name", "org_code", "phone", "bank_account", "bank_name", "kind", "note", "books",
               "fee_fen", "joined_on", "left_on", "active", ""]  # fmt: skip
    with pytest.raises(ZhijiaError, match="“Name” twice"):
        services.choose_columns(clerk, one, MEMBERS, clubs, [*columns[:-1], "name"])
    with pytest.raises(ZhijiaError, match="lacks the column Kind"):
        services.choose_columns(clerk, one, MEMBERS, clubs, [*columns[:6], "", *columns[7:]])
    with pytest.raises(ZhijiaError, match="Say of every column"):
        services.choose_columns(clerk, one, MEMBERS, clubs, columns[:-1])
    services.choose_columns(clerk, one, MEMBERS, clubs, columns)
    assert (one.state, one.good) == ("staged", 1)
    assert not services.file_of(one.id).exists()
    assert db.session.query(ImportMapping).one().columns["在册"] == "active"
    db.session.expire_all()
    again = upload(xlsx([[*good_row(2), "又"]], headings))
    assert (again.state, again.good) == ("staged", 1)


def test_the_same_file_is_warned_about_and_may_still_be_imported(
    upload: Upload, clerk: User, clubs: ProgramYear
) -> None:
    content = xlsx([good_row(1)])
    first = upload(content)
    second = upload(content)
    assert second.state == "mapping"
    same = queries.same_file(second)
    assert same is not None
    assert same.id == first.id
    columns = [str(name) for name in first.columns]
    services.choose_columns(clerk, second, MEMBERS, clubs, columns)
    assert (second.state, second.good) == ("staged", 1)
    services.cancel(clerk, first)
    services.cancel(clerk, second)
    assert upload(content).state == "staged"


def test_a_large_file_is_read_by_a_worker(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "LARGEST_AT_ONCE", {".xlsx": 100})
    one = upload(xlsx([good_row(1), good_row(2, kind="?")]))
    assert (one.state, db.session.query(ImportRow).count()) == ("reading", 0)
    assert b"62220200000" not in services.file_of(one.id).read_bytes()
    run_jobs()
    db.session.refresh(one)
    assert (one.state, one.good, one.bad) == ("staged", 1, 1)
    assert not services.file_of(one.id).exists()


def test_a_large_file_that_cannot_be_read_says_why(
    upload: Upload, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "LARGEST_AT_ONCE", {".csv": 1})
    one = upload("姓名,工会代码\n王芳,61\n".encode(), "list.csv")
    run_jobs()
    db.session.refresh(one)
    assert one.state == "failed"
    assert "lacks the column Identity number、Kind" in one.error
    assert not services.file_of(one.id).exists()


def test_the_error_file_gives_the_rows_back_and_can_be_uploaded_again(upload: Upload) -> None:
    one = upload(xlsx([good_row(1, name="=1+1", kind="?", active="是"), good_row(2)]))
    target = io.BytesIO()
    write_errors(one, MEMBERS, target)
    heading, row = (one_row.values for one_row in read_rows(io.BytesIO(target.getvalue()), "a.xlsx"))
    assert heading[-1] == "What is wrong"
    assert row[:3] == (id_number(1), "=1+1", "610102001")
    shown = dict(zip(heading, row, strict=True))
    assert (shown["Kind"], shown["Fee (yuan)"], shown["Joined"], shown["Active"]) == ("?", "12.50", "2014-01-05", "Yes")
    again = upload(target.getvalue())
    assert (again.state, again.headings[-1]) == ("mapping", "What is wrong")


def test_the_template_has_a_heading_for_every_field(upload: Upload) -> None:
    target = io.BytesIO()
    write_template(MEMBERS, target)
    (heading,) = read_rows(io.BytesIO(target.getvalue()), "a.xlsx")
    assert heading.values[:4] == ("Identity number*", "Name*", "Code of the union*", "Phone")
    with pytest.raises(ZhijiaError, match="no rows"):
        upload(target.getvalue())


def test_what_nobody_finished_is_cleared_after_a_week(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    left, kept = upload(xlsx([good_row(1)])), upload(xlsx([good_row(2)]))
    asked = upload(xlsx([[*good_row(3), "x"]], [*HEADINGS, "备注"]))
    merged = merge(upload(xlsx([good_row(4), good_row(5, kind="?")])), clerk, clubs, run_jobs, only_good=True)
    old = [left.id, asked.id, merged.id]
    ago = db.func.now() - timedelta(days=7, minutes=1)
    db.session.execute(update(Import).where(Import.id.in_(old)).values(created_at=ago))
    just = db.func.now() - timedelta(days=7, minutes=-1)
    db.session.execute(update(Import).where(Import.id == kept.id).values(created_at=just))
    db.session.commit()
    jobs.clear_old(None)  # type: ignore[arg-type]  # it asks for nothing
    states = {one.id: one.state for one in db.session.query(Import)}
    assert states == {left.id: "cancelled", asked.id: "cancelled", merged.id: "merged", kept.id: "staged"}
    assert {row.import_id for row in db.session.query(ImportRow)} == {kept.id}
    assert not services.file_of(asked.id).exists()


def test_a_file_that_waits_blocks_closing_the_year(upload: Upload, clerk: User, clubs: ProgramYear) -> None:
    one = upload(xlsx([good_row(1)]))
    with pytest.raises(Refused, match="1 uploaded file is neither"):
        close(SYSTEM, clubs)
    services.cancel(clerk, one)
    assert year_blockers(clubs) == []


def test_lines_of_a_person_are_shown_and_blanked(upload: Upload, make_user: MakeUser, make_person: MakePerson) -> None:
    person = make_person(1, "610102001", "李静")
    admin = make_user("admin")
    one = upload(xlsx([good_row(1, kind="?")]))
    (found,) = [item for item in show_data(admin, PROVINCE, person.id) if item.title == "Uploaded files"]
    assert found.values == {"File": "list.xlsx", "Line": "2", "State": "Checked, not yet merged"}
    with pytest.raises(Refused, match="stands in the uploaded file"):
        erase(admin, PROVINCE, person.id, "asked for it")
    db.session.execute(update(Import).where(Import.id == one.id).values(state="merged"))
    db.session.commit()
    erase(admin, PROVINCE, person.id, "asked for it")
    row = db.session.query(ImportRow).one()
    assert (row.values, row.secret, row.id_number_digest, len(row.errors)) == ({}, None, None, 1)


def test_a_file_in_which_a_virus_is_found_is_not_taken(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "scan_file", lambda _content, _name: ["Test.Virus"])
    with pytest.raises(Refused, match="a virus was found in it"):
        upload(xlsx([good_row(1)]))
    assert db.session.query(Import).count() == 0
