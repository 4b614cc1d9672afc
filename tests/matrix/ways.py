"""How each page is asked for that names a register, an entry, or something that hangs on one.

One line an endpoint and method: a page that nobody put here fails the test of the matrix. A way is asked with somebody
else's ids, and with ids that nothing has; the answers must be the same, and nothing may change.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update

from core.api import Flow, Register, scope_of
from core.extensions import db
from core.imports.fields import fields_of
from core.registers.history import values_of, write_seen
from core.users.access import today
from tests.matrix.filling import FILLED, choices_of, own_values, typed
from tests.matrix.world import MISSING, NO_UNION, Entry, World, marker_of

PDF = b"%PDF-1.4\n{}\n%%EOF\n"


@dataclass(frozen=True)
class Target:
    """Whose things are asked for: those of ``entry``, or (``missing``) such as there are none. ``reader`` is who asks,
    by the union; ``own`` their own entry.
    """

    world: World
    entry: Entry
    own: Entry
    missing: bool = False

    @property
    def register(self) -> Register:
        """The register that is asked."""
        return self.entry.register

    @property
    def row(self) -> int:
        """The entry."""
        return self.entry.row + MISSING * self.missing

    @property
    def code(self) -> str:
        """The code of the union."""
        return NO_UNION if self.missing else self.entry.code

    @property
    def person(self) -> int:
        """The person."""
        return (self.entry.person or 0) + MISSING * self.missing

    @property
    def number(self) -> str:
        """The identity number."""
        return self.world.nobody if self.missing else self.entry.number

    def id(self, name: str) -> int:
        """Something that hangs on the entry. Raises :class:`LookupError` where there is no such thing."""
        return self.entry.ids[name] + MISSING * self.missing


@dataclass
class Sent:
    """A request: the values of the address, what stands behind it, and the form."""

    values: dict[str, Any]
    data: dict[str, Any] | None = None


@dataclass(frozen=True)
class Way:
    """A way of asking. ``writes``: a POST that is to change something of the program year. ``label`` tells ways of the
    same page from each other. ``same``: nothing tells others' things from such as there are none.
    """

    endpoint: str
    method: str
    sent: Callable[[Target], Sent]
    writes: bool = False
    label: str = ""
    same: bool = True

    @property
    def path(self) -> tuple[str, str]:
        """Endpoint and method."""
        return self.endpoint, self.method


def of_row(target: Target) -> Sent:
    return Sent({"row_id": target.row})


def _purpose(target: Target) -> Sent:
    return Sent({"row_id": target.row}, {"purpose": "identity"})


def of_union(target: Target) -> Sent:
    """Unions above the reader's may be named; they lead to the reader's own entries."""
    scope = scope_of(target.world.user(target.own.code), target.register.view_permission, target.register.program)
    if scope.touches(target.world.org(target.entry.code).path) and target.entry is not target.own:
        raise LookupError
    return Sent({"org": target.code})


def of(*names: str, data: dict[str, Any] | None = None) -> Callable[[Target], Sent]:
    """What hangs on an entry: its number stands in the address as ``<name>_id``."""

    def sent(target: Target) -> Sent:
        return Sent({f"{name.partition(':')[0]}_id": target.id(name) for name in names}, data)

    return sent


def of_import(state: str, data: dict[str, Any] | None = None) -> Callable[[Target], Sent]:
    return lambda target: Sent({"import_id": target.id(state)}, data)


def of_file(name: str = "file", *, by_own: bool = False) -> Callable[[Target], Sent]:
    """A file of the entry; ``by_own``: below the address of the reader's own entry."""
    return lambda target: Sent({"row_id": target.own.row if by_own else target.row, "file_id": target.id(name)})


def people_only(sent: Callable[[Target], Sent]) -> Callable[[Target], Sent]:
    def asked(target: Target) -> Sent:
        if not target.register.of_people:
            raise LookupError
        return sent(target)

    return asked


def _change(target: Target) -> Sent:
    entry = target.entry
    row = db.session.get_one(entry.register.model, entry.row)
    form = entry.register.form()
    changed = {
        name: value if choices_of(form[name]) or f"{entry.register.code}:{name}" in FILLED else _other(value)
        for name, value in entry.values.items()
    }
    data = typed(entry.register.form, changed) | {"seen": write_seen(values_of(entry.register, row))}
    return Sent({"row_id": target.row}, data)


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, str):
        return f"{value}."
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) else value


def _add(target: Target) -> Sent:
    """An entry of a union that has none yet, below that of the target."""
    code = target.world.new_union(target.entry.code)
    values = own_values(target.register, marker_of(code))  # as what was put before it has them
    return Sent({}, target.world.whose(target.register, code) | typed(target.register.form, values))


def sheet(world: World, register: Register, code: str, *, extra: str = "", wrong: str = "") -> tuple[list[str], bytes]:
    """The fields and the text of a CSV file for the register with an entry of this union, or of no such union."""
    form = register.form()
    values: dict[str, Any] = world.whose(register, code)
    if wrong:
        values |= {name: wrong for name in ("org_code", "id_number") if name in values}
    for name, text in typed(register.form, own_values(register, marker_of(code))).items():
        titles = choices_of(form[name])
        values[name] = "、".join(titles.get(one) or one for one in (text if isinstance(text, list) else [text]))
    fields = [field for field in fields_of(register) if field.name in values]
    head = [field.heading for field in fields] + [extra] * bool(extra)
    line = [str(values[field.name]) for field in fields] + ["x"] * bool(extra)
    return [field.name for field in fields] + [""] * bool(extra), f"{','.join(head)}\n{','.join(line)}\n".encode()


def _upload(target: Target) -> Sent:
    code = target.world.new_union(target.entry.code)
    return Sent({}, {"file": (io.BytesIO(sheet(target.world, target.register, code)[1]), "list.csv")})


def _columns(target: Target) -> Sent:
    names, _text = sheet(target.world, target.register, target.entry.code, extra="备忘")
    return Sent({"import_id": target.id("mapping")}, {"column": names})


def _move(flow: Flow, code: str, *, chosen: bool, sure: bool = False) -> Callable[[Target], Sent]:
    """Take a step with an entry that stands where the step leads out of."""

    def sent(target: Target) -> Sent:
        step = flow.transition(code)
        assert step is not None
        model = target.register.model
        level = "county" if "county" in step.levels else next(iter(step.levels), None)
        values = {"state": step.sources[0], "at_level": level}
        db.session.execute(update(model).where(model.id == target.entry.row).values(**values))
        db.session.commit()
        data: dict[str, Any] = {"seen": datetime.now(UTC).isoformat(), "comment": "because", "level": ""}
        if chosen:
            return Sent({"code": code}, data | {"row": [target.row]} | ({"sure": "1"} if sure else {}))
        return Sent({"row_id": target.row}, data | {"step": code})

    return sent


def _notice(target: Target) -> Sent:
    data = {
        "title": "公示", "contact": "办公室", "working_days": 5, "org_code": target.own.code, "expected": 1,
        "row": [target.row],
    }  # fmt: skip
    return Sent({}, data)


DECISION = {"upheld": "no", "reason": "查无实据"}
ABOUT_A_LINE = ("notice", "line")


def _line_for_all(target: Target) -> Sent:
    return Sent({"notice_id": target.own.ids["province"], "line_id": target.id("province line")})


def _objection(target: Target) -> Sent:
    data = {"text": "不属实", "raised_by": "", "contact": "", "received_on": today().isoformat()}
    return of("notice", "line", data=data)(target)


def _about_person(target: Target) -> Sent:
    return people_only(lambda one: Sent({"person": one.person}))(target)


def _exact_number(target: Target) -> Sent:
    return people_only(lambda one: Sent({}, {"do": "find", "id_number": one.number}))(target)


#: Pages that ask for something by a number, a code or what stands in a form.
BY_ID: list[Way] = [
    Way("registers.index", "GET", of_union, label="filter by union"),
    Way("registers.index", "GET", _about_person, label="filter by person"),
    Way("registers.view", "POST", _exact_number, label="exact number"),
    Way("registers.add", "POST", _add, writes=True, same=False),
    Way("registers.show", "GET", of_row),
    Way("registers.numbers", "POST", people_only(_purpose), writes=True),
    Way("registers.change", "GET", of_row),
    Way("registers.change", "POST", _change, writes=True),
    Way("imports.upload", "POST", _upload, writes=True, same=False),
    Way("imports.show", "GET", of_import("staged")),
    Way("imports.show", "GET", of_import("mapping"), label="columns"),
    Way("imports.show", "GET", of_import("merged"), label="merged"),
    Way("imports.errors", "GET", of_import("staged")),
    Way("imports.columns", "POST", _columns, writes=True),
    Way("imports.merge", "POST", of_import("ready", {"only_good": "y"}), writes=True),
    Way("imports.cancel", "POST", of_import("staged"), writes=True),
    Way("imports.undo", "POST", of_import("merged"), writes=True),
    Way("files.index", "GET", of_row),
    Way("files.index", "POST", lambda target: Sent({"row_id": target.row}, {"file": (io.BytesIO(PDF), "证明.pdf")}),
        writes=True),
    Way("files.download", "GET", of_file()),
    Way("files.download", "GET", of_file(by_own=True), label="below another entry"),
    Way("files.thumbnail", "GET", of_file("picture")),
    Way("files.thumbnail", "GET", of_file("picture", by_own=True), label="below another entry"),
    Way("files.remove", "GET", of_file()),
    Way("files.remove", "POST", of_file(), writes=True),
    Way("files.remove", "POST", of_file("picture", by_own=True), writes=True, label="below another entry"),
    Way("notices.new", "POST", lambda target: Sent({}, {"row": [target.row]})),
    Way("notices.post", "POST", _notice, writes=True),
    Way("notices.show", "GET", of("notice")),
    Way("notices.printed", "GET", of("notice")),
    Way("objections.index", "GET", of(*ABOUT_A_LINE)),
    Way("objections.index", "GET", _line_for_all, label="in a notice of a union above"),
    Way("objections.index", "POST", _objection, writes=True),
    Way("objections.contact", "POST", of(*ABOUT_A_LINE, "objection"), writes=True),
    Way("objections.decide", "POST", of(*ABOUT_A_LINE, "objection", data=DECISION), writes=True),
    Way("notices.withdraw", "POST", of("notice", data={"reason": "有误"}), writes=True),
    Way("exports.show", "GET", of("export")),
    Way("exports.take", "GET", of("export")),
    Way("tasks.urge", "POST", of("task"), writes=True),
    Way("reports.show", "GET", of_union, label="look into a union"),
    Way("reports.download", "GET", of_union, label="look into a union"),
]  # fmt: skip


def _remove(target: Target) -> Sent:
    """Take an entry out, where its flow begins."""
    model, flow = target.register.model, target.register.flow
    if flow:
        db.session.execute(update(model).where(model.id == target.entry.row).values(state=flow.initial, at_level=None))
        db.session.commit()
    return of_row(target)


REMOVE = Way("registers.remove", "POST", _remove, writes=True)


def moves(register: Register) -> Iterator[Way]:
    """Every step of the register's flow, with one entry and with chosen ones."""
    flow = register.flow
    if flow is None:
        return
    yield Way("flows.move_chosen", "POST", _move(flow, flow.transitions[0].code, chosen=True), label="ask back")
    for step in flow.transitions:
        first = step is flow.transitions[0]  # that others' entries look like none is asked once
        sent = _move(flow, step.code, chosen=True, sure=True)
        yield Way("flows.move_chosen", "POST", sent, writes=True, label=step.code, same=first)
        sent = _move(flow, step.code, chosen=False)
        yield Way("flows.move", "POST", sent, writes=True, label=step.code, same=first)


def ways_of(register: Register) -> list[Way]:
    """Every way to something of a register by its number; what takes entries away comes last."""
    return [*BY_ID, *moves(register), REMOVE]


#: The pages of flows, by which every step is taken.
FLOWS = {("flows.move", "POST"), ("flows.move_chosen", "POST")}
#: Pages of a register that show no entry of anybody.
EMPTY = {("registers.add", "GET"), ("imports.template", "GET")}
#: Pages of a register that name no entry: what they show is compared with and without entries of others.
LISTS = EMPTY | {
    ("registers.index", "GET"), ("registers.view", "POST"), ("imports.index", "GET"), ("notices.index", "GET"),
    ("reports.show", "GET"), ("reports.download", "GET"),
}  # fmt: skip
#: What waits.
TASKS = {("tasks.index", "GET"), ("tasks.overdue", "GET")}
#: The same of its exports.
EXPORTS = {
    ("exports.index", "GET"),
    ("exports.new", "GET"),
    ("exports.new", "POST"),
    ("exports.show", "GET"),
    ("exports.take", "GET"),
}


def lists_of(register: Register) -> list[Way]:
    """The lists of a register as ways to ask, and the form of its export."""
    ways = [Way(*path, lambda _target: Sent({}, {"do": "columns"})) for path in sorted(LISTS)]
    return ways + [Way(*path, _export) for path in sorted(EXPORTS) if path[0] == "exports.new"]


def _export(target: Target) -> Sent:
    return Sent({"list": target.register.code, "in": target.entry.year.id}, {"kind": "csv", "columns": ["org"]})


def changing(register: Register) -> list[Way]:
    """The ways that are for who may change something, while the year is open."""
    forms = {("registers.add", "GET"), ("registers.change", "GET"), ("files.remove", "GET")}
    ways = [*lists_of(register), *ways_of(register)]
    return [
        way
        for way in ways
        if way.path in forms
        or way.endpoint.startswith("imports.")
        or (way.method == "POST" and not way.endpoint.startswith(("registers.view", "exports.", "tasks.")))
    ]
