"""Trying every path with what is not one's own, and saying by which path something came through."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from core.api import Register, db
from core.imports.models import Import
from core.users.testing import Browser
from tests.matrix.asking import Answer, ask
from tests.matrix.reading import Label, Reader
from tests.matrix.ways import REMOVE, Sent, Target, Way, ways_of
from tests.matrix.world import Entry, Watch, World

Path = tuple[str, str]
#: Whoever is sent away gets a sentence without the page around it, which takes half of the time.
IN_PART = {"HX-Request": "true"}
#: Path -> what came through there.
Findings = dict[Path, list[str]]


class Probe:
    """Somebody who asks for everything that is not theirs."""

    def __init__(self, reader: Reader) -> None:
        self.world, self.browser = reader.world, reader.browser
        self.codes, self.numbers = reader.world.strange_to(reader.code)
        self._watch = Watch()
        self._nothing: dict[Way, Answer] = {}
        self.found: defaultdict[Path, list[str]] = defaultdict(list)

    def attack(self, register: Register, victims: Sequence[Entry], own: Entry) -> None:
        """Ask for things of others in every way. Where something comes through, that way is not tried again."""
        self._nothing = {}
        for way, turn in _turns(register, victims):
            for victim in turn:
                if reason := self._attacked(way, Target(self.world, victim, own)):
                    self.found[way.path].append(f"{register.code} {way.label} {victim.code}: {reason}")
                    break

    def look(self, register: Register, endpoint: str, sent: Sent, *, but: set[str]) -> None:
        """Ask for something that is there for all, in which unions other than ``but`` must not show."""
        answer = ask(self.browser, register, endpoint, "GET", sent)
        assert answer.status == 200, endpoint
        if betrayed := answer.betrays(self.codes - but, self.numbers):
            self.found[endpoint, "GET"].append(f"{register.code}: shows {', '.join(sorted(betrayed))}")

    def use(self, register: Register, mine: Sequence[Entry]) -> set[Path]:
        """Ask in every way for one's own: the paths on which that was answered, and did what it is to do."""
        worked = set()
        for way, turn in _turns(register, mine):
            if way is REMOVE:
                self.world.begin_flows()  # some registers keep what was submitted once
            for entry in turn:
                answer, changed = self._asked(way, Target(self.world, entry, mine[0])) or (None, ())
                if answer and answer.status < 400 and (changed or not way.writes):
                    worked.add(way.path)
                    break
        return worked

    def _attacked(self, way: Way, target: Target) -> str:
        asked = self._asked(way, target)
        if asked is None:
            return ""
        answer, changed = asked
        if written := [name for name in changed if name != "core_audit"]:  # who searches for a number leaves a line
            return f"changes {', '.join(written)}"
        plain = answer.without(*_named(way.sent(target), target))
        if betrayed := plain.betrays(self.codes if way.same else set(), self.numbers):
            return f"shows {', '.join(sorted(betrayed))}"
        if way.same and plain != self._missing(way, target):
            return f"tells it from nothing (status {answer.status})"
        return ""

    def _asked(self, way: Way, target: Target) -> tuple[Answer, list[str]] | None:
        """The answer, and the tables that it changed; none where there is no such thing to be asked for."""
        try:
            sent = way.sent(target)
        except LookupError:
            return None
        if way.method == "GET":
            return ask(self.browser, target.register, way.endpoint, way.method, sent, **IN_PART), []
        self._watch.begin()
        answer = ask(self.browser, target.register, way.endpoint, way.method, sent, **IN_PART)
        if way.endpoint != "imports.upload":
            return answer, self._watch.changed()
        if answer.status == 302:
            self._merge(target.register)
        return answer, [name for name in self._watch.changed() if name in _of_entries(target.register)]

    def _merge(self, register: Register) -> None:
        """Put what was uploaded last into the register, as far as it goes."""
        newest = db.session.query(Import).order_by(Import.id.desc()).first()
        assert newest is not None
        ask(self.browser, register, "imports.merge", "POST", Sent({"import_id": newest.id}, {"only_good": "y"}))
        self.world.run_jobs()

    def _missing(self, way: Way, target: Target) -> Answer:
        if way not in self._nothing:
            nothing = Target(target.world, target.entry, target.own, missing=True)
            sent = way.sent(nothing)
            answer = ask(self.browser, target.register, way.endpoint, way.method, sent, **IN_PART)
            self._nothing[way] = answer.without(*_named(sent, nothing))
        return self._nothing[way]


def compared(before: Mapping[Label, Answer], after: Mapping[Label, Answer], code: str) -> Findings:
    """Where answers are not what they were before there was anything of others."""
    found: defaultdict[Path, list[str]] = defaultdict(list)
    for (endpoint, method, label), answer in after.items():
        assert answer.status < 400, (endpoint, label, answer.status)
        if answer != before[endpoint, method, label]:
            lines = [line for line in answer.body.splitlines() if line not in before[endpoint, method, label].body]
            said = lines[0].decode("utf-8", "replace").strip()[:200] if lines else "less than before"
            found[endpoint, method].append(f"{code} {label}: another answer (status {answer.status}): {said}")
    return found


def refused(world: World, browser: Browser, register: Register, own: Entry, ways: Iterable[Way]) -> Findings:
    """Where somebody is not sent away who has no business there; nothing may change, and nothing show, either."""
    found: defaultdict[Path, list[str]] = defaultdict(list)
    watch = Watch()
    for way in ways:
        try:
            sent = way.sent(Target(world, own, own))
        except LookupError:
            continue
        watch.begin()
        answer = ask(browser, register, way.endpoint, way.method, sent, **IN_PART)
        changed = watch.changed()
        if not answer.is_refusal or changed:
            found[way.path].append(f"{register.code} {way.label}: status {answer.status}, changes {changed}")
    return found


def _turns(register: Register, entries: Sequence[Entry]) -> list[tuple[Way, list[Entry]]]:
    """Each way with the entries, each time beginning with another: what one way takes away, the next still finds."""
    turns = []
    for place, way in enumerate(ways_of(register)):
        at = place % len(entries)
        turns.append((way, [*entries[at:], *entries[:at]]))
    return turns


def _named(sent: Sent, target: Target) -> list[str]:
    """The ids of the target that stand in the request."""
    ids = {target.row, target.code, target.person, target.number, *map(target.id, target.entry.ids)}
    values = [*sent.values.values(), *(sent.data or {}).values()]
    said = {str(one) for value in values for one in (value if isinstance(value, list) else [value])}
    return sorted(said & set(map(str, ids)))


def _of_entries(register: Register) -> list[str]:
    return [register.model.__tablename__, "core_person"]
