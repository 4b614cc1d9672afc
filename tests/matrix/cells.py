"""The cells of the matrix: every route x who asks x from where x whether the program is on; and what each must come to.

What a route needs is declared once: the permission in tests/test_matrix.py, and here whose things its address names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask, current_app
from werkzeug.routing import Rule

from core.api import Register, Report
from core.plugin.registry import registry_of
from core.users.access import permission_of
from core.users.roles import ROLES
from core.web import marks
from tests.matrix.house import OWN_YEAR, PAID, Things
from tests.test_matrix import LOGIN, MATRIX, PUBLIC

#: Somebody without a role; somebody who is not logged in; and one with every role, who is asked for proofs only.
NOBODY, STRANGER, EVERY_ROLE = "nobody", "stranger", "every role"
WHO = (*ROLES, NOBODY)
STATES = ("on", "off", "closed")


@dataclass(frozen=True)
class Relation:
    """Where the reader sits and where the thing is. ``holds``: roles there reach the thing; ``sees``: that union lies
    in their scope or above it, so that what it announces is seen.
    """

    name: str
    reader: str
    place: str
    holds: bool
    sees: bool


RELATIONS = (
    Relation("own", "610102", "610102", holds=True, sees=True),
    Relation("below", "610102", "610102001", holds=True, sees=True),
    Relation("above", "610102", "6101", holds=False, sees=True),
    Relation("beside", "610102", "610103", holds=False, sees=False),
    Relation("another axis", "610102", "61-transport", holds=False, sees=False),
    Relation("the industry union above", "610102-bus", "61-transport", holds=False, sees=True),
    Relation("a member of the industry", "61-transport", "610102-bus", holds=True, sees=True),
    Relation("the county of a member", "61-transport", "610102", holds=False, sees=True),
)
NAMES = [relation.name for relation in RELATIONS]
#: Arguments that name something of a union; those of :data:`OTHERS` name nobody's.
IDS = {
    "row_id", "file_id", "import_id", "notice_id", "line_id", "objection_id", "export_id", "task_id", "user_id",
    "grant_id", "message_id", "session_id", "person_id", "consent_id", "run_id", "return_id", "booking_id", "entry_id",
    "account_id", "statement_id", "job_id", "activity_id", "rule_id", "visit_id", "lot_id", "program_year_id", "line",
    "transfer_id",
}  # fmt: skip
OTHERS = {
    "year", "sponsor", "program", "name", "code", "kind", "filename", "step", "book", "month", "program_code", "figure",
}  # fmt: skip
#: Blueprints in whose addresses ``<code>`` names a union.
OF_UNIONS = ("org", "accounts", "statements", "runs")
#: What belongs to one user alone, whatever union they are of.
OF_ONE_USER = {"exports.show", "exports.take", "inbox.follow", "users.end_session"}
#: What unions below the thing's see too: notices are announced to them, and the program of a sponsor above is theirs.
ANNOUNCED = {"notices.show", "notices.printed"}
#: What a role does only at the sponsor's own union, or above.
AT_SPONSOR = {
    "four_seasons.allotment", "four_seasons.allot", "four_seasons.own_funds", "hardship_aid.classify",
}  # fmt: skip
#: What is done for all unions at once, by who holds the permission at the province, where no reader sits.
AT_PROVINCE = {"ledger.periods", "ledger.period", "ledger.move_period"}
#: Pages that by their address alone lead nowhere: what they are about stands behind it.
ASKS_MORE = {"budget.allot_template"}
#: Pages of the file of a worker in hardship.
HARDSHIP_FILES = ("category", "compute", "decide", "take_back", "transfers_of", "ask_transfer")
#: Endpoint -> what stands for its argument where the plain name would not do.
SPECIAL: dict[str, dict[str, str]] = {
    "audit.show": {"line_id": "audit line"},
    "files.thumbnail": {"file_id": "picture_id"},
    "imports.columns": {"import_id": "mapping"},
    "imports.merge": {"import_id": "ready"},
    "imports.undo": {"import_id": "merged"},
    "four_seasons.visit_of_entry": {"entry_id": "visit entry"},
    "four_seasons_summer.visit_of_entry": {"entry_id": "summer entry"},
    "four_seasons_summer.lot_of_entry": {"entry_id": "lot entry"},
    **{f"four_seasons_summer.{name}": {"visit_id": "summer visit"} for name in ("visit", "undo_visit")},
    **{f"hardship_aid.{name}": {"file_id": "hardship file"} for name in HARDSHIP_FILES},
    **{f"runs.{name}": {"run_id": "cash run"} for name in ("sign_list", "handing_out", "hand_out", "confirm")},
}
VALUES = {
    "kind": "csv", "filename": "app.css", "step": "start", "book": "fund", "month": "2014-01",
    "program_code": "winter_warmth", "figure": "winter_warmth-raised",
}  # fmt: skip


@dataclass(frozen=True)
class Route:
    """A rule with one of its methods."""

    rule: Rule
    method: str

    @property
    def endpoint(self) -> str:
        """The endpoint."""
        return str(self.rule.endpoint)

    @property
    def area(self) -> str:
        """The blueprint."""
        return self.endpoint.partition(".")[0]

    @property
    def ids(self) -> set[str]:
        """The arguments that name something of a union."""
        return self.rule.arguments & IDS | ({"code"} & self.rule.arguments if self.area in OF_UNIONS else set())

    @property
    def of_program(self) -> bool:
        """Whether it lies behind the gate of the program years."""
        return {"year", "sponsor"} <= self.rule.arguments

    @property
    def is_placed(self) -> bool:
        """Whether the address names something of a union."""
        return bool(self.ids) or self.of_program

    @property
    def writes(self) -> bool:
        """Whether it is for those who change something."""
        return self.method not in ("GET", "HEAD")


@dataclass(frozen=True)
class Cell:
    """A route, asked by somebody from somewhere in some state of the program."""

    route: Route
    who: str
    relation: Relation
    state: str

    def __str__(self) -> str:
        route = self.route
        return f"{route.method} {route.endpoint} by {self.who}: {self.relation.name}, {self.state}"


def routes_of(app: Flask) -> list[Route]:
    """Every rule with each method that it answers itself; HEAD is GET without its body."""
    rules = app.url_map.iter_rules()
    return [Route(rule, method) for rule in rules for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})]


def cells_of(
    app: Flask, reader: str, who: str, states: Sequence[str] = STATES, only: Sequence[str] = ()
) -> Iterator[Cell]:
    """All cells of one reader with one role, in the order of the states, so that each is set once; ``only`` those of
    these relations.
    """
    mine = [relation for relation in RELATIONS if relation.reader == reader and relation.name in (only or NAMES)]
    for state in states:
        for route in routes_of(app):
            if MATRIX.get(route.endpoint) == PUBLIC or (state != "on" and (who == STRANGER or not route.of_program)):
                continue
            for relation in mine if route.is_placed else mine[:1]:
                yield Cell(route, who, relation, state)


def values_of(route: Route, things: Things, register: Register) -> dict[str, Any]:
    """What stands in the address: the things of a union, in a year of the province where they are named by an id."""
    special = SPECIAL.get(route.endpoint, {})
    values: dict[str, Any] = {name: VALUES[name] for name in route.rule.arguments if name in VALUES}
    values |= {name: things[special.get(name, name)] for name in route.ids}
    if "code" in route.rule.arguments and "code" not in values:
        values["code"] = "102" if route.area == "ledger" else register.flow.transitions[0].code if register.flow else ""
    if route.of_program:
        program = _program(route, register)
        by_id = bool(route.ids - {"code"})
        values |= {"program": program, "sponsor": "61" if by_id else things["code"]}
        values["year"] = (PAID if program == "aid" else 2014) if by_id else OWN_YEAR
    if "name" in route.rule.arguments:
        values["name"] = _report().name if route.area == "reports" else register.name
    return values


def form_of(route: Route, register: Register, things: Things) -> dict[str, Any] | None:
    """The least that a page takes: lists and flows are told what to do, two files of a person are named, all others
    get an empty form.
    """
    if route.endpoint == "people.merge_files":
        return {"dropped": things["person_id"]}
    if route.endpoint == "flows.move" and register.flow:
        return {"step": register.flow.transitions[0].code, "seen": datetime.now(UTC).isoformat()}
    if route.endpoint.endswith((".view", ".view_activities")):
        return {"do": "columns"}
    return {} if route.writes else None


def _program(route: Route, register: Register) -> str:
    if route.area in ("runs", "budget"):
        return "aid"
    if route.rule.defaults and "program" in route.rule.defaults:
        return str(route.rule.defaults["program"])
    if route.area == "reports":
        return _report().program
    return register.program if "name" in route.rule.arguments else "winter_warmth"


def _report() -> Report:
    return next(report for report in registry_of().reports.values() if report.program == "winter_warmth")


def needed(route: Route, register: Register) -> str:
    """The permission that the route asks for."""
    of_register = {
        "view": register.view_permission,
        "edit": register.edit_permission,
        "step": register.flow.transitions[0].permission if register.flow else register.edit_permission,
    }
    declared = MATRIX.get(route.endpoint) or of_plugin(route)
    said = REGISTERS.get((route.endpoint, route.method), declared)
    return of_register.get(said, said)


def of_plugin(route: Route) -> str:
    """What a page of a plugin that is not of the house asks for: what its view says, else to see the program."""
    asked = marks.permission_needed(current_app.view_functions[route.endpoint])
    return asked or registry_of().programs[str((route.rule.defaults or {})["program"])].view_permission


#: What a register asks for beside being seen.
REGISTERS = {
    ("registers.index", "GET"): "view",
    ("registers.show", "GET"): "view",
    ("registers.view", "POST"): "view",
    **dict.fromkeys([("registers.add", "GET"), ("registers.add", "POST")], "edit"),
    **dict.fromkeys([("registers.change", "GET"), ("registers.change", "POST")], "edit"),
    ("registers.remove", "POST"): "edit",
    ("registers.numbers", "POST"): "people.numbers",
    **dict.fromkeys([("files.index", "POST"), ("files.remove", "GET"), ("files.remove", "POST")], "edit"),
    **{(f"imports.{name}", "GET"): "edit" for name in ("index", "show", "errors", "template")},
    **{(f"imports.{name}", "POST"): "edit" for name in ("upload", "columns", "merge", "cancel", "undo")},
    ("flows.move", "POST"): "step",
    ("flows.move_chosen", "POST"): "step",
}


def is_allowed(app: Flask, cell: Cell, register: Register) -> bool:
    """Whether the reader must get what the cell asks for."""
    route, relation = cell.route, cell.relation
    if cell.who == STRANGER or not _holds(cell.who, needed(route, register)):
        return False
    if route.of_program:
        if cell.who == NOBODY or cell.state == "off":
            return False
        if cell.state == "closed" and _changes(app, route):
            return False
    if route.endpoint in OF_ONE_USER | AT_PROVINCE | ASKS_MORE:
        return False
    if not route.is_placed:
        return True
    by_id = bool(route.ids - {"code"}) or "code" in route.ids
    seen = route.endpoint in ANNOUNCED or (not by_id and route.endpoint not in AT_SPONSOR)
    return relation.sees if seen else relation.holds


def _changes(app: Flask, route: Route) -> bool:
    """Whether the page is there for changing something of the year; so are forms that lead to it."""
    leads_there = REGISTERS.get((route.endpoint, route.method)) == "edit"
    return leads_there or (route.writes and not marks.reads(app.view_functions[route.endpoint]))


def _holds(who: str, code: str) -> bool:
    if code == LOGIN:
        return True
    permission = permission_of(code)
    assert permission, code
    return who == EVERY_ROLE or who in permission.roles
