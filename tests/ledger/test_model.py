"""Random posting, holding, settling, voiding, reversing and closing beside an auditor who predicts every reply."""

import os
import random
import sys
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select, text

from core.audit.services import SYSTEM
from core.errors import Refused
from core.extensions import db
from core.ledger import booking, checks, closing, holds, posting
from core.ledger.models import Account, AccountBalance, BudgetLine, Reopening
from core.ledger.posting import Posting
from core.ledger.verify import verify_balance, verify_budgets, verify_chain
from core.ledger.verify_books import verify_books
from core.users.models import User
from core.users.testing import MakeUser
from tests.disbursements.conftest import Campaign
from tests.ledger.auditor import AGAIN, Auditor, Booked, Legs

# Long enough to make an example small: a timeout would hide what went wrong.
pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

TODAY = date(2014, 4, 15)
MONTHS = [date(2014, month, 1) for month in range(1, 5)]
BOOK = "statutory"
FUNDS = 1_000
EMPTY = (
    "TRUNCATE core_entry, core_leg, core_account, core_account_balance, core_period, core_period_balance, core_hold,"
    " core_reopening, core_refusal, core_budget_line, core_allotment CASCADE"
)

keys = st.sampled_from("abcdefghijklmnop")
months = st.sampled_from(MONTHS)
amounts = st.sampled_from([0, 1, 99, 300, 500, 1_000, 1_001])
numbers = st.integers(1, 6)  # from the end: what is new is tried first
Answer = Callable[[], str | None]


class Ledger(RuleBasedStateMachine):
    """The services on one side, the auditor on the other."""

    campaign: Campaign
    second: User

    def __init__(self) -> None:
        super().__init__()
        db.session.rollback()
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        db.session.execute(text(EMPTY))
        db.session.execute(text("UPDATE core_chain_head SET seq = 0, digest = sha256('zhijia')"))
        db.session.commit()
        self.campaign.fund(FUNDS, "6101")
        self.line_id = db.session.scalars(select(BudgetLine.id)).one()
        self.auditor = Auditor(today=TODAY, allotted=FUNDS)
        self.auditor.book([("102", FUNDS), ("402", -FUNDS)], MONTHS[0])
        self.auditor.entries.append(Booked([("102", FUNDS), ("402", -FUNDS)], is_ours=False))
        self.entry_ids = [db.session.scalars(text("SELECT id FROM core_entry")).one()]
        self.hold_ids: list[int] = []
        self.asked: list[tuple[Answer, Callable[[], bool]]] = []
        self.finance, self.org = self.campaign.finance.id, self.campaign.orgs["6101"].id

    def compare(self, predicted: str | None, call: Callable[[], bool]) -> bool:
        """Do it, and hold the answer against the prediction; whether it was done now."""
        try:
            answer = AGAIN if call() else None
        except Refused as refusal:
            answer = str(refusal)
        assert (answer is None) == (predicted is None), f"{answer} instead of {predicted}"
        assert predicted is None or predicted in str(answer), f"{answer} instead of {predicted}"
        return answer is None

    def ask(self, predict: Answer, call: Callable[[], bool]) -> None:
        """The same, kept to be asked again."""
        self.asked.append((predict, call))
        self.compare(predict(), call)

    @precondition(lambda self: self.asked)
    @rule(number=numbers)
    def again(self, number: int) -> None:
        predict, call = self.asked[-number % len(self.asked)]
        self.compare(predict(), call)

    def posting(self, scope: str, key: str, legs: Legs, month: date, *, of_program: bool = True) -> Posting:
        return Posting(
            scope=scope,
            key=key,
            kind="test",
            title="测试",
            description="",
            org_id=self.org,
            org_path="/61/6101/",
            program_year_id=self.campaign.year.id if of_program else None,
            effective_on=month.replace(day=15),
            legs=legs,
        )

    @rule(key=keys, amount=amounts, month=months, spends=st.booleans(), of_program=st.booleans())
    def post(self, key: str, amount: int, month: date, spends: bool, of_program: bool) -> None:
        legs = [("50205", amount), ("102", -amount)] if spends else [("102", amount), ("401", -amount)]

        def call() -> bool:
            posted = booking.post(SYSTEM, self.posting("post", key, legs, month, of_program=of_program))
            if not posted.replayed:
                self.entry_ids.append(posted.entry.id)
            return posted.replayed

        self.ask(lambda: self.auditor.post(key, legs, month, of_program), call)

    @rule(key=keys, number=numbers, month=months)
    def reverse(self, key: str, number: int, month: date) -> None:
        number = -number % len(self.entry_ids)

        def call() -> bool:
            posted = booking.reverse(
                SYSTEM, scope="reverse", key=key, entry_id=self.entry_ids[number],
                effective_on=month.replace(day=15), reason="误记",
            )  # fmt: skip
            if not posted.replayed:
                self.entry_ids.append(posted.entry.id)
            return posted.replayed

        self.ask(lambda: self.auditor.reverse(key, number, month), call)

    @rule(key=keys, amount=amounts, month=months)
    def hold(self, key: str, amount: int, month: date) -> None:
        holds.today = lambda: month  # type: ignore[attr-defined]

        def call() -> bool:
            held = holds.hold(SYSTEM, scope="hold", key=key, budget_line_id=self.line_id, amount_fen=amount)
            if not held.replayed:
                self.hold_ids.append(held.hold.id)
            return held.replayed

        self.ask(lambda: self.auditor.hold(key, amount, month), call)

    @precondition(lambda self: self.hold_ids)
    @rule(key=keys, number=numbers, amount=amounts.filter(bool), month=months)
    def settle(self, key: str, number: int, amount: int, month: date) -> None:
        number = -number % len(self.hold_ids)
        legs = [("50205", amount), ("102", -amount)]

        def call() -> bool:
            what = self.posting("settle", key, legs, month)
            posted = holds.settle(SYSTEM, hold_id=self.hold_ids[number], posting=what)
            if not posted.replayed:
                self.entry_ids.append(posted.entry.id)
            return posted.replayed

        self.ask(lambda: self.auditor.settle(key, number, legs, month), call)

    @precondition(lambda self: self.hold_ids)
    @rule(number=numbers)
    def void(self, number: int) -> None:
        number = -number % len(self.hold_ids)
        self.compare(self.auditor.void(number), lambda: holds.void(SYSTEM, hold_id=self.hold_ids[number]).replayed)

    @rule(month=months, step=st.sampled_from(["close", "close", "close", "stop", "lock", "reopen"]))
    def period(self, month: date, step: str) -> None:
        if step == "lock":
            self.compare(self.auditor.move(month, "locked", "closed"), lambda: _done(closing.lock(SYSTEM, BOOK, month)))
        elif step == "reopen":
            self.reopen(month)
        elif self.compare(self.auditor.start_closing(month), lambda: _done(closing.start_closing(SYSTEM, BOOK, month))):
            further, state = (closing.close, "closed") if step == "close" else (closing.cancel_closing, "open")
            self.compare(self.auditor.move(month, state, "closing"), lambda: _done(further(SYSTEM, BOOK, month)))

    def reopen(self, month: date) -> None:
        asking = closing.ask_reopening
        self.compare(self.auditor.ask(month), lambda: _done(asking(self.campaign.finance, BOOK, month, "漏记")))
        waiting = select(Reopening.id).where(Reopening.first_on == month, Reopening.agreed_by.is_(None))
        asked = db.session.scalars(waiting).one_or_none()
        if asked is not None:
            self.compare(self.auditor.reopen(month), lambda: _done(closing.reopen(self.second, asked)))

    @invariant()
    def the_books_are_sound(self) -> None:
        db.session.rollback()
        found = [*verify_balance(), *verify_chain(), *verify_books(), *verify_budgets()]
        assert found == []
        kept = db.session.execute(
            select(Account.code, AccountBalance.posted_fen).join(Account, Account.id == AccountBalance.account_id)
        )
        assert {code: fen for code, fen in kept if fen} == {c: fen for c, fen in self.auditor.balances.items() if fen}
        line = db.session.get_one(BudgetLine, self.line_id)
        said = (line.allotted_fen, line.held_fen, line.used_fen)
        assert said == (FUNDS, self.auditor.held, self.auditor.used)
        assert line.held_fen + line.used_fen <= line.allotted_fen


def _done(_result: object) -> bool:
    return False


@pytest.mark.as_owner
def test_the_auditor_predicts_every_reply(
    campaign: Campaign, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (posting, holds, checks, closing):
        monkeypatch.setattr(module, "today", lambda: TODAY)
    number = int(os.environ.get("LEDGER_SEED") or random.randrange(10**6))  # noqa: S311 - no secret
    sys.stdout.write(f"LEDGER_SEED={number}\n")  # pytest shows it beside a failure
    machine = seed(number)(type("Seeded", (Ledger,), {"campaign": campaign, "second": make_user("finance")}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
