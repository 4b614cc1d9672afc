"""The campaign itself, step by step, through the command line and the pages."""

import csv
import io
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from plugins.four_seasons.demo.browser import Browser, Page, fen, number, table_rows
from plugins.four_seasons.demo.house import DemoError, House

YEAR, SPONSOR = "2014", "61"
BASE = f"/{YEAR}/{SPONSOR}/winter_warmth"
POOL, FROM_PROVINCE = "125000000.00", "11000000.00"
FUNDED_ON = "2014-01-06"
EFFECTIVE_ON = "2014-01-24"
#: Yuan a head and month.
SUBSISTENCE_LINE = "500.00"
PATIENCE = 300.0
_STAT = re.compile(r'class="stat-value">([0-9,]+)<')


@dataclass
class Account:
    """Somebody who can log in."""

    username: str
    name: str
    org: str
    roles: str


@dataclass
class Demo:
    """What is known so far; ``seconds`` by phase, ``report`` by key of the closing JSON object."""

    house: House
    people: int
    say: Callable[[str], None]
    # Letters at both ends: a common word with nothing but digits beside it is refused.
    password: str = field(default_factory=lambda: f"winter-{secrets.token_hex(4)}-warmth")
    accounts: list[Account] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    run_id: str = ""
    bank_lines: int = 0
    bank_fen: int = 0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase and say how long it took."""
        begun = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - begun, 2)
        self.say(f"{name:<12} {self.seconds[name]:6.2f} s")

    def winter(self) -> None:
        """The winter, from the empty folder to the bank files. Raises :class:`DemoError` where it stops."""
        self._prepare()
        with self.phase("log in"):
            self.house.wait_for_web()
            both, reviewer, finance = (self.browser(role) for role in ("both", "reviewer", "finance"))
        with self.phase("list"):
            both.get(f"{BASE}/coverage")
            both.post(f"{BASE}/coverage/take")
        with self.phase("allotment"):
            self._allot(finance)
        with self.phase("compute"):
            run_id = self.new_run(both, BASE, "four_seasons.winter", "2014年元旦春节送温暖")
            self.compute(both, BASE, run_id)
        with self.phase("approval"):
            self._approve(both, reviewer, run_id)
        with self.phase("posting"):
            self.post(finance, BASE, run_id, EFFECTIVE_ON)
        with self.phase("bank files"):
            self._bank_files(finance, run_id)
        self.run_id = run_id

    def _prepare(self) -> None:
        """Tables, unions, people, users, the year and its list; web and worker get ready meanwhile."""
        with self.phase("services"):
            self.house.zhijia("db", "upgrade")
        self.house.start_web()
        self.house.start_worker()
        with self.phase("unions"):
            self.house.zhijia("orgs", "load", "core/org/data/divisions-shaanxi.csv")
        self.house.side_by_side(self._make_people, self._make_users)
        with self.phase("files"):
            self.house.zhijia("hardship-aid", "make-files", "--year", YEAR, "--sponsor", SPONSOR)

    def _make_people(self) -> None:
        with self.phase("people"):
            self.house.zhijia("people", "make", "--count", str(self.people), "--seed", YEAR)

    def _make_users(self) -> None:
        with self.phase("users"):
            self._make_accounts()
        with self.phase("year"):
            settings = {"rule": "pool", "pool": POOL, "province_allotment": FROM_PROVINCE, "notice_working_days": "0"}
            settings |= {"starts_on": "2014-01-01", "ends_on": "2014-01-30"}
            self.enable("winter_warmth", settings)
            self.enable("hardship_aid", {"line": SUBSISTENCE_LINE})

    def enable(self, program: str, settings: dict[str, str]) -> None:
        """Switch the program on for the year."""
        options = [text for key, value in settings.items() for text in ("--set", f"{key}={value}")]
        self.house.zhijia("years", "enable", program, "--year", YEAR, "--sponsor", SPONSOR, *options)

    def _make_accounts(self) -> None:
        """One user for each role, and a clerk who becomes reviewer, to see that nobody approves their own work."""
        zhijia = self.house.zhijia
        zhijia("users", "demo", "--password", self.password)
        add = ["--name", "程双岗", "--org", SPONSOR, "--role", "clerk", "--password", self.password]
        zhijia("users", "add", "both", "--keep", *add)
        for line in zhijia("users", "list").splitlines():
            username, name, org, _state, roles = line.split("\t")
            self.accounts.append(Account(username, name, org, roles))

    def browser(self, role: str) -> Browser:
        """A new browser, logged in as who is called like their role for the province."""
        if role not in {account.username for account in self.accounts}:
            raise DemoError(f"There is no user {role}.")
        return Browser(self.house.address).log_in(role, self.password)

    def _allot(self, finance: Browser) -> None:
        page = finance.get(f"{BASE}/")
        stat = _STAT.search(page.text)
        self.report["people_on_file"] = number(stat[1]) if stat else 0
        finance.get(f"{BASE}/allotment")
        finance.post(f"{BASE}/allotment", effective_on=FUNDED_ON, password=self.password)
        finance.post(f"{BASE}/allotment/own-funds", effective_on=FUNDED_ON, password=self.password)
        rows = table_rows(finance.get(f"{BASE}/allotment").text)
        given = [fen(row[3]) for row in rows]
        self.report["allotted_fen"] = sum(given)
        self.report["cities"] = sum(1 for amount in given if amount)

    def new_run(self, clerk: Browser, base: str, scheme: str, title: str) -> str:
        """The number of a new run for the whole province."""
        clerk.get(f"{base}/runs/new")
        run = clerk.post(f"{base}/runs/new", scheme=scheme, title=title, org_code=SPONSOR)
        run_id = run.url.rpartition("/")[2]
        if not run_id.isdecimal():
            raise DemoError("The run was not made.")
        return run_id

    def compute(self, clerk: Browser, base: str, run_id: str) -> None:
        """Have a run computed, and wait for it."""
        clerk.get(f"{base}/runs/{run_id}")
        clerk.post(f"{base}/runs/{run_id}/compute")
        self._wait(lambda: clerk.get(f"{base}/runs/{run_id}/progress", htmx=True), _is_computed)

    def post(self, finance: Browser, base: str, run_id: str, day: str) -> None:
        """Book an approved run on this day."""
        finance.get(f"{base}/runs/{run_id}")
        finance.post(f"{base}/runs/{run_id}/post", effective_on=day, password=self.password)

    def _approve(self, maker: Browser, reviewer: Browser, run_id: str) -> None:
        url = f"{BASE}/runs/{run_id}"
        maker.get(url)
        maker.post(f"{url}/submit")
        self._promote("both")
        refused = self.decide(maker, url, "", expect=409)
        self.report["own_approval_refused"] = refused.status == 409
        reviewer.get(url)
        self.decide(reviewer, url, "同意", expect=200)

    def _promote(self, username: str) -> None:
        """Make a clerk a reviewer; both at once is nobody."""
        self.house.zhijia("users", "take", username, "clerk", "--org", SPONSOR)
        self.house.zhijia("users", "grant", username, "reviewer", "--org", SPONSOR)

    def decide(self, browser: Browser, url: str, comment: str, *, expect: int) -> Page:
        """Approve the run in the first stage of its first round, with one's own password."""
        return browser.post(
            f"{url}/decide", decision="approve", comment=comment, seen="1-1", password=self.password, expect=expect
        )

    def _bank_files(self, finance: Browser, run_id: str) -> None:
        """Have the bank files written, download every one, and add up what is in them."""
        url = f"{BASE}/runs/{run_id}"
        finance.post(f"{url}/bank-files")
        pattern = re.compile(rf'"{re.escape(url)}/bank-files/([^"]+)"')
        cities = int(self.report["cities"])
        page = self._wait(lambda: finance.get(url), lambda page: len(set(pattern.findall(page.text))) >= cities)
        for code in sorted(set(pattern.findall(page.text))):
            lines, total = _bank_totals(finance.get(f"{url}/bank-files/{code}"))
            self.bank_lines += lines
            self.bank_fen += total

    def verify(self) -> None:
        """Whether the books are sound, and no job failed."""
        with self.phase("verify"):
            self._verify(self.browser("admin"), self.run_id)

    def _verify(self, admin: Browser, run_id: str) -> None:
        sound = json.loads(self.house.zhijia("verify", "--json"))
        run = json.loads(self.house.zhijia("runs", "show", run_id, "--json"))
        failed = admin.get("/jobs/?state=failed", htmx=True).text
        self.report |= {
            "paid": run["paid"],
            "excluded": run["excluded"],
            "total_fen": run["total_fen"],
            "ledger_balanced": sound["balance"] and sound["budget"] and sound["run"] and sound["coverage"],
            "chain_ok": sound["chain"],
            "jobs_failed": len(set(re.findall(r'"/jobs/([0-9]+)"', failed))),
        }

    def _wait(self, ask: Callable[[], Page], is_done: Callable[[Page], bool]) -> Page:
        """Ask again until it is done; gives up when a process ended or patience does."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            page = ask()
            if is_done(page):
                return page
            self.house.check()
            time.sleep(0.2)
        raise DemoError("A background job did not end in time; see the page of jobs.")

    def wrong(self) -> list[str]:
        """What is not as it must be, one sentence each."""
        report = self.report
        checks = {
            "not everybody who was made is on the list": report["people_on_file"] == self.people,
            "paid and excluded are not everybody on the list": report["paid"] + report["excluded"]
            == report["people_on_file"],
            "the payments are not the pool": report["total_fen"] == fen(POOL),
            "the allotment is not what the province gives": report["allotted_fen"] == fen(FROM_PROVINCE),
            "the bank files are not the payments": (self.bank_lines, self.bank_fen)
            == (report["paid"], report["total_fen"]),
            "somebody approved their own run": report["own_approval_refused"],
            "the ledger does not balance": report["ledger_balanced"],
            "the chain is broken": report["chain_ok"],
            "a background job failed": report["jobs_failed"] == 0,
        }
        return [sentence for sentence, holds in checks.items() if not holds]


def _is_computed(page: Page) -> bool:
    return page.headers.get("HX-Refresh") == "true"


def _bank_totals(page: Page) -> tuple[int, int]:
    """Lines and fen of a bank file; its own control totals, above the check code, must say the same."""
    rows = list(csv.reader(io.StringIO(page.body.decode("utf-8-sig"))))[1:]
    *lines, last, _check_code = rows
    total = sum(fen(row[4]) for row in lines)
    if last[1] != f"{len(lines)}笔" or fen(last[4]) != total:
        raise DemoError("A bank file does not add up to its own control totals.")
    return len(lines), total
