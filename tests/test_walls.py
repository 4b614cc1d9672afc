"""Wall two: whatever the database is asked, it shows and takes what is in reach, and nothing where nothing was said."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest
from click.testing import Result
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import Select, column, func, inspect, select, table, text
from sqlalchemy.exc import DBAPIError, OperationalError

from core import create_app
from core.audit.services import SYSTEM
from core.config import Settings
from core.database import metadata
from core.errors import ConfigError
from core.extensions import db
from core.jobs.services import enqueue
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person, PersonPlace
from core.people.services import PersonRow, register_people
from core.plugin.registry import registry_of
from core.plugin.tables import migrate_all, owner_engine
from core.plugin.types import JobSpec
from core.plugin.walls import policies_of, wall_of
from core.users.access import reach_of
from core.users.models import User
from core.users.testing import AsUser, MakeUser
from core.wall import NOTHING, SETTING, Reach, beyond, beyond_scope, reach_as, reach_now

pytestmark = pytest.mark.services
#: Tables whose rows are nobody's, besides those that only the owner of the tables reads.
KEY = "core_wall"
NUMBERS = {"610102": "610102196001010020", "610103": "610102196001020026", "6102": "610102196001030021"}


@pytest.fixture
def people(small_tree: dict[str, Org]) -> dict[str, int]:
    """Somebody on file at three unions: code -> id."""
    rows = [PersonRow(org_code=code, name=f"王{code}", id_number=number) for code, number in NUMBERS.items()]
    register_people(SYSTEM, rows, Scope(("/",)))
    found = db.session.query(Person.name, Person.id)
    return {name.removeprefix("王"): number for name, number in found}


@pytest.fixture
def as_far_as() -> Iterator[Callable[[Reach], None]]:
    """See only so far for the rest of the test."""
    yield reach_as
    db.session.rollback()
    reach_as(Reach(beyond="a test"))


def names() -> set[str]:
    return set(db.session.scalars(text("SELECT name FROM core_person")))


def tables() -> list[str]:
    return sorted(name for name in inspect(db.engine).get_table_names() if not name.endswith("_alembic"))


def test_every_table_has_the_policies_that_its_model_says(app: Flask) -> None:
    there: Select[bool, str] = select(column("relrowsecurity"), column("relname")).select_from(
        table("pg_class", column("relname"))
    )
    enabled = {name for on, name in db.session.execute(there) if on}
    policies = Counter(db.session.scalars(text("SELECT tablename FROM pg_policies")))
    for name in tables():
        if name != KEY:
            assert name in enabled, name
            assert policies[name] == len(policies_of(metadata.tables[name])), name


def test_tables_that_are_nobodys_are_few_and_say_why(app: Flask) -> None:
    """A table more here is a decision: everybody may read all of it."""
    nobodys = {name for name in tables() if name != KEY and wall_of(metadata.tables[name]).reason}
    assert nobodys == {
        "core_activity_template", "core_approval_rule", "core_book", "core_calendar_day", "core_chain_head",
        "core_keys_in_use", "core_org", "core_period", "core_privacy_rule", "core_processing", "core_program_year",
        "core_reopening", "core_schedule_mark", "core_settings_version",
    }  # fmt: skip


def test_where_nothing_was_said_nothing_is_seen(people: dict[str, int], as_far_as: Callable[[Reach], None]) -> None:
    assert len(names()) == 3
    db.session.rollback()
    as_far_as(NOTHING)
    for name in tables():
        if name != KEY and not wall_of(metadata.tables[name]).reason:
            assert db.session.scalar(select(func.count()).select_from(metadata.tables[name])) == 0, name


def test_only_rows_in_reach_are_seen_and_changed(
    people: dict[str, int], make_user: MakeUser, as_far_as: Callable[[Reach], None]
) -> None:
    city, other = reach_of(make_user("clerk", "6101")), reach_of(make_user("clerk", "6102"))
    as_far_as(city)
    assert names() == {"王610102", "王610103"}
    changed = text("UPDATE core_person SET bank_name = 'x'")
    assert db.session.execute(changed).rowcount == 2  # type: ignore[attr-defined]
    db.session.rollback()
    as_far_as(other)
    assert names() == {"王6102"}
    moved = text("UPDATE core_person SET (org_id, org_path) = (SELECT id, path FROM core_org WHERE code = '610102')")
    with pytest.raises(DBAPIError, match="row-level security"):
        db.session.execute(moved)


def test_a_member_of_an_industry_union_is_in_its_reach(
    small_tree: dict[str, Org], make_user: MakeUser, as_far_as: Callable[[Reach], None]
) -> None:
    row = PersonRow(org_code="610102-bus", name="公交", id_number=NUMBERS["610102"])
    register_people(SYSTEM, [row], Scope(("/",)))
    as_far_as(reach_of(make_user("clerk", "61-transport")))
    assert names() == {"公交"}


def test_a_grant_for_one_program_reaches_nothing_on_pages_of_another(
    people: dict[str, int], make_user: MakeUser, as_far_as: Callable[[Reach], None]
) -> None:
    user = make_user("clerk", "610102", program="winter_warmth")
    for program, seen in (("winter_warmth", {"王610102"}), ("mutual_insurance", set()), (None, {"王610102"})):
        as_far_as(reach_of(user, program))
        assert names() == seen, program


def test_a_role_that_ran_out_and_a_closed_account_reach_nothing(
    people: dict[str, int], make_user: MakeUser, as_far_as: Callable[[Reach], None]
) -> None:
    user = make_user("clerk", "610102")
    user.grants[0].until = date(2014, 1, 1)
    db.session.commit()
    as_far_as(reach_of(user))
    assert names() == set()
    reach_as(Reach(beyond="a test"))
    user.grants[0].until, user.active = None, False
    db.session.commit()
    as_far_as(reach_of(user))
    assert names() == set()


def test_what_is_ones_own_is_seen_wherever_one_belongs(
    small_tree: dict[str, Org], make_user: MakeUser, as_far_as: Callable[[Reach], None]
) -> None:
    reach, other_id = reach_of(make_user(None, "610102", username="mine")), make_user("clerk", "610103").id
    as_far_as(reach)
    users = set(db.session.scalars(text("SELECT username FROM core_user")))
    assert users == {"mine"}
    assert db.session.scalar(select(User.id).where(User.id == other_id)) is None


def test_who_decides_above_is_seen_and_not_changed(
    small_tree: dict[str, Org], make_user: MakeUser, as_far_as: Callable[[Reach], None]
) -> None:
    make_user("reviewer", "61", username="above")
    make_user("reviewer", "6102", username="beside")
    as_far_as(reach_of(make_user("clerk", "610102", username="mine")))
    assert set(db.session.scalars(text("SELECT username FROM core_user"))) == {"above", "mine"}
    renamed = db.session.execute(text("UPDATE core_user SET name = 'x' WHERE username = 'above'"))
    assert renamed.rowcount == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "forged",
    [
        "x" * 64 + "|{backend}|all||/|",
        "|{backend}|all||/|",
        "{signed}x",
        "{elsewhere}",
        "/61/",
        "",
    ],
)
def test_a_statement_cannot_widen_its_reach(
    people: dict[str, int], as_far_as: Callable[[Reach], None], forged: str
) -> None:
    """Neither with a text of its own, nor with one that was signed for another connection or for less."""
    as_far_as(Reach(("/61/6101/610102/",)))
    assert names() == {"王610102"}
    backend = db.session.scalar(text("SELECT pg_backend_pid()"))
    signed = db.session.scalar(text(f"SELECT current_setting('{SETTING}')"))
    elsewhere = Reach(beyond="all").signed(current_app.extensions["zhijia_wall"], int(backend or 0) + 1)
    said = forged.format(backend=backend, signed=signed, elsewhere=elsewhere)
    widened = "SELECT name FROM core_person WHERE set_config(:setting, :said, true) IS NOT NULL"
    db.session.execute(text(widened), {"setting": SETTING, "said": said})
    assert names() <= {"王610102"}


def test_the_key_of_the_wall_is_for_nobody(app: Flask) -> None:
    for statement in (
        "SELECT * FROM core_wall",
        "UPDATE core_wall SET inside = ''",
        "SET row_security = off; SELECT 1 FROM core_person",
        "ALTER TABLE core_person DISABLE ROW LEVEL SECURITY",
        "DROP POLICY wall ON core_person",
        "CREATE FUNCTION core_reach(integer) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$",
    ):
        with pytest.raises(DBAPIError):
            db.session.execute(text(statement))
        db.session.rollback()


def test_the_reach_ends_with_the_transaction(people: dict[str, int], as_far_as: Callable[[Reach], None]) -> None:
    """The next one on the same connection begins with nothing."""
    with beyond(db.engine, "a test").begin() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        assert connection.execute(text("SELECT count(*) FROM core_person")).scalar() == 3
    db.session.rollback()
    as_far_as(NOTHING)
    with db.engine.begin() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar() == backend
        assert connection.execute(text("SELECT count(*) FROM core_person")).scalar() == 0


def test_a_connection_that_broke_is_told_like_any_other_and_replaced(app: Flask) -> None:
    """The reach goes before the first statement of a transaction, and so it is the one that finds the server away."""
    with beyond(db.engine, "a test").connect() as connection:
        assert connection.connection.driver_connection is not None
        backend = connection.connection.driver_connection.info.backend_pid
        with owner_engine() as owner, owner.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})
        with pytest.raises(OperationalError) as raised:
            connection.execute(text("SELECT 1"))
        assert raised.value.connection_invalidated
        assert connection.scalar(text("SELECT pg_backend_pid()")) != backend


def test_a_thread_of_its_own_begins_with_nothing(app: Flask, people: dict[str, int]) -> None:
    seen: list[object] = []

    def look() -> None:
        with app.app_context():
            seen.append(names())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [set()]


def test_beyond_the_scope_ends_however_it_ends(people: dict[str, int], as_far_as: Callable[[Reach], None]) -> None:
    county = Reach(("/61/6101/610102/",))
    as_far_as(county)
    with beyond_scope("a test"):
        assert len(names()) == 3
    assert names() == {"王610102"}
    with pytest.raises(ZeroDivisionError), beyond_scope("a test"):
        raise ZeroDivisionError
    assert names() == {"王610102"}
    with pytest.raises(DBAPIError), beyond_scope("a test"):
        db.session.execute(text("SELECT 1 / 0"))
    db.session.rollback()
    assert names() == {"王610102"}
    with beyond_scope("a test"):
        db.session.commit()
        assert len(names()) == 3
        db.session.rollback()
        assert len(names()) == 3
        with pytest.raises(DBAPIError), db.session.begin_nested():
            db.session.execute(text("SELECT 1 / 0"))
        assert len(names()) == 3
    assert (names(), reach_now()) == ({"王610102"}, county)


def test_what_is_added_beyond_the_scope_is_written_there(
    small_tree: dict[str, Org], as_far_as: Callable[[Reach], None], make_user: MakeUser
) -> None:
    user, path = make_user("clerk", "6102"), small_tree["6102"].path
    as_far_as(Reach(("/61/6101/",)))
    with beyond_scope("a test"):
        enqueue("jobs.tidy", user, path)
    db.session.commit()
    assert db.session.scalar(text("SELECT count(*) FROM core_job")) == 0


def test_a_request_sees_as_far_as_its_user(
    app: Flask, people: dict[str, int], as_user: AsUser, client: FlaskClient
) -> None:
    """Whatever a view of a plugin asks the database, by hand and past every condition of ours."""

    def everybody() -> str:
        rows = db.session.execute(text("SELECT name FROM core_person ORDER BY name")).scalars()
        with db.engine.connect() as connection:
            beside = connection.execute(text("SELECT count(*) FROM core_person")).scalar()
        return f"{' '.join(rows)} {beside}"

    app.add_url_rule("/everybody", "everybody", everybody)
    assert as_user("clerk", "610102").get("/everybody").text == "王610102 1"
    assert as_user("leader", "6101").get("/everybody").text == "王610102 王610103 2"
    assert as_user("admin", "61").get("/everybody").text == "王610102 王610103 王6102 3"
    assert as_user(None, "61").get("/everybody").text == " 0"
    assert client.get("/everybody").status_code == 302


def test_a_job_sees_as_far_as_who_asked_for_it_or_says_why_it_sees_all(
    app: Flask, people: dict[str, int], make_user: MakeUser, run_jobs: Callable[[], int]
) -> None:
    seen: dict[str, set[str]] = {}

    def look(_context: object, *, where: str) -> None:
        seen[where] = names()

    jobs = registry_of().jobs
    jobs["a.look"] = JobSpec(name="a.look", title="look", func=look)
    jobs["a.all"] = JobSpec(name="a.all", title="look", func=look, sees_all="it counts everybody")
    county = make_user("clerk", "610102")
    enqueue("a.look", county, county.org_path, args={"where": "asked"})
    enqueue("a.look", SYSTEM, "/61/", args={"where": "nobody asked"})
    enqueue("a.all", county, county.org_path, args={"where": "all"})
    run_jobs()
    assert seen == {"asked": {"王610102"}, "nobody asked": set(), "all": {"王610102", "王610103", "王6102"}}


def test_records_keep_the_name_of_somebody_who_left(
    people: dict[str, int], small_tree: dict[str, Org], as_far_as: Callable[[Reach], None]
) -> None:
    """A union goes on seeing whom its records are about, after a move or a merging of files."""
    new = small_tree["610202"]
    moved = text("UPDATE core_person SET org_id = :id, org_path = :path WHERE id = :person")
    db.session.execute(moved, {"id": new.id, "path": new.path, "person": people["610102"]})
    kept = people["6102"]
    merged = text("UPDATE core_person SET active = false, merged_into_id = :kept WHERE id = :dropped")
    db.session.execute(merged, {"kept": kept, "dropped": people["610102"]})
    db.session.commit()
    places = {(row.person_id, row.org_path) for row in db.session.query(PersonPlace)}
    old = small_tree["610102"].path
    assert places == {(people["610102"], old), (kept, old), (kept, new.path)}
    as_far_as(Reach((old,)))
    assert names() == {"王610102", "王6102"}
    as_far_as(Reach((small_tree["610103"].path,)))
    assert names() == {"王610103"}


def test_several_subtrees_are_seen_and_none_shows_nothing(
    people: dict[str, int], small_tree: dict[str, Org], as_far_as: Callable[[Reach], None]
) -> None:
    """The first subtree is asked for as a range, the others one by one; no subtree is no range."""
    as_far_as(Reach((small_tree["6102"].path, small_tree["610103"].path)))
    assert names() == {"王6102", "王610103"}
    as_far_as(Reach((), user_id=1))
    assert names() == set()


def test_a_role_that_no_wall_holds_is_not_let_in(settings: Settings, app: Flask) -> None:
    strong = create_app(replace(settings, database_url=settings.owner_url))
    with strong.app_context():
        with pytest.raises(ConfigError, match="owns the tables or passes by their policies"):
            db.session.execute(text("SELECT 1"))
        db.session.remove()
        db.engine.dispose()


def test_another_secret_key_sees_nothing_until_the_owner_says_it(settings: Settings, people: dict[str, int]) -> None:
    db.session.commit()
    other = create_app(replace(settings, secret_key=b"t" * 32))
    with other.app_context(), beyond_scope("a test"):
        assert names() == set()
        db.session.rollback()
        migrate_all()
        assert len(names()) == 3
        db.session.remove()
        db.engine.dispose()


def test_a_table_that_nobody_declared_is_shown_to_nobody(app: Flask, run_command: Callable[..., Result]) -> None:
    with owner_engine() as engine, engine.begin() as own:
        own.execute(text("CREATE TABLE four_seasons_secret AS SELECT 1 AS one"))
    assert run_command("db", "upgrade").exit_code == 0
    with beyond_scope("a test"):
        assert db.session.scalar(text("SELECT count(*) FROM four_seasons_secret")) == 0


def test_the_reach_is_asked_for_in_the_process_that_it_was_signed_for(app: Flask) -> None:
    """A process that helps with a large query has another number: it would find no reach, and hide its rows."""
    found = text("SELECT proname, proparallel::text FROM pg_proc WHERE proname = ANY(:names)")
    names = ["core_reach", "core_sees_all", "core_reader", "core_scope", "core_from", "core_to", "core_above"]
    assert dict(db.session.execute(found, {"names": names}).all()) == dict.fromkeys(names, "r")
