"""A plugin that means harm, or was written in a hurry: past the gate, past the walls, by SQL of its own."""

from collections.abc import Callable
from datetime import date

import pluggy
import pytest
from flask import Blueprint, Flask, g
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from core.audit.services import SYSTEM
from core.config import settings_of
from core.extensions import db
from core.jobs.services import enqueue
from core.org.models import Org
from core.org.scope import Scope
from core.people.services import PersonRow, register_people
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec, Program
from core.programs.services import enable
from core.users.testing import AsUser, Browser, MakeUser

pytestmark = pytest.mark.services
NUMBERS = {"610102": "610102196001010020", "610103": "610102196001010046", "6102": "610102196001010062"}
hookimpl = pluggy.HookimplMarker("zhijia")
seen: list[object] = []


def look() -> list[str]:
    """What raw SQL sees of people."""
    return sorted(db.session.scalars(text("SELECT name FROM core_person")))


class Spy:
    """A plugin whose every hook looks at all people."""

    @hookimpl
    def programs(self) -> list[Program]:
        """One."""
        return [Program(code="spy", title="Spy", title_zh="看", title_en="Spy")]

    @hookimpl
    def menu_items(self) -> list[object]:
        """Looks, and shows nothing."""
        seen.extend(look())
        return []

    @hookimpl
    def dashboard_cards(self) -> list[object]:
        """Looks, and shows nothing."""
        seen.extend(look())
        return []


@pytest.fixture
def plugins() -> dict[str, object]:
    """The one that looks."""
    seen.clear()
    return {"spy": Spy()}


@pytest.fixture
def people(small_tree: dict[str, Org]) -> None:
    """Somebody on file at three unions, and the program switched on."""
    rows = [PersonRow(org_code=code, name=f"王{code}", id_number=number) for code, number in NUMBERS.items()]
    register_people(SYSTEM, rows, Scope(("/",)))
    enable(SYSTEM, "spy", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})


def test_a_hook_sees_as_far_as_the_reader(people: None, as_user: AsUser) -> None:
    """Wants to read all people in a hook that only fills the menu and the home page."""
    browser = as_user("clerk", "610102")
    seen.clear()
    for path in ("/", "/2014/61/spy/", "/people"):
        assert browser.get(path).status_code == 200
    assert set(seen) == {"王610102"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT set_config('zhijia.reach', '|1|all|||', false)",
        "SET zhijia.reach = 'all'",
        "SET LOCAL zhijia.reach = '/61/'",
        "SET SESSION AUTHORIZATION DEFAULT",
        "RESET ROLE",
        "RESET ALL",
        "DISCARD ALL",
        "SET row_security = off",
        "SET search_path = pg_catalog, zhijia, public",
        "CREATE TEMP TABLE core_person AS SELECT 1",
        "CREATE TEMP VIEW everybody AS SELECT * FROM core_person",
        "CREATE TABLE public.copy AS SELECT * FROM core_person",
        "CREATE FUNCTION pg_temp.all_of_them() RETURNS SETOF core_person LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT * FROM core_person'",
        "COPY core_person TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO '/tmp/zhijia-attack'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "TRUNCATE core_audit",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "SELECT * FROM pg_authid",
        "DROP TRIGGER IF EXISTS x ON core_entry; DROP TABLE core_entry",
        "SELECT dblink('dbname=postgres', 'SELECT 1')",
    ],
)
def test_no_statement_of_a_page_widens_what_is_seen(people: None, app: Flask, as_user: AsUser, statement: str) -> None:
    """Wants more than the reader may see, by whatever SQL a view of a plugin sends."""

    def view() -> str:
        try:
            db.session.execute(text(statement))
        except DBAPIError:
            db.session.rollback()
        try:
            names = db.session.scalars(text("SELECT t::text FROM core_person t")).all()
        except DBAPIError:
            db.session.rollback()
            names = []
        return " ".join(map(str, names))

    app.add_url_rule("/widened", "widened", view)
    shown = as_user("clerk", "610102").get("/widened").text
    assert "王610103" not in shown
    assert "王6102," not in shown
    assert db.session.execute(text("SELECT count(*) FROM core_person")).scalar() == 3
    assert db.session.execute(text("SELECT count(*) FROM core_audit")).scalar()


def test_an_engine_of_its_own_sees_nobody(people: None) -> None:
    """Wants to go past the house with the address of the database, which every process knows."""
    engine = create_engine(settings_of().database_url or "")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM core_person")).scalar() == 0
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT inside FROM core_wall"))
    engine.dispose()


def test_a_job_without_anybody_behind_it_sees_nobody(
    people: None, run_jobs: Callable[[], int], make_user: MakeUser
) -> None:
    """Wants a job to read what its page may not: asked for by the house, by a county, for another union's path."""
    found: dict[str, list[str]] = {}

    def spy(_context: object, *, who: str) -> None:
        found[who] = look()

    registry_of().jobs["spy.look"] = JobSpec(name="spy.look", title="look", func=spy)
    county = make_user("clerk", "610102")
    enqueue("spy.look", SYSTEM, "/61/", args={"who": "nobody"})
    enqueue("spy.look", county, "/61/", args={"who": "county"})
    enqueue("spy.look", county, "/61/6102/", args={"who": "elsewhere"})
    run_jobs()
    assert found == {"nobody": [], "county": ["王610102"], "elsewhere": ["王610102"]}


def test_a_route_added_later_still_asks_who_is_there(people: None, app: Flask, client: Browser) -> None:
    """Wants a page that the gate does not know: added to the app at run time, with a name of the core's, or over one
    of its addresses.
    """
    app.add_url_rule("/people", "people.index2", lambda: "planted")
    app.add_url_rule("/free", "free", lambda: " ".join(look()))
    app.add_url_rule("/2014/61/spy/free", "spy.free", lambda: "planted")
    for path in ("/free", "/2014/61/spy/free"):
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/login")
    with pytest.raises(AssertionError):
        app.add_url_rule("/other", "people.index", lambda: "planted")
    assert "planted" not in client.get("/people").text


def test_what_a_view_leaves_in_the_request_is_gone_with_it(people: None, app: Flask, as_user: AsUser) -> None:
    """Wants the next request on the same connection to see as far as an administrator who came before."""
    app.add_url_rule("/mine", "mine", lambda: f"{' '.join(look())} {len(vars(g))}")
    wide, narrow = as_user("admin", "61"), as_user("clerk", "610102")
    for _time in range(3):
        assert "王6102" in wide.get("/mine").text.split()
        assert narrow.get("/mine").text.split()[:-1] == ["王610102"]


def test_a_blueprint_of_another_name_is_not_taken(app: Flask) -> None:
    """Wants its pages to stand beside those of the core, out of reach of the gate that goes by program."""
    before = set(app.blueprints)
    with pytest.raises((AssertionError, ValueError)):
        app.register_blueprint(Blueprint("users", __name__), url_prefix="/x")
    assert set(app.blueprints) == before
