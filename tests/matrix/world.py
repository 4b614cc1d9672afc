"""Every register that is loaded, in one house: entries of many unions, alike in all but their place."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.metadata import entry_points
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import delete, inspect, text, update
from stdnum.cn.ric import calc_check_digit

from core.api import Form, Org, Person, ProgramYear, Register, Scope, TaskKind, User, by_code, open_task, state_of
from core.audit.services import SYSTEM
from core.extensions import db
from core.ledger.allotting import fund_from_own
from core.people.services import PersonRow, register_people
from core.plugin.registry import registry_of
from core.plugin.tables import owner_engine
from core.programs.services import enable
from core.registers import services
from core.tasks.models import Task
from core.users.access import scope_of
from core.users.roles import ROLES
from core.users.testing import AsUser, Browser, MakeUser, hold
from tests.matrix.filling import filled, own_values

HERE = Path(__file__).parents[1] / "plugins_for_tests"
#: The union of the reader in the county, what lies below it, and the enterprise that an industry union shares with it.
MINE = ("610102", "610102001", "610102-bus")
#: Above it, beside it, in another city, on the other axis.
OTHERS = ("610103", "6101", "610202", "61", "61-transport")
#: Where others have everything that there can be: files, imports, a notice, an objection.
FURNISHED = "610103"
#: No id of the house; with as many digits.
MISSING = 5_000_000
NO_UNION = "999999"
#: Registers whose rows are refused beyond what the union's budget line has left.
TO_THE_BUDGET = {"four_seasons.visit_plans"}
DUE = TaskKind(code="matrix.due", title="Something is due", endpoint="tasks.index")


def plugins_to_load() -> dict[str, object]:
    """The plugins that come with the house, and every plugin for tests that is in order, by name."""
    built_in = {
        item.name: item.load() for item in entry_points(group="zhijia.plugins") if item.value.startswith("plugins.")
    }
    names = sorted(path.parent.name for path in HERE.glob("*/plugin.py"))
    return built_in | {name: importlib.import_module(f"tests.plugins_for_tests.{name}.plugin") for name in names}


def marker_of(code: str) -> str:
    """The text that every entry of a union holds."""
    return f"zq-{code}-q"


@dataclass(eq=False)
class Entry:
    """An entry of a register, and the ids of all that hangs on it: ``file``, ``staged``, ``notice`` ..."""

    register: Register
    year: ProgramYear
    code: str
    row: int
    values: dict[str, Any]
    person: int | None = None
    number: str = ""
    ids: dict[str, int] = field(default_factory=dict)


class World:
    """The house, with its users, program years, people and entries."""

    def __init__(self, make_user: MakeUser, as_user: AsUser, run_jobs: Callable[[], int], *, few: bool = False) -> None:
        self._make_user, self._as_user, self.run_jobs = make_user, as_user, run_jobs
        self._users: dict[tuple[str, str], User] = {}
        self._people: dict[tuple[str, int], tuple[int, str]] = {}
        self._serials = count(1)
        self._funded: set[tuple[str, str]] = set()
        self.entries: dict[tuple[str, str], Entry] = {}
        for number, table in enumerate(tables(), start=1):  # ids that are told from each other and from plain numbers
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            if "id" in {column["name"] for column in inspect(db.engine).get_columns(table)}:
                with owner_engine() as engine, engine.begin() as own:
                    own.execute(text(f"SELECT setval({sequence}, {number}{1_000_000}) WHERE {sequence} IS NOT NULL"))
        self.nobody = self.new_number()
        province = self.org("61")
        self.years = {
            program.code: enable(
                SYSTEM,
                program.code,
                2014,
                province,
                opens_on=date(2014, 1, 1),
                settings=_settings(program.settings_form),
            )
            for program in registry_of().programs.values()
        }
        self.registers = one_of_each_kind() if few else list(registry_of().registers.values())
        for register in self.registers:  # what a plugin puts there by itself
            db.session.execute(delete(register.model))
        db.session.commit()
        self.add_everywhere(MINE)

    def browser(self, user: User) -> Browser:
        """The user's browser, logged in."""
        return self._as_user(user)

    def org(self, code: str) -> Org:
        """A union of the small tree."""
        org = by_code(code)
        assert org is not None, code
        return org

    def user(
        self, code: str, roles: Sequence[str] = tuple(ROLES), *, program: str | None = None, who: str = ""
    ) -> User:
        """A user of a union with these roles there: all that there are."""
        key = code, f"{who}-{program}-{roles}"
        if key not in self._users:
            user = self._users[key] = self._make_user(None, code)
            for role in roles:
                hold(user, role, self.org(code), program=program)
        return self._users[key]

    def new_union(self, code: str) -> str:
        """Another union below this one, with somebody on file and without any entry: its code."""
        above = self.org(code)
        new = f"{code}{next(self._serials):03d}"
        db.session.add(
            Org(
                code=new, name=f"{new}工会", short_name=f"{new}单位", pinyin="", initials="", level="township",
                kind="regional", industry_path=above.industry_path, parent_id=above.id, path=f"{above.path}{new}/",
            )
        )  # fmt: skip
        db.session.commit()
        return new

    def person(self, code: str, turn: int = 0) -> tuple[int, str]:
        """Somebody on file at a union, called as its marker: id and identity number; another one at each ``turn``."""
        key = code, turn
        if key not in self._people:
            number = self.new_number()
            row = PersonRow(org_code=code, name=marker_of(code), id_number=number)
            register_people(SYSTEM, [row], Scope(("/",)))
            found = db.session.query(Person).filter_by(id_number_tail=number[-4:]).one()
            self._people[key] = found.id, number
        return self._people[key]

    def new_number(self) -> str:
        """A valid identity number of a fictional woman that nobody had before."""
        serial = next(self._serials)
        born = date(1960, 1, 1) + timedelta(days=serial)
        body = f"610102{born:%Y%m%d}{serial % 500 * 2:03d}"
        return body + calc_check_digit(body + "0")

    def whose(self, register: Register, code: str) -> dict[str, str]:
        """What a form asks for about whose entry it is."""
        if not register.of_people:
            self._fund(register, code)
            return {"org_code": code}
        number = self.person(code, _turn(register))[1]
        self._put_before(register, code)
        named = {"id_number": number, "name": marker_of(code), "org_code": code}
        return {name: value for name, value in named.items() if name in register.form.whose}

    def _fund(self, register: Register, code: str) -> None:
        """Money of a union that has none yet, where rows keep to its budget; none while the year is off or closed."""
        year, is_needed = self.years[register.program], register.code in TO_THE_BUDGET
        if is_needed and (register.code, code) not in self._funded and state_of(year) == "open":
            self._funded.add((register.code, code))
            fund_from_own(
                self.user("61"), year, key=f"{register.code}:{code}",
                amounts={self.org(code).id: 1_000_00}, effective_on=date(2014, 1, 2), description=marker_of(code),
            )  # fmt: skip

    def _put_before(self, register: Register, code: str) -> None:
        """An entry of the same person in each register that rows of this one refer to, by a key or by a rule."""
        tables = {key.column.table for key in register.model.__table__.foreign_keys}
        for other in registry_of().registers.values():
            if other is register:
                return  # what others are put before stands before it in its program
            by_rule = bool(register.rules) and other.program == register.program and other.of_people
            if (by_rule or other.model.__table__ in tables) and (other.code, code) not in self.entries:
                self.add(other, code)

    def add(self, register: Register, code: str) -> Entry:
        """Put an entry of a union into a register, as somebody of the province does it."""
        year, values = self.years[register.program], own_values(register, marker_of(code))
        optional = dict.fromkeys(register.form.whose, "")
        row = services.add(self.user("61"), register, year, optional | self.whose(register, code) | values)
        entry = Entry(register, year, code, row.id, values)
        if register.of_people:
            entry.person, entry.number = self.person(code, _turn(register))
        self.entries[register.code, code] = entry
        return entry

    def add_everywhere(self, codes: Sequence[str]) -> None:
        """An entry of each of these unions in every register, and something overdue there."""
        for code in codes:
            for register in self.registers:
                if (register.code, code) not in self.entries:
                    self.add(register, code)
            org = self.org(code)
            open_task(DUE, f"matrix:{code}", org.id, org.path, permission="people.view", due_on=date(2014, 2, 1))
            task = db.session.query(Task).filter_by(subject=f"matrix:{code}").one()
            self.entry(self.registers[0], code).ids["task"] = task.id
        db.session.commit()

    def begin_flows(self) -> None:
        """Put every entry back to where its flow begins; the ways of the steps have moved it."""
        for register in self.registers:
            if register.flow:
                as_made = {"state_since": register.model.created_at} if hasattr(register.model, "created_at") else {}
                first = {"state": register.flow.initial, "at_level": None}
                db.session.execute(update(register.model).values(first | as_made))
        db.session.commit()

    def strange_to(self, code: str) -> tuple[set[str], set[str]]:
        """What a reader at this union is never to be shown: codes of unions, and numbers of people and of things."""
        scope = scope_of(self.user(code), "program.view")
        strange = {org.code for org in db.session.query(Org) if not scope.includes(org.path)}
        numbers = {number for (union, _at), (_id, number) in self._people.items() if union in strange}
        for entry in self.entries.values():
            if entry.code in strange:
                numbers |= {str(entry.row), *map(str, entry.ids.values())}
        return strange, numbers

    def entry(self, register: Register, code: str) -> Entry:
        """The entry of a union."""
        return self.entries[register.code, code]


def one_of_each_kind() -> list[Register]:
    """A register of people and one of unions, with a flow and without."""
    return list({(item.of_people, item.flow is None): item for item in registry_of().registers.values()}.values())


def _turn(register: Register) -> int:
    """How many registers of other programs come before it with entries in the same table, where a rule lets nobody
    stand in two of them.
    """
    same = [one for one in registry_of().registers.values() if one.model is register.model]
    return same.index(register)


def tables() -> list[str]:
    """Every table of the database."""
    names = inspect(db.engine).get_table_names()
    return sorted(name for name in names if not name.endswith("_alembic") and name != "core_wall")


class Watch:
    """Says which tables a request has changed. What writes nothing takes no number of a transaction, which costs little
    to see; only after one is every table looked at.
    """

    def __init__(self) -> None:
        # When a session was last used is written down by each request, once a minute.
        self._names = [name for name in tables() if name != "core_session"]
        self._number, self._contents = -1, dict[str, tuple[int, int]]()

    def begin(self) -> None:
        """Look at the tables as they are."""
        number = _transactions()
        if number != self._number:
            self._number, self._contents = number, self._read()

    def changed(self) -> list[str]:
        """The tables that are not as they were."""
        number, before = _transactions(), self._contents
        if number == self._number:
            return []
        self._number, self._contents = number, self._read()
        return [name for name, found in self._contents.items() if found != before[name]]

    def _read(self) -> dict[str, tuple[int, int]]:
        """Table -> number of rows, and a sum over all that they hold."""
        one = "SELECT '{0}', count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {0} t"
        rows = db.session.execute(text(" UNION ALL ".join(one.format(name) for name in self._names)))
        found = {name: (count, total) for name, count, total in rows}
        db.session.rollback()
        return found


def _transactions() -> int:
    number: int = db.session.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")).scalar_one()
    db.session.rollback()
    return number


def _settings(form_class: type[Form] | None) -> dict[str, Any]:
    """Settings that the program's own form takes."""
    if form_class is None:
        return {}
    form = form_class()
    unset = [item.short_name for item in form if item.data is None and not item.flags.optional]
    return filled(form, unset, "x")
