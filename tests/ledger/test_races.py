"""Many at once, each on a connection of its own: nothing is spent, undone or posted twice, and nobody is stuck."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.audit.services import SYSTEM
from core.errors import Refused
from core.extensions import db
from core.ledger import closing
from core.ledger.booking import post, reverse
from core.ledger.holds import hold, settle, void
from core.ledger.models import AccountBalance, BudgetLine, Entry, PeriodBalance
from core.ledger.posting import Posting
from core.ledger.verify import verify_balance, verify_budgets, verify_chain
from core.ledger.verify_books import verify_books
from core.wall import beyond_scope
from tests.ledger.conftest import DAY

pytestmark = pytest.mark.services
WRITERS = 8


def at_once(app: Flask, work: Callable[[int], str]) -> Counter[str]:
    """What each of the writers came to; an answer is a word, a refusal is ``refused``, anything else its text."""
    answers: list[str] = []
    barrier = Barrier(WRITERS)

    def write(number: int) -> None:
        with app.app_context(), beyond_scope("a test"):
            barrier.wait()
            try:
                answers.append(work(number))
            except Exception as error:  # noqa: BLE001 - the test compares what each came to
                answers.append(repr(error))
            finally:
                db.session.remove()

    db.session.commit()
    threads = [Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.expire_all()
    return Counter(answers)


def sound() -> bool:
    return [*verify_balance(), *verify_chain(), *verify_books(), *verify_budgets()] == []


def test_eight_writers_on_one_budget_line(app: Flask, line_id: int, spending: Posting) -> None:
    """Ten yuan, and 8 x 10 attempts at 25 fen: 40 pass, some settled in part, some given back at the end."""

    def work(number: int) -> str:
        passed = 0
        for turn in range(10):
            key = f"{number}:{turn}"
            try:
                held = hold(SYSTEM, scope="race", key=key, budget_line_id=line_id, amount_fen=25).hold
            except Refused:
                continue
            passed += 1
            if turn % 2:
                legs = [("50205", 25), ("102", -25)]
                settle(SYSTEM, hold_id=held.id, posting=replace(spending, scope="race", key=key, legs=legs))
        return str(passed)

    answers = at_once(app, work)
    assert sum(int(passed) * count for passed, count in answers.items()) == 40
    line = db.session.scalars(select(BudgetLine)).one()
    assert line.held_fen + line.used_fen == 1_000
    assert sound()


def test_a_hold_is_settled_or_given_back_and_not_both(app: Flask, line_id: int, spending: Posting) -> None:
    held = hold(SYSTEM, scope="race", key="1", budget_line_id=line_id, amount_fen=600).hold.id

    def work(number: int) -> str:
        try:
            if number % 2:
                settle(SYSTEM, hold_id=held, posting=replace(spending, key=str(number)))
                return "settled"
            return "void again" if void(SYSTEM, hold_id=held).replayed else "void"
        except Refused:
            return "refused"

    answers = at_once(app, work)
    assert answers["settled"] + answers["void"] == 1
    assert set(answers) <= {"settled", "void", "void again", "refused"}
    assert sound()


def test_a_reversal_twice_at_once_and_a_key_eight_times(app: Flask, posting: Posting) -> None:
    def post_same(_number: int) -> str:
        return "again" if post(SYSTEM, posting).replayed else "posted"

    assert at_once(app, post_same) == {"posted": 1, "again": WRITERS - 1}
    entry_id = db.session.scalars(select(Entry.id)).one()

    def undo(number: int) -> str:
        try:
            reverse(SYSTEM, scope="race", key=str(number), entry_id=entry_id, effective_on=DAY, reason="误记")
        except Refused as refusal:
            assert "reversed already" in str(refusal)
            return "refused"
        return "reversed"

    assert at_once(app, undo) == {"reversed": 1, "refused": WRITERS - 1}
    assert sound()


def test_what_a_hold_had_used_is_given_back_once_by_eight(app: Flask, line_id: int, spending: Posting) -> None:
    held = hold(SYSTEM, scope="race.hold", key="1", budget_line_id=line_id, amount_fen=600).hold.id
    entry_id = settle(SYSTEM, hold_id=held, posting=spending).entry.id

    def undo(number: int) -> str:
        try:
            reverse(SYSTEM, scope="race", key=str(number), entry_id=entry_id, effective_on=DAY, reason="误记")
        except Refused as refusal:
            return str("reversed already" in str(refusal))
        return "reversed"

    assert at_once(app, undo) == {"reversed": 1, "True": WRITERS - 1}
    assert sound()


def test_closing_against_posting(app: Flask, posting: Posting) -> None:
    """Whoever was told that it is posted is in the snapshot; whoever was not is in no book."""
    post(SYSTEM, posting)
    db.session.commit()

    def work(number: int) -> str:
        if number == 0:
            closing.start_closing(SYSTEM, "statutory", DAY)
            closing.close(SYSTEM, "statutory", DAY)
            return "0"
        passed = 0
        for turn in range(20):
            try:
                post(SYSTEM, replace(posting, key=f"{number}:{turn}", legs=[("102", 1), ("402", -1)]))
                passed += 1
            except Refused as refusal:
                assert "2014-01 is closed" in str(refusal)
        return str(passed)

    answers = at_once(app, work)
    passed = sum(int(answer) * count for answer, count in answers.items())
    assert db.session.scalars(select(func.max(PeriodBalance.posted_fen))).one() == 10_000 + passed
    assert sound()


def test_opposite_postings_come_to_nothing(app: Flask, posting: Posting) -> None:
    post(SYSTEM, replace(posting, legs=[("101", 10_000), ("102", 10_000), ("402", -20_000)]))
    there, back = [("101", 7), ("102", -7)], [("102", 7), ("101", -7)]

    def work(number: int) -> str:
        for turn in range(15):
            post(SYSTEM, replace(posting, key=f"{number}:{turn}", legs=there if number % 2 else back))
        return "done"

    assert at_once(app, work) == {"done": WRITERS}
    assert sorted(db.session.scalars(select(AccountBalance.posted_fen))) == [-20_000, 10_000, 10_000]
    assert sound()
