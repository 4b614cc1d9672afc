"""Everything that a reader can see of a register without naming anything of others.

The same is asked before and after others have entries; nothing in the answers may tell the one from the other.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from core.api import Register, Scope, scope_of
from core.exports.models import Export
from core.exports.services import password_of
from core.extensions import db
from core.lists.forms import PREFIX, SPANS, filtered
from core.lists.queries import Asked, every_line
from core.lists.types import Listing
from core.registers.listing import listing_of
from core.reports.queries import dimensions_of, reports_of
from core.web.home import my_count
from tests.matrix.asking import Answer, ask
from tests.matrix.ways import LISTS, Sent
from tests.matrix.world import Entry, World

Label = tuple[str, str, str]
IN_PART = {"HX-Request": "true", "HX-Target": "list"}
TOTALS = {"HX-Request": "true", "HX-Target": "list-totals"}
#: Pages that show something of every register.
EVERYWHERE = ("home.index", "tasks.index", "tasks.overdue", "programs.index")


class Reader:
    """Somebody of a union with every role, who reads registers from there; ``briefly``: not in every way."""

    def __init__(self, world: World, code: str, *, briefly: bool = False) -> None:
        self.world, self.code, self._briefly = world, code, briefly
        self.user = world.user(code)
        self.browser = world.browser(self.user)

    def all(self) -> dict[str, dict[Label, Answer]]:
        """Register -> all that there is to be seen of it."""
        seen = {register.code: self.register(register) for register in self.world.registers}
        return seen | {"every page": self.everywhere()}

    def everywhere(self) -> dict[Label, Answer]:
        """The pages that belong to no one register."""
        register, pages = self.world.registers[0], self.browser.application.jinja_env.globals
        pages["my_count"] = my_count
        found = {(page, "GET", ""): ask(self.browser, register, page, "GET", Sent({})) for page in EVERYWHERE}
        for register in self.world.registers:
            found["programs.home", "GET", register.program] = ask(
                self.browser, register, "programs.home", "GET", Sent({})
            )
        pages["my_count"] = int
        return found

    def register(self, register: Register) -> dict[Label, Answer]:
        """All of a register."""
        found: dict[Label, Answer] = {}
        own = self.world.entry(register, self.code)
        for endpoint, method, label, sent, headers in self._asked(register, own):
            found[endpoint, method, label] = ask(self.browser, register, endpoint, method, sent, **headers)
        found |= self._exported(register)
        ask(self.browser, register, "inbox.read_all", "POST", Sent({}))
        return found

    def _asked(self, register: Register, own: Entry) -> Iterator[tuple[str, str, str, Sent, dict[str, str]]]:
        listing = listing_of(register, own.year)
        queries = _addresses(listing, scope_of(self.user, register.view_permission, register.program))
        for query in islice(queries, 1 if self._briefly else None):
            yield "registers.index", "GET", str(query), Sent(query), IN_PART
        yield "registers.index", "GET", "the totals alone", Sent({}), TOTALS
        for form in () if self._briefly else _choices(listing):
            yield "registers.view", "POST", str(form), Sent({}, form), {}
            yield "registers.index", "GET", f"after {form}", Sent({"totals": "1"}), IN_PART
        for endpoint, method in sorted(LISTS):
            if method == "GET":
                yield endpoint, "GET", "", Sent({}), {}
        for endpoint in ("registers.show", "registers.change", "files.index"):
            yield endpoint, "GET", "own", Sent({"row_id": own.row}), {}
        for report in reports_of(self.user, own.year):
            if report.code not in {other.code for other in self.world.registers if other is not register}:
                names = [column.name for column in dimensions_of(self.user, own.year, report)]
                for by in [*([name] for name in names), names]:
                    look = Sent({"name": report.name, "by": by, "compare": "y"})
                    yield "reports.show", "GET", f"{report.name} by {by}", look, {}
                look = Sent({"name": report.name, "by": names})
                yield "reports.download", "GET", report.name, look, {}
        yield "exports.new", "GET", "", Sent({"list": register.code, "in": own.year.id}), {}

    def _exported(self, register: Register) -> dict[Label, Answer]:
        """The files, made by the job: all columns, and a file of what was searched for."""
        listing = listing_of(register, self.world.years[register.program])
        known = {"list": register.code, "in": self.world.years[register.program].id}
        found: dict[Label, Answer] = {}
        for kind, query in (("xlsx", {}), ("csv", {"text": "zq"}))[: 1 if self._briefly or not listing.search else 2]:
            form = {"kind": kind, "columns": [column.name for column in listing.columns], "purpose": "report"}
            answer = ask(self.browser, register, "exports.new", "POST", Sent(known | query, form))
            found["exports.new", "POST", kind] = Answer(answer.status, b"")
            self.world.run_jobs()
            export = db.session.query(Export).order_by(Export.id.desc()).first()
            if export is None or export.key is None:
                continue
            shown = ask(self.browser, register, "exports.show", "GET", Sent({"export_id": export.id}))
            file = Sent({"export_id": export.id})
            taken = ask(self.browser, register, "exports.take", "GET", file, password=password_of(export) or "")
            found["exports.show", "GET", kind] = Answer(shown.status, str(export.rows).encode())
            found["exports.take", "GET", kind] = taken.without(export.id)  # a file of people says its number
        return found


def _addresses(listing: Listing, scope: Scope) -> Iterator[dict[str, Any]]:
    """An address of the list for each way to ask: every sort, every filter with what the reader's entries hold."""
    lines = list(every_line(listing, scope, Asked(), listing.columns))
    yield {"totals": "1"}
    for column in listing.columns:
        if column.sort:
            yield {"sort": column.name}
            yield {"sort": "-" + column.name}
    for column in filtered(listing):
        value = next((line.values[column.name] for line in lines if line.values[column.name] is not None), None)
        if column.kind in SPANS:
            yield {f"{PREFIX}{column.name}-from": "2000-01-01" if SPANS[column.kind] == "date" else "0", "totals": "1"}
        elif column.kind == "choice":
            for code in list(column.choices)[:2]:
                yield {PREFIX + column.name: code, "totals": "1"}
        elif value is not None:
            for how in ("has", "begins"):
                yield {PREFIX + column.name: str(value)[:2], f"{PREFIX}{column.name}-how": how, "totals": "1"}
    if listing.search:
        for text in ("zq", "zq-6", "q"):
            yield {"text": text, "totals": "1"}
    yield {"org": "610102", "totals": "1"}


def _choices(listing: Listing) -> list[dict[str, Any]]:
    """What a reader chooses for the list, and takes back."""
    return [
        {"do": "columns", "column": [column.name for column in listing.columns]},
        {"do": "save", "name": "收藏"},
        {"do": "delete", "name": "收藏"},
        {"do": "columns", "column": []},
    ]
