"""Nobody sees or touches what is not theirs: every register that is loaded, on every path there is.

Generated from the registers in the registry and from the rules of the URL map: a register that is new is covered by
itself, and a page that is new, and that nobody said here how to ask for, fails.
"""

from collections.abc import Mapping

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, true

from core.api import Register
from core.org.scope import PathColumn, Scope
from core.users.access import permission_of
from core.users.roles import ROLES
from tests.matrix.asking import Answer
from tests.matrix.conftest import MakeReader
from tests.matrix.furnishing import RunJobs, furnish, line_of, post
from tests.matrix.probing import Findings, Path, Probe, compared, refused
from tests.matrix.reading import Label, Reader
from tests.matrix.ways import BY_ID, EMPTY, EXPORTS, FLOWS, LISTS, Sent, changing, lists_of, ways_of
from tests.matrix.world import FURNISHED, LATER, MINE, OTHERS, World

pytestmark = pytest.mark.services
COUNTY, INDUSTRY = MINE[0], "61-transport"
PATHS = {way.path for way in BY_ID} | FLOWS | LISTS | EXPORTS


class Search:
    """A search for leaks: what came through, path by path."""

    def __init__(self, world: World, run_jobs: RunJobs) -> None:
        self.world, self._run_jobs = world, run_jobs
        self.found: dict[Path, list[str]] = {}

    def take(self, findings: Findings) -> None:
        """Keep what came through."""
        for path, said in findings.items():
            self.found.setdefault(path, []).extend(said)

    def read(self, reader: Reader, code: str) -> dict[str, Mapping[Label, Answer]]:
        """Register -> all that somebody of a union can see of it."""
        seen = {one.code: reader.register(one, self.world.entry(one, code)) for one in self.world.registers}
        return {**seen, "every page": reader.everywhere()}

    def compare(
        self, before: Mapping[str, Mapping[Label, Answer]], after: Mapping[str, Mapping[Label, Answer]]
    ) -> None:
        """Compare two readings."""
        for code in after:
            self.take(compared(before[code], after[code], code))

    def attack(self, reader: Reader, code: str, others: tuple[str, ...]) -> None:
        """Ask for all that others have."""
        probe = Probe(self.world, reader, code, self._run_jobs)
        for register in self.world.registers:
            own = self.world.entry(register, code)
            probe.attack(register, [self.world.entry(register, other) for other in others], own)
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
            other.ids |= {"province": notice.id, "province line": line_of(notice, other).id}


def search(world: World, make_reader: MakeReader, run_jobs: RunJobs) -> Search:
    """What comes through to people of a county, who read before and after there is anything of others."""
    found, county = Search(world, run_jobs), make_reader(COUNTY)
    before = found.read(county, COUNTY)
    world.add_everywhere(OTHERS)
    for register in world.registers:
        furnish(world, world.entry(register, FURNISHED), run_jobs)
    found.compare(before, found.read(county, COUNTY))
    found.post_for_all()
    found.attack(county, COUNTY, OTHERS)
    return found


def test_every_page_of_a_register_is_asked_for(app: Flask) -> None:
    there = {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        if {"program", "name"} <= rule.arguments or rule.endpoint.startswith("exports.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there - PATHS - {("exports.index", "GET")} == set(), "say in tests/matrix/ways.py how these are asked for"
    assert PATHS - there == set(), "these are gone"


def test_nothing_of_others_comes_through(world: World, make_reader: MakeReader, run_jobs: RunJobs) -> None:
    found = search(world, make_reader, run_jobs)
    industry = make_reader(INDUSTRY)
    before = found.read(industry, INDUSTRY)
    world.add_everywhere(LATER)
    found.compare(before, found.read(industry, INDUSTRY))
    found.attack(industry, INDUSTRY, (FURNISHED, "610102", "6102"))
    assert found.found == {}


def test_the_search_finds_a_leak_on_every_path(
    world: World, make_reader: MakeReader, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a scope that holds everything, each way of asking must notice: else it would notice nothing ever."""

    def everything(_scope: Scope, _column: PathColumn) -> ColumnElement[bool]:
        return true()

    monkeypatch.setattr(Scope, "covers", everything)
    monkeypatch.setattr(Scope, "includes", lambda _scope, _path: True)
    found = search(world, make_reader, run_jobs).found
    for path in sorted(found):
        print(path, len(found[path]), found[path][:2])
    print("NOT", PATHS - set(found))
    for register in world.registers:
        paths = {way.path for way in ways_of(register)} | LISTS - EMPTY
        print(register.code, {p for p in paths if not any(x.startswith(register.code) for x in found.get(p, []))})


def test_who_has_no_business_there_is_sent_away(world: World, make_reader: MakeReader, run_jobs: RunJobs) -> None:
    found, county = Search(world, run_jobs), make_reader(COUNTY)
    for register in world.registers:
        own = world.entry(register, COUNTY)
        furnish(world, own, run_jobs)
        ways = [*lists_of(register), *ways_of(register)]
        other = next(code for code in world.years if code != register.program)
        for reader in (make_reader(COUNTY, ()), make_reader(COUNTY, program=other)):
            found.take(refused(world, reader.browser, register, own, ways))
        reading = make_reader(COUNTY, _who_only_read(register))
        found.take(refused(world, reader.browser, register, own, changing(register)))
    for k, v in found.found.items():
        print(k, v)
    return


def _who_only_read(register: Register) -> tuple[str, ...]:
    """The roles that change nothing of a register."""
    codes = {register.edit_permission, "people.numbers", "notice.post", "notice.object", "notice.decide"}
    codes |= {step.permission for step in register.flow.transitions} if register.flow else set()
    held = [permission.roles for code in codes if (permission := permission_of(code))]
    return tuple(role for role in ROLES if not any(role in roles for roles in held))
