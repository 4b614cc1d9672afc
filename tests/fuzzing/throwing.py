"""Throwing at every address of the house, and saying what of the answers is a fault."""

import json
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from zlib import crc32

import redis
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as seeded
from hypothesis import settings as drawn
from sqlalchemy import text
from werkzeug.routing import Rule

from core.api import User, db
from core.config import settings_of
from core.disbursements.verify_all import verify_all
from core.users.roles import ROLES
from core.users.testing import PASSWORD, Browser, code_of
from tests.fuzzing.dice import Throw, throws
from tests.fuzzing.house import House, Surface
from tests.fuzzing.reading import Box
from tests.matrix.world import Watch

#: Stands in a form for the code of the authenticator app, which is another every half minute.
CODE = "zq-code"
#: What somebody types into boxes of these names.
TYPED = {
    "password": PASSWORD,
    "current": PASSWORD,
    "code": CODE,
    "bank_account": "6200000000000000000",
    "phone": "13800000000",
    "email": "a@example.com",
    "username": "zhangsan",
    "name": "张三",
}
#: Which of the runs of the house is ready for what; the last one is with the bank.
RUNS = {
    "runs.compute": 0,
    "runs.cancel": 0,
    "runs.foresee": 0,
    "runs.submit": 1,
    "runs.notice": 1,
    "runs.decide": 2,
    "runs.object_to": 2,
    "runs.withdraw": 2,
}
#: How much of a long value a fault's message shows; the seed throws the whole again.
SHOWN = 400
#: Boxes that a page of somebody who is logged in does not show.
UNSEEN = {
    "users.enter": [Box("username", "nobody", True), Box("password", PASSWORD, True)],
    "users.give_code": [Box("code", CODE, True)],
}
#: What takes away that which others are about.
TAKING = {
    "approvals.remove",
    "files.remove",
    "flows.move",
    "flows.move_chosen",
    "four_seasons.undo_visit",
    "four_seasons_summer.undo_lot",
    "four_seasons_summer.undo_visit",
    "imports.cancel",
    "imports.undo",
    "ledger.shut_account",
    "notices.withdraw",
    "people.merge_files",
    "privacy.erase_person",
    "registers.remove",
    "runs.cancel",
    "runs.withdraw",
}
ADDING, LOOKING, LAST = range(3)
#: Every year is as it was set up, whatever a throw did to it; what was made besides is off.
_STAGE = """
UPDATE core_program_year
   SET enabled = (year = 2014), opens_on = '2014-01-01', closed_at = NULL,
       closes_on = CASE WHEN :closed THEN '2014-12-31'::date END
"""


@dataclass(frozen=True)
class Reader:
    """Who throws: where, with which roles, and whether the program years are closed."""

    name: str
    code: str
    roles: tuple[str, ...] = tuple(ROLES)
    is_closed: bool = False


@dataclass(frozen=True)
class Thrown:
    """A throw, and what came of it."""

    rule: Rule
    method: str
    throw: Throw
    in_part: bool
    status: int
    problem: str
    changed: frozenset[str]


class Throwing:
    """One reader who throws at every address, ``turn`` by turn. ``faults`` are sentences, one for each kind."""

    def __init__(self, house: House, reader: Reader, surface: Surface, seed: int, fuzz: int) -> None:
        self.house, self.reader, self.seed, self.fuzz = house, reader, seed, fuzz
        self.faults: dict[tuple[str, ...], str] = {}
        self.counts: Counter[int] = Counter()
        self._surface, self._watch = surface, Watch()
        self._redis = redis.Redis.from_url(settings_of().redis_url or "")

    def turns(self, put_back: Callable[[], None]) -> Iterator[Thrown]:
        """Throw at every rule with every method, and again.

        What a throw wrote stays: rolled back, no page would ever show what came in before. So what adds comes first,
        then all that only looks, last what takes away; and each turn begins with the whole house, so that the forms,
        with the numbers and digests that they hold, are those of a page just opened.
        """
        for turn in range(self.fuzz):
            put_back()
            self._stage()
            self._enter(turn)
            for phase, rules in groupby(sorted(self.house.rules(), key=_phase), key=_phase):
                for rule, method in rules:
                    yield self._one(rule, method, turn)
                if phase != LOOKING:
                    self._end()

    def _end(self) -> None:
        """Have done what was asked for; it ends well or with a sentence, and the books are whole."""
        self.house.world.run_jobs()
        again = f"  again by --fuzz {self.fuzz} --seed {self.seed}"
        for job in failed_jobs():
            self.faults.setdefault(("job", job.partition(" ")[0]), f"{self.reader.name}, {job}\n{again}")
        for finding in verify_all():
            self.faults.setdefault(("books", finding.area), f"{self.reader.name}, the books: {finding}\n{again}")

    def blame(self, thrown: Thrown, problem: str) -> None:
        """Note a fault, with all that throws it again."""
        key = thrown.rule.endpoint, thrown.method, problem
        throw, reader = thrown.throw, self.reader
        pairs = [(name, _cut(value)) for name, value in throw.pairs]
        part = " in part" if thrown.in_part else ""
        self.faults.setdefault(
            key,
            f"{reader.name} ({reader.code}), {thrown.method}{part} {thrown.rule.rule}: {problem}\n"
            f"  url {_cut(throw.url)}\n  body {throw.kind} {pairs}\n  again by --fuzz {self.fuzz} --seed {self.seed}",
        )

    def _one(self, rule: Rule, method: str, turn: int) -> Thrown:
        throw = self._throw(rule, method, turn)
        in_part = turn % 2 == 1  # as htmx asks for a piece of a page
        if method != "GET":
            self._redis.flushdb()  # no count of wrong passwords outlasts its throw
        throw = self._with_code(throw)
        self._watch.begin()
        status, problem = self._sent(throw, method, in_part)
        thrown = Thrown(rule, method, throw, in_part, status, problem, frozenset(self._watch.changed()))
        self.counts[status] += 1
        self._go_on(thrown, turn)
        return thrown

    def _sent(self, throw: Throw, method: str, in_part: bool) -> tuple[int, str]:
        """The status, and what is wrong with the answer by itself."""
        url = "/" + throw.url.lstrip("/")  # Werkzeug's client takes what follows // for a host
        more: dict[str, object] = {"headers": {"HX-Request": "true"}} if in_part else {}
        if method != "GET":
            more["data"], more["content_type"] = throw.body()
        try:
            answer = self.browser.open(url, method=method, buffered=True, **more)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - whatever it is, it would have been a page with a 500
            db.session.rollback()
            return 500, _told(error)
        answer.close()
        return answer.status_code, f"status {answer.status_code}" if answer.status_code >= 500 else ""

    def _go_on(self, thrown: Thrown, turn: int) -> None:
        """Put back what would end the throwing."""
        if "core_program_year" in thrown.changed:
            self._stage()
        if thrown.method != "GET" and thrown.rule.endpoint.startswith(("users", "second_factor")):
            is_other = thrown.changed & {"core_user", "core_grant", "core_second_factor"}
            if is_other or self.browser.get("/inbox/").status_code != 200:
                self._enter(turn)

    def _stage(self) -> None:
        db.session.execute(text(_STAGE), {"closed": self.reader.is_closed})
        db.session.commit()

    def _enter(self, turn: int) -> None:
        """Come in as somebody new."""
        who, world = f"{self.reader.name} {turn} {self.counts.total()}", self.house.world
        self.user: User = world.user(self.reader.code, self.reader.roles, who=who)
        self.browser: Browser = self.house.enter(self.user)

    def _throw(self, rule: Rule, method: str, turn: int) -> Throw:
        paths = self._surface.paths[rule.endpoint]
        if "run_id" in rule.arguments:
            run = self.house.runs[RUNS.get(rule.endpoint, -1)]
            paths = [self.house.path(rule, {"run_id": run}), *paths]
        if rule.endpoint.startswith(("accounts.", "statements.", "org.show")):
            paths = [self.house.path(rule, {"code": self.reader.code}), *paths]
        boxes = self._usual(self._surface.boxes.get(rule.endpoint) or UNSEEN.get(rule.endpoint, []))
        queries = self._surface.queries.get(rule.endpoint, ())
        number = crc32(f"{self.seed} {self.reader.name} {method} {rule.rule} {turn}".encode())
        return draw(number, paths, boxes, queries, method)

    def _usual(self, boxes: Sequence[Box]) -> list[Box]:
        """The boxes with what this reader would type."""
        flow = self.house.register.flow
        typed = TYPED | {
            "org_code": self.reader.code,
            "id_number": self.house.entry.number,
            "step": flow.transitions[0].code if flow else "",
        }
        return [replace(box, value=typed.get(box.name, box.value)) for box in boxes]

    def _with_code(self, throw: Throw) -> Throw:
        if ("code", CODE) not in throw.pairs:
            return throw
        code = code_of(self.user)
        return replace(throw, pairs=tuple((name, code if value == CODE else value) for name, value in throw.pairs))


def _phase(one: tuple[Rule, str]) -> int:
    rule, method = one
    if method == "GET":
        return LOOKING
    return LAST if rule.endpoint in TAKING or rule.endpoint.startswith(("users", "second_factor", "years")) else ADDING


def draw(number: int, paths: Sequence[str], boxes: Sequence[Box], queries: Sequence[Box], method: str) -> Throw:
    """The throw of this number: the last of a few, as Hypothesis begins with the simplest."""
    found: list[Throw] = []

    @seeded(number)
    @drawn(
        max_examples=2,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(throws(paths, boxes, queries, method))
    def collect(throw: Throw) -> None:
        found.append(throw)

    collect()
    return found[-1]


def failed_jobs() -> list[str]:
    """Jobs that ended otherwise than well or with a sentence for their user."""
    rows = db.session.execute(
        text("SELECT name, args, error, error_detail FROM core_job WHERE state NOT IN ('done', 'skipped')")
    )
    return [
        f"{row.name} {json.dumps(row.args)}: {row.error}\n{row.error_detail}"
        for row in rows
        if row.error_detail is not None or row.error is None
    ]


def _cut(value: str | bytes) -> str:
    shown = repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}… ({len(value)} in all)"


def _told(error: Exception) -> str:
    """The exception, where it was raised, and the last place of ours that it came through."""
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    ours = [place for place in places if "/site-packages/" not in place]
    return f"{type(error).__name__}: {_cut(str(error))} at {' from '.join(dict.fromkeys([places[-1], ours[-1]]))}"
