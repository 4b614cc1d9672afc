"""Nobody sees or touches what is not theirs: every register that is loaded, on every path there is.

Generated from the registers in the registry and from the rules of the URL map: a register that is new is covered by
itself, and a page that is new, and that nobody said here how to ask for, fails.
"""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, true

from core.api import Register, db
from core.org.scope import PathColumn, Scope
from core.plugin.registry import registry_of
from core.users.access import permission_of
from core.users.roles import ROLES
from core.wall import Reach
from tests.matrix.conftest import MakeWorld
from tests.matrix.furnishing import furnish, line_of, post
from tests.matrix.probing import Findings, Path, Probe, compared, refused
from tests.matrix.reading import Reader
from tests.matrix.ways import BY_ID, EMPTY, EXPORTS, FLOWS, LISTS, REMOVE, TASKS, Sent, changing, lists_of, ways_of
from tests.matrix.world import FURNISHED, MINE, OTHERS, World

COUNTY, INDUSTRY = MINE[0], "61-transport"
PATHS = {way.path for way in (*BY_ID, REMOVE)} | FLOWS | LISTS | EXPORTS | TASKS
#: Pages that there are for people alone.
OF_PEOPLE = {("registers.numbers", "POST"), ("registers.view", "POST")}


class Search:
    """A search for leaks: what came through, path by path."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.found: dict[Path, list[str]] = {}

    def take(self, findings: Findings) -> None:
        """Keep what came through."""
        for path, said in findings.items():
            self.found.setdefault(path, []).extend(said)

    def read(self, reader: Reader, codes: tuple[str, ...]) -> None:
        """Whether a reader sees anything else when these unions have entries as well."""
        self.world.begin_flows()
        before = reader.all()
        self.world.add_everywhere(codes)
        if FURNISHED in codes:
            for register in self.world.registers:
                furnish(self.world, self.world.entry(register, FURNISHED))
        after = reader.all()
        for code in after:
            self.take(compared(before[code], after[code], code))

    def attack(self, reader: Reader, others: tuple[str, ...]) -> None:
        """Ask for what these unions have; in each register for things of two, beginning with another."""
        probe = Probe(reader)
        for place, register in enumerate(self.world.registers):
            turned = {others[place % len(others)], others[0]}
            victims = [self.world.entry(register, code) for code in sorted(turned)]
            own = self.world.entry(register, reader.code)
            probe.attack(register, victims, own)
            if "province" in own.ids:
                for endpoint in ("notices.index", "notices.show", "notices.printed"):
                    values = {"notice_id": own.ids["province"]} if endpoint != "notices.index" else {}
                    probe.look(register, endpoint, Sent(values), but={"61", "6101"})
        self.take(probe.found)

    def post_for_all(self) -> None:
        """A notice of the province: everybody of its line sees it, each their own lines and those above."""
        for register in self.world.registers:
            own, other = (self.world.entry(register, code) for code in (COUNTY, "610202"))
            entries = [self.world.entry(register, code) for code in ("6101", "610102001", "610202")]
            notice = post(self.world, register, entries, self.world.user("61"), "61")
            own.ids["province"] = notice.id
            other.ids["province line"] = line_of(notice, other).id


def test_every_page_of_a_register_is_asked_for(app: Flask) -> None:
    there = {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        if {"program", "name"} <= rule.arguments or rule.endpoint.startswith(("exports.", "tasks."))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there - PATHS == set(), "say in tests/matrix/ways.py how these are asked for"
    assert PATHS - there == set(), "these are gone"


@pytest.mark.timeout(400)
def test_nothing_of_others_comes_through_to_a_county(make_world: MakeWorld) -> None:
    assert searched(make_world()).found == {}


@pytest.mark.timeout(400)
def test_nothing_of_others_comes_through_to_an_industry_union(make_world: MakeWorld) -> None:
    """It shares an enterprise with the county, and nothing else."""
    search = Search(make_world())
    search.world.add_everywhere((INDUSTRY,))
    industry = Reader(search.world, INDUSTRY, briefly=True)
    search.read(industry, (FURNISHED, "6102"))
    search.attack(industry, (FURNISHED, "610102"))
    assert search.found == {}


def no_wall_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every scope holds everything: as if each query had forgotten its condition."""

    def everything(_scope: Scope, _column: PathColumn) -> ColumnElement[bool]:
        return true()

    monkeypatch.setattr(Scope, "covers", everything)
    monkeypatch.setattr(Scope, "includes", lambda _scope, _path: True)


def no_wall_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody reaches everything: as if the tables had no policies."""
    signed = Reach.signed

    def all_of_it(_reach: Reach, key: bytes, backend: int) -> str:
        return signed(Reach(beyond="no wall"), key, backend)

    monkeypatch.setattr(Reach, "signed", all_of_it)


def searched(world: World) -> Search:
    """What a county finds of others."""
    search = Search(world)
    county = Reader(world, COUNTY)
    search.read(county, OTHERS)
    search.post_for_all()
    search.attack(county, OTHERS)
    return search


@pytest.mark.timeout(400)
def test_wall_one_holds_by_itself(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    no_wall_two(monkeypatch)
    assert searched(make_world(few=True)).found == {}


@pytest.mark.timeout(400)
def test_wall_two_holds_what_wall_one_forgot(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row of others is shown or changed; what cannot be written is an error, which tells nothing of others."""
    world = make_world(few=True)
    no_wall_one(monkeypatch)
    found = searched(world).found
    assert [said for path in found.values() for said in path if "shows" in said or "changes" in said] == []


@pytest.mark.timeout(400)
def test_the_search_finds_a_leak_on_every_path(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without both walls each way of asking must notice: else it would never notice anything."""
    world = make_world(few=True)
    no_wall_two(monkeypatch)
    no_wall_one(monkeypatch)
    search = searched(world)
    # What an export was asked for shows in its file.
    assert PATHS - EMPTY - {("exports.new", "POST"), ("exports.index", "GET")} - set(search.found) == set()
    assert len(search.world.registers) == 4
    for register in search.world.registers:
        for way in ways_of(register):
            said = [one for one in search.found[way.path] if one.startswith(register.code)]
            assert said or (way.path in OF_PEOPLE and not register.of_people) or way.path == ("tasks.urge", "POST"), way


@pytest.mark.timeout(400)
def test_who_has_no_business_there_is_sent_away(make_world: MakeWorld) -> None:
    """Without a role, with roles for another program, with roles that only read; while the year is off, or closed.

    The same requests are answered to who may ask.
    """
    search = Search(make_world())
    world, county = search.world, Reader(search.world, COUNTY)
    probe = Probe(county)
    nobody = world.browser(world.user(COUNTY, ()))
    for place, register in enumerate(world.registers):
        own, year = world.entry(register, COUNTY), world.years[register.program]
        furnish(world, own)
        # Each takes a part of the ways, in each register another: all together ask in all ways in each.
        everything, changes = [*lists_of(register), *ways_of(register)], changing(register)
        search.take(refused(world, nobody, register, own, everything[place % 3 :: 3]))
        other = next(code for code in world.years if code != register.program)
        elsewhere = world.browser(world.user(COUNTY, program=other))
        search.take(refused(world, elsewhere, register, own, everything[(place + 1) % 3 :: 3]))
        reading = world.browser(world.user(COUNTY, _who_only_read(register)))
        search.take(refused(world, reading, register, own, changes[place % 2 :: 2]))
        year.closes_on = date(2014, 12, 31)
        db.session.commit()
        search.take(refused(world, county.browser, register, own, changes[(place + 1) % 2 :: 2]))
        year.enabled, year.closes_on = False, None
        db.session.commit()
        of_program = [way for way in everything[(place + 2) % 3 :: 3] if not way.endpoint.startswith("tasks.")]
        search.take(refused(world, county.browser, register, own, of_program))
        year.enabled = True
        db.session.commit()
        world.begin_flows()
        worked = probe.use(register, [world.entry(register, code) for code in MINE])
        wanted = {way.path for way in ways_of(register)} - (set() if register.of_people else OF_PEOPLE) - EXPORTS
        wanted -= {("registers.change", "POST"), ("registers.remove", "POST")} if _is_needed(register) else set()
        wanted -= BOUND_BY_RULE.get(register.code, set())
        assert wanted - worked <= {("tasks.urge", "POST")}, register.code
    assert search.found == {}


#: Registers without whose entries a rule would not let those of another one be: visits are paid by pairs.
NEEDED_BY_RULE = {"hardship_aid.pairs"}
#: Ways that a rule of the register keeps from what the matrix sends: another leader has no pair with the worker.
BOUND_BY_RULE = {"hardship_aid.pair_visits": {("registers.change", "POST")}}


def _is_needed(register: Register) -> bool:
    """Whether entries of other registers refer to its entries, by a key or by a rule: these stay as they are."""
    table, others = register.model.__table__, [item for item in registry_of().registers.values() if item != register]
    by_key = any(key.column.table is table for other in others for key in other.model.__table__.foreign_keys)
    return by_key or register.code in NEEDED_BY_RULE


def _who_only_read(register: Register) -> tuple[str, ...]:
    """The roles that change nothing of a register."""
    codes = {register.edit_permission, "people.numbers", "notice.post", "notice.object", "notice.decide"}
    codes |= {step.permission for step in register.flow.transitions} if register.flow else set()
    held = [permission.roles for code in codes if (permission := permission_of(code))]
    return tuple(role for role in ROLES if not any(role in roles for roles in held))
