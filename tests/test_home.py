"""The menu and the home page, which areas add to."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import lazy_gettext as _l

from core.org.models import Org
from core.users.models import User
from core.users.testing import AsUser, MakeUser
from core.web.home import COUNT_KEPT, Panel, WaitingItem, provide_panel, provide_waiting
from core.web.labels import STATES, label_of
from core.web.navigation import ITEMS, NavItem, menu_for

pytestmark = pytest.mark.services
EARLY, LATE = datetime(2014, 1, 1, tzinfo=UTC), datetime(2014, 1, 9, tzinfo=UTC)


def endpoints(user: User, items: tuple[NavItem, ...] = ITEMS) -> set[str | None]:
    entries = [child for item in menu_for(user, items) for child in item.children or (item,)]
    return {entry.endpoint for entry in entries}


def test_the_menu_holds_only_what_the_user_may_open(small_tree: dict[str, Org], make_user: MakeUser) -> None:
    assert endpoints(make_user(None)) == {"home.index", "tasks.index", "exports.index"}
    assert not endpoints(make_user("clerk")) & {"users_admin.index", "audit.index"}
    assert "audit.index" in endpoints(make_user("auditor"))
    assert endpoints(make_user("admin")) >= {"users_admin.index", "audit.index", "org.index"}


def test_the_menu_leaves_out_pages_that_do_not_exist(app: Flask, make_user: MakeUser) -> None:
    items = (
        NavItem(title=_l("Home"), endpoint="no.such", icon="x"),
        NavItem(
            title=_l("Users"), endpoint=None, icon="x", children=(NavItem(title=_l("Home"), endpoint="no", icon="x"),)
        ),
    )
    assert menu_for(make_user("admin"), items) == []


def test_what_waits_is_shown_oldest_first_and_nothing_with_none(app: Flask, as_user: AsUser) -> None:
    provide_waiting(
        app, lambda _user: [WaitingItem(title="undated", url="/a"), WaitingItem(title="new", url="/b", since=LATE)]
    )
    provide_waiting(app, lambda _user: [WaitingItem(title="old", url="/c", count=7, since=EARLY)])
    provide_waiting(app, lambda _user: [WaitingItem(title="nothing", url="/d", count=0, since=EARLY)])
    page = as_user("clerk").get("/").text
    assert page.index("old") < page.index('href="/b"') < page.index("undated")
    assert "nothing" not in page


def test_providers_are_asked_for_the_user_who_looks(app: Flask, as_user: AsUser, make_user: MakeUser) -> None:
    asked: list[int] = []
    provide_waiting(app, lambda user: asked.append(user.id) or [])  # type: ignore[func-returns-value]
    user = make_user("clerk")
    as_user(user).get("/")
    assert asked == [user.id]


def test_the_menu_counts_anew_each_minute_and_after_a_change(
    app: Flask, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, clock = [3], [1_000_000.0]
    provide_waiting(app, lambda _user: [WaitingItem(title="entries", url="/a", count=count[0])])
    monkeypatch.setattr("core.web.home.time.time", lambda: clock[0])
    browser = as_user("clerk")

    def menu(path: str = "/people") -> str:
        page = browser.get(path).text
        return page.partition('<span class="badge bg-red text-red-fg ms-auto">')[2].partition("<")[0]

    assert menu() == "3"
    count[0] = 4
    clock[0] += COUNT_KEPT - 1
    assert menu() == "3"
    assert (menu("/"), menu()) == ("4", "4")
    count[0] = 5
    assert (menu("/tasks/"), menu()) == ("5", "5")
    count[0] = 6
    assert browser.post("/inbox/nothing").status_code == 404  # what is refused has changed nothing
    assert menu() == "5"
    browser.post("/inbox/read")
    assert menu() == "6"
    count[0] = 7
    clock[0] += COUNT_KEPT
    assert menu() == "7"


def test_an_area_without_anything_to_show_leaves_no_trace(app: Flask, as_user: AsUser) -> None:
    provide_panel(app, lambda _user: None)
    provide_panel(app, lambda _user: Panel(template="errors/fragment.html", context={}))
    page = as_user("clerk").get("/")
    assert page.status_code == 200
    assert page.text.count("alert-danger") == 1


def test_the_person_is_always_named_with_org_and_role(as_user: AsUser) -> None:
    page = as_user("clerk", "6101").get("/").text
    for expected in ("测试clerk", "西安市总工会"):
        assert expected in page


def test_an_unknown_state_reads_as_itself() -> None:
    assert label_of("run", "brand-new").title == "brand-new"
    assert set(STATES) >= {"run", "job", "program_year"}
