"""The pages of the audit trail: filters, scope, one line with its links, the file, and who looked at whom."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.queries import looks_at, seal_of
from core.audit.sealing import seal
from core.audit.services import SYSTEM, record
from core.exports.models import Export
from core.extensions import db
from core.lists.queries import PAGE
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.people.services import PersonRow, register_people
from core.users.testing import AsUser, MakeUser
from core.web.filters import local_time
from tests.registers.conftest import id_number

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]
NUMBER, STRANGER = id_number(1), id_number(2)
EVERYTHING = Scope.of(["/61/"])


@pytest.fixture
def lines(app: Flask, small_tree: dict[str, Org]) -> None:
    """More than one page of lines of the province, and one of each of two cities."""
    for number in range(PAGE + 1):
        record(SYSTEM, "run.compute", f"run:{number}", "/61/")
    record(SYSTEM, "run.approve", "run:4", "/61/6101/", comment="同意")
    record(SYSTEM, "job.retry", "job:4", "/61/6102/")
    db.session.commit()


@pytest.fixture
def person(app: Flask, small_tree: dict[str, Org]) -> int:
    """Somebody on file in a county: the id."""
    register_people(SYSTEM, [PersonRow(org_code="610102", name="王秀英", id_number=NUMBER)], Scope(("/",)))
    return db.session.scalars(select(Person.id)).one()


def last(action: str) -> AuditLine:
    query = select(AuditLine).where(AuditLine.action == action).order_by(AuditLine.id.desc()).limit(1)
    return db.session.scalars(query).one()


def test_pages_go_on_where_the_last_one_ended(lines: None, as_user: AsUser) -> None:
    browser = as_user("auditor")
    page = browser.get("/admin/audit/").text
    found = set(re.findall(r">(run:[0-9]+)<", page))
    (after,) = re.findall(r"after=[^\"&]+", page)
    found |= set(re.findall(r">(run:[0-9]+)<", browser.get(f"/admin/audit/?{after}").text))
    assert found == {f"run:{number}" for number in range(PAGE + 1)}


@pytest.mark.parametrize(
    ("asked", "there", "gone"),
    [
        ({"f-object": "job:4"}, ["job:4"], ["run:4"]),
        ({"f-object": "run:4", "f-object-how": "begins"}, ["run:4", "run:49"], ["job:4", "run:5<"]),
        ({"f-code": "run.approve"}, ["run:4"], ["run:5", "job:4"]),
        ({"f-group": "job"}, ["job:4"], ["run:4"]),
        ({"org": "6101"}, ["run:4", "同意"], ["run:5", "job:4"]),
        ({"text": "system"}, ["run:4", "job:4"], ["user.login"]),
        ({"text": "run:4"}, ["run:4<"], ["run:40", "job:4"]),
        ({"text": "nobody"}, [], ["run:4", "job:4"]),
        ({"f-kind": "search"}, [], ["run:4", "job:4"]),
        ({"f-at-from": "2014-01-01", "f-at-to": "2014-12-31"}, [], ["run:4"]),
        ({"f-at-from": "2014-01-01"}, ["run:4"], []),
        ({"f-code": "%"}, [], ["run:4"]),
    ],
)
def test_filters(lines: None, as_user: AsUser, asked: dict[str, str], there: list[str], gone: list[str]) -> None:
    page = as_user("auditor").get("/admin/audit/", query_string=asked).text
    table = page[page.find("<tbody>") :] if "<tbody>" in page else ""
    for word in there:
        assert word in table, word
    for word in gone:
        assert word not in table, word


def test_a_city_reads_its_own_lines_only(lines: None, as_user: AsUser) -> None:
    browser = as_user("auditor", "6101")
    page = browser.get("/admin/audit/").text
    assert "同意" in page
    assert "job:4" not in page and "run:5" not in page
    strange = last("job.retry").id
    assert browser.get(f"/admin/audit/{strange}").status_code == 404
    assert browser.get(f"/admin/audit/{last('run.approve').id}").status_code == 200


def test_a_clerk_reads_no_audit_trail(lines: None, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert browser.get("/admin/audit/").status_code == 403
    assert browser.get(f"/admin/audit/{last('run.approve').id}").status_code == 403


def test_a_nonsense_position_is_refused_with_a_sentence(lines: None, as_user: AsUser) -> None:
    answer = as_user("auditor").get("/admin/audit/?after=x")
    assert answer.status_code == 400
    assert "run:4" in answer.text


def test_a_line_says_all_it_knows(lines: None, as_user: AsUser) -> None:
    browser = as_user("auditor", "61")
    line = last("run.approve")
    page = browser.get(f"/admin/audit/{line.id}").text
    assert "同意" in page and "西安市总工会" in page
    assert seal_of(line) is None
    seal()
    sealed = seal_of(last("run.approve"))
    assert sealed is not None and sealed[0] == 1
    assert local_time(sealed[1]) in browser.get(f"/admin/audit/{line.id}").text


def test_the_object_is_a_link_where_the_reader_may_open_it(
    person: int, make_user: MakeUser, as_user: AsUser, small_tree: dict[str, Org]
) -> None:
    record(SYSTEM, "people.correct", f"person:{person}", small_tree["610102"].path)
    record(SYSTEM, "user.mail", f"user:{make_user('clerk', '610102').id}", small_tree["610102"].path)
    db.session.commit()
    browser = as_user("auditor", "61")
    assert f'href="/people/{person}"' in browser.get(f"/admin/audit/{last('people.correct').id}").text
    assert 'href="/admin/users/' not in browser.get(f"/admin/audit/{last('user.mail').id}").text
    admin = as_user("admin", "61")
    assert 'href="/admin/users/' in admin.get(f"/admin/audit/{last('user.mail').id}").text


def test_the_file_holds_the_lines_in_scope_and_is_itself_a_line(
    lines: None, as_user: AsUser, run_jobs: Callable[[], int]
) -> None:
    browser = as_user("auditor", "6101")
    columns = ["at", "actor", "action", "object", "org", "data"]
    answer = browser.post("/exports/new?list=audit&f-group=run", data={"kind": "csv", "columns": columns})
    assert answer.status_code == 302, answer.text
    run_jobs()
    export = db.session.scalars(select(Export)).one()
    text = browser.get(f"/exports/{export.id}/file").data.decode("utf-8-sig")
    assert "run:4" in text and "同意" in text
    assert "run:5" not in text and "job:4" not in text
    assert last("export.ask").data["list"] == last("export.download").data["list"] == "audit"
    assert last("export.download").data["rows"] == 1


def test_opening_a_file_and_searching_are_on_record_without_what_was_searched_for(
    person: int, as_user: AsUser, small_tree: dict[str, Org]
) -> None:
    browser = as_user("clerk", "610102")
    assert browser.get(f"/people/{person}").status_code == 200
    seen = last("people.file_shown")
    assert (seen.object, seen.org_path) == (f"person:{person}", small_tree["610102"].path)
    assert len(seen.reference or "") == 10 and seen.address == "127.0.0.1"
    browser.get("/people")
    assert db.session.scalar(select(AuditLine.id).where(AuditLine.action == "list.search")) is None
    browser.get("/people", query_string={"text": "王秀英", "f-gender": "F", "f-born_on-from": "1960-01-01"})
    assert last("list.search").data == {"filters": 2, "by_name": True}
    browser.post("/people/view", data={"do": "find", "id_number": NUMBER})
    assert (last("list.find").object, last("list.find").data["found"]) == (f"person:{person}", True)
    browser.post("/people/view", data={"do": "find", "id_number": STRANGER})
    assert (last("list.find").object, last("list.find").data["found"]) == ("list:people", False)
    said = "".join(str((line.object, line.data)) for line in db.session.scalars(select(AuditLine)))
    assert "王秀英" not in said and NUMBER not in said and "1960-01-01" not in said


def test_who_may_not_see_somebody_leaves_no_look(person: int, as_user: AsUser) -> None:
    assert as_user("clerk", "6102").get(f"/people/{person}").status_code == 404
    assert db.session.scalar(select(AuditLine.id).where(AuditLine.action == "people.file_shown")) is None


def test_who_looked_at_somebody(person: int, as_user: AsUser) -> None:
    browser = as_user("clerk", "610102")
    browser.get(f"/people/{person}")
    browser.post("/people/view", data={"do": "find", "id_number": NUMBER})
    record(SYSTEM, "people.correct", f"person:{person}", "/61/6101/610102/")
    db.session.commit()
    assert {line.action for line in looks_at(EVERYTHING, person)} == {"list.find", "people.file_shown"}
    assert list(looks_at(Scope.of(["/61/6102/"]), person)) == []
    assert list(looks_at(EVERYTHING, person + 1)) == []


def test_who_reaches_no_union_leaves_a_line_too(as_user: AsUser, make_user: MakeUser) -> None:
    """Somebody without a role does not get to read it; it is written all the same, and so is what they did."""
    user = make_user(None, "610102")
    assert as_user(user).post("/account/mail", data={"email": "me@union.example", "mailing": "none"}).status_code == 302
    assert (last("user.mail").user_id, last("user.mail").org_path) == (user.id, user.org_path)


def test_a_failed_login_is_on_record_and_names_nobody(make_user: MakeUser, app: Flask) -> None:
    user = make_user("clerk", "610102", username="li.na")
    browser = app.test_client()
    for name in ("li.na", "nobody-has-this"):
        assert browser.post("/login", data={"username": name, "password": "wrong"}).status_code == 401
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "user.login_failed").order_by(AuditLine.id))
    assert [(line.object, line.user_id) for line in lines] == [(f"user:{user.id}", None), ("user:unknown", None)]
    assert last("user.login_failed").org_path == "/61/"
    assert "nobody-has-this" not in str([line.data for line in db.session.scalars(select(AuditLine))])
