"""The pages of files: what is refused first, then what is done, how it is handed out, and what is on record."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from core.audit.services import SYSTEM
from core.config import EXTENSION
from core.errors import Forbidden, Refused
from core.extensions import db
from core.files import services
from core.files.models import File
from core.files.records import Record
from core.files.store import Store
from core.jobs.models import Job
from core.org.models import Org
from core.programs.models import ProgramYear
from core.programs.services import close, enable
from core.users.models import User
from core.users.testing import AsUser, Browser, MakeUser
from tests.files.conftest import PDF, actions, archive, at_field, files, picture, send, stored
from tests.plugins_for_tests.reading_club.registers import Corner
from tests.registers.conftest import URL, MakePerson, add_corner, add_reader

pytestmark = pytest.mark.services
ENTRY = "reading_club.corners:1"


def nothing_done(store_path: Path) -> bool:
    """Whether an upload left neither a row, nor a content, nor a line, nor a job."""
    return (files(), stored(store_path), actions(), db.session.query(Job).count()) == ([], set(), [], 0)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("", PDF, "Choose a file first."),
        ("证明.pdf", b"", "The file is empty."),
        ("证明.pdf", archive("a.exe"), "This kind of file is not taken"),
        ("证明.pdf", picture(), "does not agree with the content"),
        ("证明", PDF, "does not agree with the content"),
    ],
)
def test_a_wrong_file_is_refused_at_its_field(
    browser: Browser, address: str, store_path: Path, name: str, content: bytes, sentence: str
) -> None:
    page = send(browser, address, name, content)
    assert sentence in at_field(page)
    assert page.status_code == 400
    assert nothing_done(store_path)


def test_a_form_without_a_file_is_refused_at_its_field(browser: Browser, address: str, store_path: Path) -> None:
    assert "Choose a file first." in at_field(browser.post(address))
    assert nothing_done(store_path)


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(
    app: Flask, browser: Browser, address: str, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.files.services.MEGABYTE", 1024)
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], largest_file=2048)
    assert "The file is larger than 2 MB" in at_field(send(browser, address, content=PDF.ljust(2049)))
    assert nothing_done(store_path)
    assert send(browser, address, content=PDF.ljust(2048)).status_code == 302
    assert [file.size for file in files()] == [2048]


def test_an_entry_has_fifty_files_and_no_more(
    browser: Browser, address: str, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert services.MOST_FILES == 50
    monkeypatch.setattr("core.files.services.MOST_FILES", 2)
    for number in range(2):
        assert send(browser, address, content=PDF + bytes([48 + number])).status_code == 302
    assert "file-errors" not in browser.get(address).text and 'type="file"' not in browser.get(address).text
    page = send(browser, address, content=PDF + b"2")
    assert page.status_code == 409
    assert "An entry can have 2 files; remove one first." in page.text
    assert (len(files()), len(stored(store_path)), len(actions())) == (2, 2, 2)
    assert browser.post(f"{address}{files()[0].id}/remove").status_code == 302
    assert send(browser, address, content=PDF + b"2").status_code == 302


def test_the_same_content_is_attached_to_an_entry_once(browser: Browser, address: str, store_path: Path) -> None:
    assert send(browser, address).status_code == 302
    page = send(browser, address, "另一个名字.pdf")
    assert page.status_code == 409
    assert "The same file is attached already, as “证明.pdf”." in at_field(page)
    assert (len(files()), len(stored(store_path)), len(actions())) == (1, 1, 1)
    add_corner(browser, name="二楼")
    second = db.session.query(Corner).filter_by(name="二楼").one()
    assert send(browser, f"{URL}corners/{second.id}/files/").status_code == 302
    browser.post(f"{address}{files()[0].id}/remove")
    assert send(browser, address).status_code == 302


def test_a_file_is_attached_shown_saved_and_removed_with_its_lines(
    browser: Browser,
    address: str,
    corner: Corner,
    clerk: User,
    store_path: Path,
    run_jobs: Callable[[], int],
    clubs: ProgramYear,
) -> None:
    entry = f"{URL}corners/{corner.id}"
    response = send(browser, address, "../困难 证明\u202e.pdf")
    assert (response.status_code, response.headers["Location"]) == (302, entry)
    (file,) = files()
    subject = f"reading_club.corners:{corner.id}"
    assert (file.name, file.kind, file.size, file.subject) == ("困难 证明.pdf", "application/pdf", len(PDF), subject)
    assert (file.org_path, file.program_year_id, file.person_id) == (corner.org_path, clubs.id, None)
    assert (file.user_id, stored(store_path)) == (clerk.id, {file.key})
    for page in (browser.get(entry).text, browser.get(address).text):
        assert "困难 证明.pdf" in page and f'href="{address}{file.id}"' in page and 'type="file"' in page
    saved = browser.get(f"{address}{file.id}")
    assert (saved.status_code, saved.data, saved.content_length) == (200, PDF, len(PDF))
    assert saved.headers["Content-Disposition"] == (
        "attachment; filename=\" .pdf\"; filename*=UTF-8''%E5%9B%B0%E9%9A%BE%20%E8%AF%81%E6%98%8E.pdf"
    )
    question = browser.get(f"{address}{file.id}/remove")
    assert "Remove “困难 证明.pdf”?" in question.text
    assert len(files()) == 1
    response = browser.post(f"{address}{file.id}/remove")
    assert (response.status_code, response.headers["Location"]) == (302, entry)
    assert (file.key, file.removed_at is None, file.name) == (None, False, "困难 证明.pdf")
    assert "困难 证明.pdf" not in browser.get(entry).text
    assert browser.get(f"{address}{file.id}").status_code == 404
    assert browser.post(f"{address}{file.id}/remove").status_code == 404
    run_jobs()
    assert stored(store_path) == set()
    assert actions() == [("file.attach", subject), ("file.download", subject), ("file.remove", subject)]


@pytest.mark.parametrize(
    ("name", "content", "policy"),
    [("图.png", picture(), "sandbox"), ("a.pdf", PDF, "default-src 'none'"), ("a.txt", b"<script>", None)],
)
def test_images_and_pdf_are_shown_when_asked_for_and_nothing_else_ever_is(
    browser: Browser, address: str, name: str, content: bytes, policy: str | None
) -> None:
    send(browser, address, name, content)
    (file,) = files()
    saved, shown = browser.get(f"{address}{file.id}"), browser.get(f"{address}{file.id}?show=1")
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert shown.headers["Content-Disposition"].startswith("inline" if policy else "attachment")
    assert "sandbox" in saved.headers["Content-Security-Policy"]
    assert (policy or "sandbox") in shown.headers["Content-Security-Policy"]
    for response in (saved, shown):
        assert response.mimetype == file.kind
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "script-src" not in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-store"
    assert ("show=1" in browser.get(address).text) == bool(policy)
    assert len([action for action, _subject in actions() if action == "file.download"]) == 2


def test_the_page_of_one_entry_does_not_hand_out_the_files_of_another(
    browser: Browser, address: str, make_person: MakePerson
) -> None:
    send(browser, address, "图.png", picture())
    (file,) = files()
    add_corner(browser, name="二楼")
    second = db.session.query(Corner).filter_by(name="二楼").one()
    make_person(1)
    add_reader(browser, 1)
    for entry in (f"corners/{second.id}", "corners/999", "readers/1", "poems/1", f"corners/{2**63}"):
        for part in ("", "/thumbnail", "/remove"):
            assert browser.get(f"{URL}{entry}/files/{file.id}{part}").status_code == 404, (entry, part)
        assert browser.post(f"{URL}{entry}/files/{file.id}/remove").status_code == 404
    assert browser.get(f"{address}{2**63}").status_code == 404
    assert browser.get(f"{address}{file.id}/thumbnail").status_code == 404  # there is none yet
    assert file.removed_at is None


def test_another_union_sees_and_touches_nothing(browser: Browser, address: str, as_user: AsUser) -> None:
    send(browser, address)
    (file,) = files()
    other = as_user("clerk", "6102")
    assert other.get(address).status_code == 404
    assert send(other, address, content=PDF + b"x").status_code == 404
    for part in ("", "/thumbnail", "/remove"):
        assert other.get(f"{address}{file.id}{part}").status_code == 404
    assert other.post(f"{address}{file.id}/remove").status_code == 404
    assert [action for action, _subject in actions()] == ["file.attach"]


def test_another_sponsors_year_does_not_lead_to_it(
    browser: Browser, address: str, small_tree: dict[str, Org], as_user: AsUser
) -> None:
    send(browser, address)
    (file,) = files()
    enable(SYSTEM, "reading_club", 2014, small_tree["6101"], opens_on=date(2014, 1, 1), settings={"grant": 100})
    assert browser.get(f"{address}{file.id}".replace("/61/", "/6101/", 1)).status_code == 404
    assert browser.get(f"{address}{file.id}".replace("/2014/", "/2015/", 1)).status_code == 404


def test_who_may_only_read_reads(browser: Browser, address: str, as_user: AsUser, record: Record) -> None:
    send(browser, address)
    (file,) = files()
    leader = as_user("leader", "61")
    page = leader.get(address).text
    assert "证明.pdf" in page
    assert 'type="file"' not in page and "/remove" not in page
    assert leader.get(f"{address}{file.id}").data == PDF
    assert send(leader, address, content=PDF + b"x").status_code == 403
    assert leader.get(f"{address}{file.id}/remove").status_code == 403
    assert leader.post(f"{address}{file.id}/remove").status_code == 403
    assert len(files()) == 1


def test_services_ask_for_themselves(
    browser: Browser, address: str, record: Record, make_user: MakeUser, store_path: Path
) -> None:
    send(browser, address)
    (file,) = files()
    leader, stranger = make_user("leader", "61"), make_user("clerk", "6102")
    with pytest.raises(Forbidden), (store_path / "x.pdf").open("w+b") as content:
        services.attach(leader, record, "x.pdf", content)
    with pytest.raises(Forbidden):
        services.remove(leader, record, file)
    for use in (services.download, services.thumbnail):
        with pytest.raises(Forbidden):
            use(stranger, record, file)


def test_a_closed_year_is_read_and_not_written(browser: Browser, address: str, clubs: ProgramYear) -> None:
    send(browser, address)
    (file,) = files()
    close(SYSTEM, clubs)
    page = browser.get(address).text
    assert "证明.pdf" in page
    assert 'type="file"' not in page and "/remove" not in page
    assert browser.get(f"{address}{file.id}").data == PDF
    assert send(browser, address, content=PDF + b"x").status_code == 403
    assert browser.get(f"{address}{file.id}/remove").status_code == 403
    assert browser.post(f"{address}{file.id}/remove").status_code == 403
    assert (len(files()), file.removed_at) == (1, None)


def test_what_is_gone_or_damaged_says_so_and_is_no_download(browser: Browser, address: str, store_path: Path) -> None:
    send(browser, address)
    (file,) = files()
    assert file.key
    path = store_path / "attachments" / file.key[:2] / file.key
    for content in (b"nonsense", None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        page = browser.get(f"{address}{file.id}")
        assert page.status_code == 409
        assert "The file is damaged or no longer there." in page.text
    assert [action for action, _subject in actions()] == ["file.attach"]


def test_a_store_that_cannot_be_written_refuses_the_file(browser: Browser, address: str, store_path: Path) -> None:
    store_path.write_text("no folder")
    page = send(browser, address)
    assert page.status_code == 409
    assert "The file could not be stored." in at_field(page)
    assert (files(), actions()) == ([], [])


def test_a_death_between_content_and_row_leaves_a_stray_and_no_row(
    browser: Browser, address: str, record: Record, clerk: User, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object, **_values: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch, (store_path.parent / "x").open("w+b") as content:
        content.write(PDF)
        patch.setattr("core.files.services._written", die)
        with pytest.raises(SystemExit):
            services.attach(clerk, record, "x.pdf", content)
    db.session.rollback()
    assert (files(), len(stored(store_path)), actions()) == ([], 1, [])
    assert send(browser, address).status_code == 302
    assert (len(files()), len(stored(store_path))) == (1, 2)


def test_a_refusal_after_the_content_was_stored_takes_it_away_even_if_the_store_fails_then(
    browser: Browser, address: str, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(browser, address)

    def fail(_store: Store, _key: str) -> None:
        raise PermissionError

    monkeypatch.setattr(Store, "remove", fail)
    assert "attached already" in at_field(send(browser, address))


def test_two_who_remove_a_file_at_once_leave_one_line(
    browser: Browser, address: str, record: Record, clerk: User
) -> None:
    send(browser, address)
    (file,) = files()
    stale = db.session.get_one(File, file.id)
    assert stale.removed_at is None
    with db.engine.begin() as other:
        other.exec_driver_sql("UPDATE core_file SET key = NULL, removed_at = now()")
    services.remove(clerk, record, stale)
    assert [action for action, _subject in actions()] == ["file.attach"]


def test_a_file_that_was_removed_is_not_opened(browser: Browser, address: str, record: Record, clerk: User) -> None:
    send(browser, address)
    (file,) = files()
    services.remove(clerk, record, file)
    for use in (services.download, services.thumbnail):
        with pytest.raises(Refused, match="no longer there"):
            use(clerk, record, file)
