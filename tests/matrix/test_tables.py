"""Wall two by itself: every table, asked in raw SQL as a plugin may, from where each kind of reader sits.

What a reader is to see of a table is worked out here in Python, row by row, from what its model says, and compared
with what the database shows.
"""

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from core.api import Org
from core.database import Wall, metadata
from core.extensions import db
from core.plugin.walls import wall_of
from core.users.access import reach_of
from core.users.models import User
from core.users.testing import MakeUser
from core.wall import Reach, reach_as, reach_now
from tests.disbursements import aid
from tests.matrix.house import PLACES, House
from tests.matrix.test_registers import no_wall_two
from tests.matrix.world import plugins_to_load, tables

pytestmark = pytest.mark.services
#: Tables x readers x (SELECT, count, UPDATE, DELETE, INSERT of what is another's). A number that changes is looked at.
CELLS = 3325
# The statements hold names that the database told, and nothing from outside: hence the S608 below.
_UNIQUE = "duplicate key"
Row = dict[str, Any]


@pytest.fixture
def plugins() -> dict[str, object]:
    """The built-in plugins, those for tests, and one that pays."""
    return plugins_to_load() | {"aid": aid}


class Rows:
    """Everything that is in the tables, and whose it is."""

    def __init__(self) -> None:
        self.of: dict[str, list[Row]] = {}
        self.columns: dict[str, list[str]] = {}
        for name in tables():
            described = inspect(db.engine).get_columns(name)
            self.columns[name] = [column["name"] for column in described if "computed" not in column]
            found = db.session.execute(text(f"SELECT t.ctid::text, to_jsonb(t) FROM {name} t"))  # noqa: S608  # see above
            self.of[name] = [{**row, "ctid": place} for place, row in found]
        db.session.rollback()

    @cached_property
    def paths(self) -> dict[int, str]:
        """Id of a union -> its path."""
        return {row["id"]: row["path"] for row in self.of["core_org"]}

    def seen(self, name: str, reach: Reach) -> set[str]:
        """The places of the rows of a table that a reader is to see."""
        return self._where(name, reach, reading=True)

    def changed(self, name: str, reach: Reach) -> set[str]:
        """The same of those that may be changed."""
        return self._where(name, reach, reading=False)

    def _where(self, name: str, reach: Reach, *, reading: bool) -> set[str]:
        if name not in metadata.tables:  # a table that no model knows is shown to nobody
            return set()
        wall = wall_of(metadata.tables[name])
        return {row["ctid"] for row in self.of[name] if self._is_seen(wall, row, reach, reading=reading)}

    def _is_seen(self, wall: Wall, row: Row, reach: Reach, *, reading: bool) -> bool:
        if wall.reason:
            return True
        path = row.get("org_path")
        if path is not None and (_covers(reach, path) or (reading and wall.seen_below and path in reach.above)):
            return True
        if wall.user and row[wall.user] is not None and row[wall.user] == reach.user_id:
            return True
        if wall.org_id and row[wall.org_id] is not None and _covers(reach, self.paths[row[wall.org_id]]):
            return True
        if not wall.table:
            return False
        above = wall_of(metadata.tables[wall.table])
        if above.seen_below and not reading:  # only by its own union, or that of the row above
            return path is None and any(_covers(reach, one["org_path"]) for one in self._above(wall, row))
        return any(self._is_seen(above, one, reach, reading=not wall.held) for one in self._above(wall, row))

    def _above(self, wall: Wall, row: Row) -> list[Row]:
        named = [row[column] for column in wall.columns]
        return [above for above in self.of[wall.table] if [above[key] for key in wall.keys] == named]


def _covers(reach: Reach, path: str) -> bool:
    return any(path.startswith(prefix) for prefix in reach.paths)


class Asked:
    """Raw SQL of one reader: what came through in each of the cells."""

    def __init__(self, rows: Rows, reach: Reach) -> None:
        self.rows, self.reach = rows, reach
        self.cells = 0
        self.found: list[str] = []

    def all(self) -> None:
        """Ask every table in every way."""
        for name in self.rows.of:
            seen = self.rows.seen(name, self.reach)
            shown = set(self._run(f"SELECT ctid::text FROM {name}") or ())  # noqa: S608  # a name of ours
            self._say(f"SELECT {name}", shown - seen, seen - shown)
            counted = self._run(f"SELECT count(*) FROM {name}")  # noqa: S608  # a name of ours
            self._say(f"count {name}", counted != [len(seen)])
            may = self.rows.changed(name, self.reach)
            others = [row["ctid"] for row in self.rows.of[name] if row["ctid"] not in may]
            column = self.rows.columns[name][-1]
            for how in (f'UPDATE {name} SET "{column}" = "{column}"', f"DELETE FROM {name}"):  # noqa: S608  # names of ours
                self._say(how, self._touched(f"{how} WHERE ctid = ANY (CAST(:others AS tid[]))", others))
            self._insert(name, [row for row in self.rows.of[name] if row["ctid"] not in may])

    def _insert(self, name: str, others: list[Row]) -> None:
        """Write the same as another's row once more."""
        table = metadata.tables.get(name)
        if not others or (table is not None and wall_of(table).appended):
            return self._say(f"INSERT {name}")
        columns = ", ".join(self.rows.columns[name])
        given = f"SELECT {columns} FROM jsonb_populate_record(NULL::{name}, CAST(:row AS jsonb))"  # noqa: S608  # names of ours
        statement = f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE {given}"
        return self._say(f"INSERT {name}", not self._refuses(statement, others[0]))

    def _run(self, statement: str) -> list[Any] | None:
        try:
            return list(db.session.scalars(text(statement)))
        except DBAPIError:
            return None
        finally:
            db.session.rollback()

    def _touched(self, statement: str, others: list[str]) -> int:
        """How many rows of others a statement reached; none where the table takes no such statement from anybody."""
        try:
            done: Any = db.session.execute(text(statement), {"others": others})
            return int(done.rowcount)
        except DBAPIError:
            return 0
        finally:
            db.session.rollback()

    def _refuses(self, statement: str, row: Row) -> bool:
        given = json.dumps({name: value for name, value in row.items() if name != "ctid"})
        try:
            db.session.execute(text(statement), {"row": given})
        except DBAPIError as error:
            return _UNIQUE not in str(error.orig)  # that there is one already is told by the wall only to its readers
        else:
            return False
        finally:
            db.session.rollback()

    def _say(self, cell: str, *wrong: object) -> None:
        self.cells += 1
        if any(wrong):
            self.found.append(cell)


@pytest.fixture
def readers(small_tree: dict[str, Org], make_user: MakeUser) -> dict[str, User]:
    """Somebody at each of the unions, and somebody without a role."""
    found = {code: make_user("clerk", code) for code in PLACES}
    return found | {"nobody": make_user(None, "610102")}


@pytest.fixture
def asked(house: House, readers: dict[str, User]) -> Callable[[], dict[str, Asked]]:
    """Ask as each reader: code -> what was asked and found."""
    reaches = {code: reach_of(user) for code, user in readers.items()}
    rows, everything = Rows(), reach_now()

    def ask() -> dict[str, Asked]:
        found = {}
        for code, reach in reaches.items():
            reach_as(reach)
            found[code] = Asked(rows, reach)
            found[code].all()
        reach_as(everything)
        return found

    return ask


@pytest.mark.timeout(400)
def test_every_reader_sees_and_changes_what_is_theirs_in_every_table(asked: Callable[[], dict[str, Asked]]) -> None:
    found = asked()
    assert {code: one.found for code, one in found.items() if one.found} == {}
    assert sum(one.cells for one in found.values()) == CELLS


@pytest.mark.timeout(400)
def test_without_wall_two_every_table_with_rows_of_others_is_red(
    asked: Callable[[], dict[str, Asked]], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_wall_two(monkeypatch)
    for code, one in asked().items():
        others = {name for name in one.rows.of if len(one.rows.seen(name, one.reach)) < len(one.rows.of[name])}
        others &= set(metadata.tables)
        assert len(others) > 30, code
        for name in others:
            assert {f"SELECT {name}", f"count {name}"} <= set(one.found), (code, name)
        touched = {cell for cell in one.found if cell.startswith(("UPDATE", "DELETE", "INSERT"))}
        assert len(touched) > 30, code  # what a guard or the rights of a table hold back besides is not wall two
