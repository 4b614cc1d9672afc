"""One house with something behind every address: whom its users are, where each page stands, what its forms ask."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import Flask
from sqlalchemy import text
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from core.api import SYSTEM, ProgramYear, User, db, fund_from_own, today
from core.disbursements import payout, services
from core.disbursements.approval_rules import add_rule
from core.disbursements.approvals import Stage
from core.disbursements.banking import returns, statements
from core.disbursements.models import Run
from core.privacy import consents
from core.programs.services import change_settings
from core.users.testing import AsUser, Browser
from plugins.four_seasons.visits.services import Visited, record_visit
from tests.disbursements.banking import as_csv, payments, row
from tests.disbursements.conftest import add_people
from tests.fuzzing.reading import Box, Page
from tests.matrix.furnishing import furnish
from tests.matrix.world import World

COUNTY = "610102"
#: Name of a number in an address -> the table that it is of.
TABLES = {
    "run_id": "core_run",
    "booking_id": "core_allotment",
    "visit_id": "four_seasons_visit",
    "lot_id": "four_seasons_lot",
    "entry_id": "core_entry",
    "rule_id": "core_approval_rule",
    "message_id": "core_message",
    "job_id": "core_job",
    "account_id": "core_account",
    "activity_id": "core_activity",
    "consent_id": "core_consent",
    "return_id": "core_bank_return",
    "session_id": "core_session",
    "statement_id": "core_statement",
    "task_id": "core_task",
    "user_id": "core_user",
    "grant_id": "core_grant",
    "program_year_id": "core_program_year",
}
#: What stands in the address of other parts, where it is none of a number.
PARTS: dict[str, list[Any]] = {
    "year": [2014, 0, 9999, 10**6, 10**30],
    "sponsor": ["61", "610102", "6101", "%00", "长", "61%2F", "x" * 300],
    "code": ["61", "610102", "nobody", "%00", "%ED%A0%80", "1" * 300, "%25", "a%0Ab"],
    "book": ["1", "610102", "61", "x", "%00", "9" * 30],
    "month": ["2014-01", "2014-13", "0000-00", "9999-12", "x", "%00", "2014-1", "99999-01"],
    "step": ["start", "ask", "cancel", "close", "agree", "lock"],
    "kind": ["xlsx", "csv"],
    "program_code": ["aid", "winter_warmth", "nothing", "%00"],
    "filename": ["app.css", "../core/config.py", "..%2f..%2fsetup.cfg", "%00", "a" * 300, "%2e%2e/%2e%2e/etc/passwd"],
}
#: Parts of which there is one that leads somewhere, and where it stands.
_ACCOUNT = "SELECT code FROM core_account ORDER BY id LIMIT 1"
_PERIOD = {
    "book": "SELECT book FROM core_period ORDER BY first_on, book LIMIT 1",
    "month": "SELECT to_char(first_on, 'YYYY-MM') FROM core_period ORDER BY first_on, book LIMIT 1",
}
FOUND = {
    "ledger.accounts": {"code": _ACCOUNT},
    "ledger.download_accounts": {"code": _ACCOUNT},
    "ledger.period": _PERIOD,
    "ledger.move_period": _PERIOD,
    "statements.match": {"line": "SELECT max(line) FROM core_statement_line"},
}
PAID = (
    "SELECT code FROM core_bank_file JOIN core_org ON core_org.id = core_bank_file.org_id ORDER BY core_org.id LIMIT 1"
)
NUMBERS = [0, 1, 2**31, 2**63 - 1, 2**63, 10**30]
PART = re.compile(r"<(?:[a-z]+(?:\([^)]*\))?:)?(?P<name>\w+)>")


@dataclass
class Surface:
    """What can be thrown at: for each endpoint and method its addresses, and what its forms and links name."""

    paths: dict[str, list[str]] = field(default_factory=dict)
    boxes: dict[str, list[Box]] = field(default_factory=dict)
    queries: dict[str, list[Box]] = field(default_factory=dict)


class House:
    """The world of the matrix with money, runs and files in it."""

    def __init__(self, app: Flask, world: World, as_user: AsUser) -> None:
        self.app, self.world, self._as_user = app, world, as_user
        self.register = next(item for item in world.registers if item.of_people and item.flow)
        self.entry = world.entry(self.register, COUNTY)
        furnish(world, self.entry)
        self.aid: ProgramYear = world.years["aid"]
        settings = {**self.aid.settings, "pool": 10_000, "notice_working_days": 0}
        change_settings(SYSTEM, self.aid, settings, version=self.aid.settings_version)
        for first, code in enumerate(("610102001", "6102", "610103")):
            add_people(world.org(code), 3, first=3 * first)
        self._note_down()  # first, as the newest booking is to be one of the runs
        self._pay()
        self._bring_back()
        db.session.commit()

    def _pay(self) -> None:
        """A draft, a computed run, one that waits for approval, and one whose bank files stand."""
        world, year = self.world, self.aid
        clerk, finance, reviewer = (world.user("61", who=who) for who in ("clerk", "finance", "reviewer"))
        amounts = {world.org(code).id: 1_000_000 for code in ("6101", "6102", "6111", COUNTY)}
        fund_from_own(
            finance, year, key="own", amounts=amounts, effective_on=today().replace(month=1, day=1), description="自筹"
        )
        self.runs: list[int] = []
        for last, code in (("draft", "61"), ("computed", "6102"), ("submitted", "610103"), ("posted", "61")):
            run = services.create_run(clerk, year, "aid.everybody", last, world.org(code))
            self.runs.append(run.id)
            if last != "draft":
                self._computed(clerk, run)
            if last in ("submitted", "posted"):
                services.submit(clerk, run)
        services.decide(reviewer, run, approve=True, comment="")
        payout.post(finance, run, today())
        payout.start_bank_files(finance, run)
        world.run_jobs()

    def _bring_back(self) -> None:
        """What came from the bank of the posted run, and a statement."""
        run, finance = db.session.get_one(Run, self.runs[-1]), self.world.user("61", who="finance")
        returns.upload(finance, run, io.BytesIO(as_csv([row(payments(run)[0])])), "回盘.csv")
        self.world.run_jobs()
        head = ("交易日期", "金额", "收支", "对方户名", "摘要")
        text = as_csv([(today().isoformat(), "1.23", "支出", "x", "x")], head)
        statements.upload(finance, self.world.org("61"), io.BytesIO(text), "对账单.csv")

    def _note_down(self) -> None:
        """A consent, a rule about approvals of another year, and a visit."""
        clerk, province = self.world.user("61", who="clerk"), self.world.org("61")
        consents.give(clerk, self.entry.person or 0, consents.processings()[-1].code, date(2014, 3, 1), "档案柜")
        stages = [Stage(title="x", level="run", policy="any", n=1)]
        add_rule(clerk, year=2015, org=province, program=None, from_fen=0, stages=stages)
        year = self.world.years["winter_warmth"]
        amounts = {province.id: 1_000_000}
        fund_from_own(clerk, year, key="visits", amounts=amounts, effective_on=date(2014, 1, 2), description="慰问")
        visited = Visited(
            key="visit", org_code="61", visited_on=date(2014, 2, 1), party="x", kind="cash", amount_fen=100_00,
            source="union", unit="x",
        )  # fmt: skip
        record_visit(clerk, year, visited)

    def _computed(self, clerk: User, run: Run) -> None:
        services.start_computing(clerk, run)
        self.world.run_jobs()
        db.session.refresh(run)
        assert run.state == "computed", run.error

    def enter(self, user: User) -> Browser:
        """A browser of somebody, logged in."""
        return self._as_user(user)

    def rules(self) -> Iterator[tuple[Rule, str]]:
        """Every rule with each method that a page uses; what only reads comes first, one's own account last."""
        found = [
            (rule, method)
            for rule in self.app.url_map.iter_rules()
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        ]
        last = ("users.", "second_factor.", "users_admin.", "years.")
        return iter(sorted(found, key=lambda one: (one[1] != "GET", one[0].endpoint.startswith(last), one[0].endpoint)))

    def paths(self, rule: Rule) -> list[str]:
        """Addresses of a rule: the one that leads somewhere, then each of its parts with what leads nowhere."""
        parts = [match["name"] for match in PART.finditer(rule.rule)]
        values = {name: self._values(rule, name) for name in parts}
        usual = {name: found[0] for name, found in values.items()}
        changed = [usual | {name: value} for name, found in values.items() for value in found[1:]]
        filled = [PART.sub(lambda match: str(one[match["name"]]), rule.rule) for one in (usual, *changed)]  # noqa: B023
        return list(dict.fromkeys(filled))

    def path(self, rule: Rule, more: dict[str, Any]) -> str:
        """The right address of a rule, but for ``more``."""
        parts = {match["name"]: self._values(rule, match["name"])[0] for match in PART.finditer(rule.rule)}
        return PART.sub(lambda match: str((parts | more)[match["name"]]), rule.rule)

    def _values(self, rule: Rule, name: str) -> list[Any]:
        area = rule.endpoint.partition(".")[0]
        if name == "program":
            own = "winter_warmth" if area == "reports" else self.register.program
            program = "aid" if area in ("runs", "budget", "programs") else own
            return [program, "winter_warmth", "nothing", "%00"]
        if rule.endpoint in FOUND and name in FOUND[rule.endpoint]:
            return [db.session.execute(text(FOUND[rule.endpoint][name])).scalar(), *PARTS.get(name, NUMBERS)]
        if area == "runs" and name == "code":
            return [db.session.execute(text(PAID)).scalar(), *PARTS[name]]
        if name == "name":
            known = "on_file" if area == "reports" else self.register.code.partition(".")[2]
            return [known, "nothing", "%00", "%25", "x" * 300]
        if name == "code" and rule.endpoint == "flows.move_chosen":
            return [self.register.flow.transitions[0].code if self.register.flow else "x", "nothing", "%00"]
        if name in PARTS:
            return PARTS[name]
        return [self.number(name), *NUMBERS, *(self.runs if name == "run_id" else ())]

    def number(self, name: str) -> int:
        """The number of one thing that there is, where a rule asks for one by this name; 1 where there is none."""
        if name in TABLES:
            table = TABLES[name]
            found = db.session.execute(text(f"SELECT max(id) FROM {table}")).scalar()  # noqa: S608 - a name of ours
            return int(found or 1)
        if name == "row_id":
            return self.entry.row
        if name == "person_id":
            return self.entry.person or 1
        known = {"import_id": "staged"}.get(name, name.removesuffix("_id"))
        return self.entry.ids.get(known, 1)

    def surface(self, browser: Browser) -> Surface:
        """What a reader's pages offer, read once with the right addresses."""
        surface = Surface()
        for rule, _method in self.rules():
            surface.paths[rule.endpoint] = self.paths(rule)
        for rule, method in self.rules():
            if method != "GET" or rule.endpoint == "static":
                continue
            runs = self.runs if "run_id" in rule.arguments else ()  # each has other forms on its page
            for path in [self.path(rule, {"run_id": run}) for run in runs] or surface.paths[rule.endpoint][:1]:
                answer = browser.get(path)
                if answer.status_code == 200 and answer.mimetype == "text/html":
                    self._read(surface, Page(answer.text, path))
                answer.close()
        return surface

    def _read(self, surface: Surface, page: Page) -> None:
        for sheet in page.sheets:
            endpoint = self._endpoint(sheet.action, sheet.method)
            known = surface.boxes if sheet.method == "POST" else surface.queries
            if endpoint and len(known.get(endpoint, ())) < len(sheet.boxes):
                known[endpoint] = sheet.boxes
        for path, boxes in page.asked:
            endpoint = self._endpoint(path, "GET")
            if endpoint:
                known_names = {box.name for box in surface.queries.setdefault(endpoint, [])}
                surface.queries[endpoint] += [box for box in boxes if box.name not in known_names]

    def _endpoint(self, path: str, method: str) -> str | None:
        try:
            return str(self.app.url_map.bind("localhost").match(path, method)[0])
        except HTTPException:
            return None
