"""The list of a million people, asked as a browser asks it, against the same page with fifty rows that stand fixed.

The floor renders the same template, whole or the part that htmx asks for, for the same user, without asking for a row.
Each figure is the median, or the 95th percentile, of so many requests, taken by turns.
"""

import statistics
from collections.abc import Callable, Mapping
from datetime import date
from time import perf_counter

from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import select, text

from bench.harness import Bench, Work
from bench.people import DIVISIONS, SEED
from core.audit.services import SYSTEM
from core.extensions import db
from core.lists.filters import Reading
from core.lists.forms import NameForm
from core.lists.paging import token_of
from core.lists.queries import PAGE, Page, order_of
from core.lists.types import Line
from core.lists.views import Frame, ListPage, Shown, render_list
from core.org.models import Org
from core.org.queries import by_code
from core.org.scope import Scope
from core.org.services import load_divisions
from core.people.forms import IdNumberForm
from core.people.listing import PEOPLE
from core.people.making import make_people, people_of
from core.people.models import Person
from core.plugin.tables import owner_engine
from core.users.services import GrantRequest, create_user
from core.users.testing import PASSWORD, Browser

COUNT = 1_000_000
REQUESTS = 40
FAR = 10_000
AS_HTMX = {"HX-Request": "true", "HX-Target": "list"}
Ask = Callable[[], object]


def fixed_page() -> Shown:
    """The page of people with fifty rows that no query brought."""
    values = {
        "name": "王小芳", "gender": "F", "born_on": date(1985, 5, 5), "org": "西安市新城区西一路街道总工会",
        "id_number": "0027", "phone": "1234", "bank_account": "0123",
    }  # fmt: skip
    path = "/61/6101/610102/"
    page = Page([Line(number, path, values, path) for number in range(PAGE)], has_previous=False, has_next=True)
    columns = [column for column in PEOPLE.columns if not column.hidden]
    frame = Frame(index="/people", change="/people/view", link=lambda line: f"/people/{line.id}")
    reading = Reading(PEOPLE, Scope(), request.args)
    whole = ListPage(
        listing=PEOPLE, frame=frame, reading=reading, columns=columns, views=(), page=page, number=IdNumberForm(),
        name=NameForm(), totals=None, is_first=True,
    )  # fmt: skip
    return render_list("lists/_list.html" if request.headers.get("HX-Target") == "list" else "lists/page.html", whole,
                       200, {})  # fmt: skip


def _province() -> Org:
    province = by_code("61")
    if province is None:
        raise LookupError("the divisions have no province")
    return province


def on_file(app: Flask) -> FlaskClient:
    """A browser of somebody who sees everybody; the people are made once for all benches."""
    if "bench.fixed" not in app.view_functions:
        app.add_url_rule("/bench/fixed", "bench.fixed", fixed_page)
    app.test_client_class = Browser
    if by_code("61") is None:
        load_divisions(SYSTEM, DIVISIONS)
        province = _province()
        make_people(SYSTEM, COUNT, SEED, province)
        create_user(
            SYSTEM, "bench", "bench", PASSWORD, province, [GrantRequest(role="clerk", org=province)], first=False
        )
        with owner_engine() as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    browser = app.test_client()
    browser.post("/login", data={"username": "bench", "password": PASSWORD})
    return browser


def _percentile(share: float) -> Callable[[list[float]], float]:
    return lambda seconds: sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


def measured(ask: Ask, of: Callable[[list[float]], float]) -> Callable[[], float]:
    def asked() -> float:
        seconds = []
        for _again in range(REQUESTS):
            before = perf_counter()
            ask()
            seconds.append(perf_counter() - before)
        return of(seconds)

    ask()  # templates are compiled and the pages of the database read once
    return asked


def get(browser: FlaskClient, url: str, headers: Mapping[str, str] | None = None) -> Ask:
    def ask() -> None:
        answer = browser.get(url, headers=headers)
        if answer.status_code != 200 or "<tbody>" not in answer.text:
            raise AssertionError(f"{url} answers {answer.status_code}, or has no rows")

    return ask


def _far_page() -> str:
    """The address of page 10,000, as somebody would have it who had turned so many pages."""
    order = order_of(PEOPLE, PEOPLE.order)
    if order is None:
        raise LookupError("the list has no order")
    keys = select(order.key, Person.id).order_by(order.key, Person.id)
    value, row_id = db.session.execute(keys.offset(PAGE * (FAR - 1) - 1).limit(1)).one()
    return f"/people?after={token_of(order, value, row_id)}"


def _by_number(browser: FlaskClient) -> Ask:
    """Sending an identity number, which no address may hold, and getting the list of one as htmx puts it in place."""
    number = next(people_of(SEED, _province())).id_number

    def ask() -> None:
        answer = browser.post("/people/view", data={"do": "find", "id_number": number}, headers=AS_HTMX)
        rows = answer.text.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr>")
        if (answer.status_code, rows) != (200, 1):
            raise AssertionError(f"the number answers {answer.status_code}, or has not one row")

    return ask


PAGES: dict[str, Callable[[FlaskClient], Ask]] = {
    "first": lambda browser: get(browser, "/people"),
    "filtered": lambda browser: get(browser, "/people?org=6101&f-gender=F&f-born_on-from=1980-01-01"),
    "initials": lambda browser: get(browser, "/people?text=wf"),
    "number": _by_number,
    "far": lambda browser: get(browser, _far_page()),
    "sorted": lambda browser: get(browser, "/people?sort=-name"),
}


def _prepare(name: str, of: Callable[[list[float]], float]) -> Callable[[Flask], Work]:
    def prepare(app: Flask) -> Work:
        browser = on_file(app)
        fixed = get(browser, "/bench/fixed", AS_HTMX if name == "number" else None)
        return Work(run=measured(PAGES[name](browser), of), floor=measured(fixed, of))

    return prepare


BENCHES = [
    Bench(f"lists.{name}.{figure}", n=COUNT, aim=2, prepare=_prepare(name, of), share="lists")
    for name in PAGES
    for figure, of in (("median", statistics.median), ("p95", _percentile(0.95)))
]
