"""One thing of each kind at each of a few unions: whatever an address of the site can name.

Made once; the cells of the matrix then ask for it from where somebody else sits.
"""

import io
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import insert, select

from core.api import Org, Person, ProgramYear, Register
from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.disbursements import payout
from core.disbursements import services as runs
from core.disbursements.banking import handing, returns, statements
from core.disbursements.models import ApprovalRule, Run
from core.extensions import db
from core.jobs.models import Job
from core.ledger.allotting import fund_from_own
from core.ledger.models import Account, ActivityTemplate, Allotment
from core.ledger.services import record_activity
from core.people.secrets import keys
from core.privacy import consents
from core.privacy.models import Consent, Processing
from core.programs.services import enable
from core.tasks.models import Message
from core.users.access import today
from core.users.models import Session, User
from core.users.testing import AsUser, MakeUser
from plugins.four_seasons.stock.services import Bought, buy_lot
from plugins.four_seasons.visits.services import Visited, record_visit
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.transfers.models import Transfer
from tests.disbursements.banking import as_csv, payments, row
from tests.matrix.furnishing import furnish
from tests.matrix.world import MISSING, NO_UNION, World, marker_of, one_of_each_kind

#: The unions that have things.
PLACES = ("610102", "610102001", "6101", "610103", "61-transport", "610102-bus")
#: Years: of the registers, of what is paid out, and of those in which each of the unions is itself the sponsor.
PAID, OWN_YEAR = 2015, 2016
Things = dict[str, Any]


def register_of_house() -> Register:
    """The register that stands for all: of people, with a flow; test_registers.py asks each of them."""
    return next(one for one in one_of_each_kind() if one.of_people and one.flow)


class House:
    """The world of the registers, and the money, the users, the jobs and the years besides."""

    def __init__(self, make_user: MakeUser, as_user: AsUser, run_jobs: Callable[[], int]) -> None:
        self.world = World(make_user, as_user, run_jobs, few=True)
        self.register = register_of_house()
        self.world.add_everywhere([code for code in PLACES if not self._has(code)])
        self.paid = self._year("aid", PAID, "61")
        self.paid.settings = {**self.paid.settings, "paying_level": "enterprise"}  # each union pays by itself
        db.session.commit()
        self.things: dict[str, Things] = {code: self._furnished(code) for code in PLACES}

    def missing(self, code: str) -> Things:
        """The same of nobody: what there is at no union."""
        ids = {name: value for name, value in self.things[code].items() if isinstance(value, int) and name != "line"}
        return self.things[code] | {name: value + MISSING for name, value in ids.items()} | {"code": NO_UNION}

    def _has(self, code: str) -> bool:
        return (self.world.registers[0].code, code) in self.world.entries

    def _year(self, program: str, year: int, sponsor: str) -> ProgramYear:
        of_2014 = self.world.years[program].settings
        settings = of_2014 | ({"each": 100_00} if program == "aid" else {})
        settings |= {name: 0 for name in ("notice_working_days",) if name in settings}
        org = self.world.org(sponsor)
        return enable(SYSTEM, program, year, org, opens_on=date(year, 1, 1), settings=settings)

    def _furnished(self, code: str) -> Things:
        entry = self.world.entry(self.register, code)
        furnish(self.world, entry)
        org, maker = self.world.org(code), self.world.user(code, who="maker")
        found: Things = {"code": code, "row_id": entry.row, "person_id": entry.person}
        found |= {f"{name}_id": entry.ids[name] for name in ("file", "notice", "line", "objection", "export")}
        found["import_id"], found["picture_id"] = entry.ids["staged"], entry.ids["picture"]
        found |= {state: entry.ids[state] for state in ("mapping", "ready", "merged")}
        found["task_id"] = self.world.entry(self.world.registers[0], code).ids["task"]
        for program in self.world.years:
            found[f"{program} year"] = self._year(program, OWN_YEAR, code).id
        found["program_year_id"] = found["aid year"]
        return found | self._of_user(maker) | self._money(org, maker) | self._others(org, maker)

    def _of_user(self, maker: User) -> Things:
        message = Message(user_id=maker.id, kind="x", subject="x", address={"endpoint": "tasks.index"})
        session = Session(user_id=maker.id, digest=maker.username.encode(), address="", browser="")
        db.session.add_all([message, session])
        db.session.commit()
        grant = maker.grants[0].id
        return {"user_id": maker.id, "grant_id": grant, "message_id": message.id, "session_id": session.id}

    def _money(self, org: Org, maker: User) -> Things:
        """A run at the bank with a return file, one in cash, a booking with its entry, an account, a statement."""
        self._bank_accounts(org)
        booked = self._fund(maker, self.paid, org)
        run, cash = self._run(org, "aid.here"), self._run(org, "aid.here_in_cash")
        payout.start_bank_files(maker, run)
        self.world.run_jobs()
        one = returns.upload(maker, run, io.BytesIO(as_csv([row(payments(run)[0])])), f"{marker_of(org.code)}.csv")
        self.world.run_jobs()
        handing.hand_out(maker, cash, org, today(), "")
        head = ("交易日期", "金额", "收支", "对方户名", "摘要")
        text = as_csv([(today().isoformat(), "1.23", "支出", marker_of(org.code), "x")], head)
        statement = statements.upload(maker, org, io.BytesIO(text), "对账单.csv")
        account = db.session.scalars(select(Account.id).where(Account.org_id == org.id).order_by(Account.id)).first()
        found = {"run_id": run.id, "cash run": cash.id, "return_id": one.id, "booking_id": booked.id}
        return found | {"entry_id": booked.entry_id, "account_id": account, "statement_id": statement.id, "line": 2}

    def _fund(self, maker: User, year: ProgramYear, org: Org) -> Allotment:
        amounts, day = {org.id: 10_000_00}, date(year.year, 1, 2)
        text = marker_of(org.code)
        return fund_from_own(maker, year, key=text, amounts=amounts, effective_on=day, description=text)[0]

    def _bank_accounts(self, org: Org) -> None:
        for person in db.session.scalars(select(Person).where(Person.org_id == org.id)):
            bank = keys().seal("bank_account", f"62{person.id:016d}")
            person.bank_account, person.bank_account_digest = bank.ciphertext, bank.digest
            person.bank_account_tail, person.bank_name = bank.tail, "秦川银行"
        db.session.commit()

    def _run(self, org: Org, scheme: str) -> Run:
        """A posted run, made by three people of the union."""
        clerk, reviewer, finance = (self.world.user(org.code, who=who) for who in ("maker", "second", "third"))
        run = runs.create_run(clerk, self.paid, scheme, marker_of(org.code), org)
        runs.start_computing(clerk, run)
        self.world.run_jobs()
        db.session.refresh(run)
        assert run.state == "computed", run.error
        assert run.paid, org.code
        runs.submit(clerk, run)
        while run.state == "submitted":
            runs.decide(reviewer, run, approve=True, comment="")
        payout.post(finance, run, today())
        return run

    def _others(self, org: Org, maker: User) -> Things:
        """A job, a line of the work ledger, a consent, a visit, and a rule about approvals."""
        values = {
            "name": "privacy.look",
            "queue": "default",
            "args": {},
            "max_attempts": 3,
            "message": marker_of(org.code),
        }
        job = insert(Job).values(**values, org_path=org.path, state="failed", user_id=maker.id).returning(Job.id)
        job_id = db.session.scalars(job).one()
        template = db.session.scalars(select(ActivityTemplate).order_by(ActivityTemplate.code)).first()
        assert template is not None
        data = {column["key"]: marker_of(org.code) for column in template.columns}
        activity = record_activity(
            maker, template, org, program_year=None, held_on=date(2014, 3, 1), data=data, key=org.code
        )
        person = self.world.person(org.code)[0]
        processing = db.session.scalars(select(Processing.code)).first()
        assert processing is not None
        consents.give(maker, person, processing, date(2014, 3, 1), "档案柜")
        consent = db.session.scalars(select(Consent.id).where(Consent.person_id == person)).one()
        rule = ApprovalRule(
            year=OWN_YEAR, org_id=org.id, org_path=org.path, program="aid", from_fen=0,
            stages=[{"title": "x", "level": "run", "policy": "any", "n": 1}],
        )  # fmt: skip
        db.session.add(rule)
        db.session.commit()
        line = db.session.scalars(select(AuditLine.id).where(AuditLine.org_path == org.path).limit(1)).one()
        found = {"job_id": job_id, "activity_id": activity.id, "consent_id": consent, "rule_id": rule.id}
        found["audit line"] = line
        return found | self._visit(org, maker) | self._hardship(org, person)

    def _hardship_file(self, org: Org, person: int) -> int:
        """The file of a worker in hardship, computed and decided about."""
        there = db.session.scalars(select(File.id).where(File.person_id == person)).one_or_none()
        if there is not None:
            return there
        file = File(
            sponsor_id=self.world.org("61").id, person_id=person, org_id=org.id, org_path=org.path, worker="employed",
            household_size=1, head="self", income_fen=0, rigid_fen=0, cause="illness", applied_on=date(2014, 2, 1),
            computed="deep", computed_year=2014, line_fen=1, decided="none", decided_because=marker_of(org.code),
        )  # fmt: skip
        db.session.add(file)
        db.session.commit()
        return file.id

    def _hardship(self, org: Org, person: int) -> Things:
        """The file, and the request of a union that no reader sits at to take a worker over."""
        file = self._hardship_file(org, person)
        source = self.world.org("61")
        transfer = Transfer(
            sponsor_id=source.id, person_id=person, org_id=org.id, org_path=org.path, from_org_id=source.id,
            from_org_path=source.path, reason=marker_of(org.code),
        )  # fmt: skip
        db.session.add(transfer)
        db.session.commit()
        return {"hardship file": file, "transfer_id": transfer.id}

    def _visit(self, org: Org, maker: User) -> Things:
        year = self.world.years["winter_warmth"]
        self._fund(maker, year, org)
        visited = Visited(
            key=org.code, org_code=org.code, visited_on=date(2014, 2, 1), party="x", kind="cash", amount_fen=100_00,
            source="union", unit=marker_of(org.code),
        )  # fmt: skip
        visit = record_visit(maker, year, visited)
        return {"visit_id": visit.id, "visit entry": visit.entry_id} | self._summer(org, maker, visited)

    def _summer(self, org: Org, maker: User, visited: Visited) -> Things:
        """A visit of summer, and a lot in stock."""
        year = self.world.years["summer_coolness"]
        self._fund(maker, year, org)
        visit = record_visit(maker, year, visited)
        bought = Bought(
            key=org.code, org_code=org.code, goods=marker_of(org.code), measure="x", quantity=2, price_fen=1_00,
            source="union", supplier=marker_of(org.code), bought_on=date(2014, 2, 1),
        )  # fmt: skip
        lot = buy_lot(maker, year, bought)
        return {
            "summer visit": visit.id, "summer entry": visit.entry_id, "lot_id": lot.id, "lot entry": lot.entry_id,
        }  # fmt: skip
