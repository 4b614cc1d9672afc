"""The pages of tasks and of the inbox, the counts in the frame, and where e-mails go."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from core.audit.models import AuditLine
from core.disbursements.testing import SwitchOn
from core.extensions import db
from core.tasks.models import Message, Task
from core.tasks.queries import PAGE
from core.tasks.services import notify
from core.users.access import today
from core.users.models import User
from core.users.testing import AsUser, MakeUser
from core.web.home import WaitingItem, provide_waiting
from tests.tasks.conftest import REVIEW, VISIT, Opener

pytestmark = pytest.mark.services
DAY = timedelta(days=1)


def test_the_home_page_says_what_waits_where_and_until_when(opened: Opener, as_user: AsUser) -> None:
    opened("record:1", "6101", due_on=today() - DAY)
    opened("record:2", "6101", due_on=today())
    opened("record:3", "6101", due_on=today() + DAY)
    page = as_user("reviewer", "6101").get("/").text
    for number in (1, 2, 3):
        assert f"About record:{number}" in page
    assert page.count('href="/orgs/6101"') == 3
    assert page.count("西安市") >= 3
    assert page.count("text-danger small") == 1  # said in words too: due() in macros.html
    assert f"{today() - DAY}" in page
    assert page.index("record:1") < page.index("record:2") < page.index("record:3")


def test_the_menu_counts_what_the_list_holds(app: Flask, opened: Opener, as_user: AsUser) -> None:
    badge = '<span class="badge bg-red text-red-fg ms-auto">'
    assert badge not in as_user("clerk", "6102").get("/").text
    provide_waiting(app, lambda _user: [WaitingItem(title="derived", url="/x", count=4)])
    for number in range(12):
        opened(f"record:{number}")
    page = as_user("reviewer", "6101").get("/").text
    assert f"{badge}16<" in page
    assert page.count("About record") == 10
    assert '<span class="badge bg-orange-lt">2</span>' in page


def test_all_tasks_are_on_their_page_a_page_at_a_time(app: Flask, opened: Opener, as_user: AsUser) -> None:
    provide_waiting(app, lambda _user: [WaitingItem(title="derived", url="/x")])
    for number in range(PAGE + 1):
        opened(f"record:{number:02}")
    browser = as_user("reviewer", "6101")
    first = browser.get("/tasks/").text
    assert first.count("About record") == PAGE
    assert "derived" in first
    place = db.session.scalars(select(Task.id).order_by(Task.id)).all()[PAGE - 1]
    assert f"after=9999-12-31:{place}" in first
    second = browser.get(f"/tasks/?after=9999-12-31:{place}").text
    assert second.count("About record") == 1
    assert "derived" not in second


@pytest.mark.parametrize("place", ["nonsense", "2014-13-01:1", "2014-01-01:x", ":1"])
def test_a_place_that_is_none_is_one_sentence(opened: Opener, as_user: AsUser, place: str) -> None:
    for address in ("/tasks/", "/tasks/overdue"):
        assert as_user("leader").get(f"{address}?after={place}").status_code == 400


def test_tasks_are_filtered_by_program_and_lead_to_their_year(
    opened: Opener, as_user: AsUser, program_year: SwitchOn
) -> None:
    year = program_year("winter_warmth", pool=10_000)
    opened("record:1", "61", kind=VISIT, program_year_id=year.id, address={})
    opened("record:2", "61")
    page = as_user("reviewer").get("/tasks/?program=winter_warmth").text
    assert "Visit the union" in page
    assert 'href="/2014/61/winter_warmth/"' in page
    assert "record:2" not in page
    opened("record:3", "61", program_year_id=year.id, due_on=today() - DAY)
    opened("record:4", "61", due_on=today() - DAY)
    overdue = as_user("leader").get("/tasks/overdue?program=winter_warmth").text
    assert "About record:3" in overdue
    assert "About record:4" not in overdue


def test_a_task_whose_page_is_gone_is_shown_without_a_link(opened: Opener, as_user: AsUser) -> None:
    opened("record:1")
    task = db.session.scalars(select(Task)).one()
    task.kind = "gone.kind"
    db.session.commit()
    page = as_user("reviewer", "6101").get("/tasks/").text
    assert "gone.kind" in page
    assert '<div class="list-group-item d-flex' in page


def test_a_supervisor_urges_from_the_list_of_what_is_overdue(
    opened: Opener, as_user: AsUser, make_user: MakeUser
) -> None:
    doer = make_user("reviewer", "6101")
    opened("record:1", due_on=today() - DAY)
    opened("record:2", due_on=today())
    task_id = db.session.scalars(select(Task.id).order_by(Task.id)).first()
    browser = as_user("leader")
    page = browser.get("/tasks/overdue").text
    assert f"/tasks/{task_id}/urge" in page
    assert "About record:1" in page
    assert "About record:2" not in page
    assert browser.post(f"/tasks/{task_id}/urge").status_code == 302
    assert "About record:1" in as_user(doer).get("/inbox/").text
    assert "alert-danger" in browser.post(f"/tasks/{task_id}/urge", follow_redirects=True).text
    assert as_user("leader", "6102").post(f"/tasks/{task_id}/urge").status_code == 404
    assert as_user("clerk").post(f"/tasks/{task_id}/urge").status_code == 403


@pytest.fixture
def told(app: Flask, make_user: MakeUser) -> User:
    """A clerk with two messages."""
    user = make_user("clerk")
    for number in (1, 2):
        notify(REVIEW, [user.id], f"record:{number}", data={"title": f"Told {number}"}, address={"code": "61"})
    db.session.commit()
    return user


def test_the_inbox_shows_the_newest_first_and_counts_what_is_unread(told: User, as_user: AsUser) -> None:
    browser = as_user(told)
    page = browser.get("/inbox/").text
    assert page.index("Told 2") < page.index("Told 1")
    assert '<span class="badge bg-red text-red-fg">2</span>' in page
    first, second = db.session.scalars(select(Message.id).order_by(Message.id))
    response = browser.post(f"/inbox/{first}")
    assert response.headers["Location"] == "/orgs/61"
    assert '<span class="badge bg-red text-red-fg">1</span>' in browser.get("/").text
    browser.post("/inbox/read")
    assert '<span class="badge bg-red text-red-fg">' not in browser.get("/inbox/").text
    assert [message.read_at is not None for message in db.session.scalars(select(Message))] == [True, True]
    assert "Told 1" not in browser.get(f"/inbox/?before={first}").text
    assert "Told 1" in browser.get(f"/inbox/?before={second}").text


def test_nobody_reads_the_messages_of_another(told: User, as_user: AsUser) -> None:
    browser = as_user("clerk")
    message_id = db.session.scalars(select(Message.id)).first()
    assert "Told" not in browser.get("/inbox/").text
    assert browser.post(f"/inbox/{message_id}").status_code == 404
    browser.post("/inbox/read")
    assert all(message.read_at is None for message in db.session.scalars(select(Message)))


def test_a_message_of_a_year_that_is_off_leads_nowhere(told: User, as_user: AsUser, program_year: SwitchOn) -> None:
    year = program_year("winter_warmth", pool=10_000)
    notify(VISIT, [told.id], "record:3", program_year_id=year.id)
    db.session.commit()
    message_id = db.session.scalars(select(Message.id).where(Message.kind == VISIT.code)).one()
    browser = as_user(told)
    assert browser.post(f"/inbox/{message_id}").headers["Location"] == "/2014/61/winter_warmth/"
    year.enabled = False
    db.session.commit()
    assert browser.post(f"/inbox/{message_id}").headers["Location"] == "/inbox/"


def test_a_user_says_where_and_when_mails_go(as_user: AsUser, make_user: MakeUser) -> None:
    user = make_user("clerk")
    browser = as_user(user)
    browser.post("/account/mail", data={"email": " me@union.example ", "mailing": "each"})
    assert (user.email, user.mailing) == ("me@union.example", "each")
    assert "me@union.example" in browser.get("/account").text
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "user.mail")).one()
    assert "union.example" not in str(line.data)
    browser.post("/account/mail", data={"email": "", "mailing": "none"})
    assert (user.email, user.mailing) == (None, "none")


@pytest.mark.parametrize(
    "email", ["me", "me@", "@union.example", "me@union.example\nBcc: x@y.example", "我@union.example"]
)
def test_what_is_no_address_is_refused_at_its_field(as_user: AsUser, make_user: MakeUser, email: str) -> None:
    user = make_user("clerk")
    response = as_user(user).post("/account/mail", data={"email": email, "mailing": "each"})
    assert response.status_code == 400
    assert 'id="email-errors"' in response.text
    assert (user.email, user.mailing) == (None, "daily")


def test_who_manages_users_says_it_for_them_and_nobody_else_does(as_user: AsUser, make_user: MakeUser) -> None:
    user, higher = make_user("clerk", "6101"), make_user("clerk", "61")
    admin = as_user("admin", "6101")
    data = {"email": "clerk@union.example", "mailing": "daily"}
    assert admin.post(f"/admin/users/{user.id}/mail", data=data).status_code == 302
    assert user.email == "clerk@union.example"
    assert "clerk@union.example" in admin.get(f"/admin/users/{user.id}").text
    assert admin.post(f"/admin/users/{user.id}/mail", data={"email": "x"}).status_code == 400
    assert admin.post(f"/admin/users/{higher.id}/mail", data=data).status_code == 404
    assert higher.email is None
