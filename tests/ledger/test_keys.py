"""A key comes to one answer: the same entry again, or the same refusal, whatever has changed meanwhile."""

from dataclasses import replace

import pytest
from psycopg.errors import DeadlockDetected, UniqueViolation
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Refused
from core.extensions import db
from core.ledger import closing, keys
from core.ledger.booking import post
from core.ledger.models import Entry, Refusal
from core.ledger.posting import Posting
from tests.ledger.conftest import DAY

pytestmark = pytest.mark.services


def test_the_same_posting_is_found_again_and_written_once(posting: Posting) -> None:
    first, second = post(SYSTEM, posting), post(SYSTEM, posting)
    assert (first.replayed, second.replayed) == (False, True)
    assert first.entry.id == second.entry.id
    assert (
        db.session.scalars(select(func.count()).select_from(AuditLine).where(AuditLine.action == "ledger.post")).one()
        == 1
    )


@pytest.mark.parametrize("change", [{"description": "x"}, {"legs": [("101", 10_000), ("402", -10_000)]}])
def test_the_key_of_an_entry_takes_nothing_else(posting: Posting, change: dict[str, object]) -> None:
    post(SYSTEM, posting)
    with pytest.raises(Refused, match="The key test/1 has been used"):
        post(SYSTEM, replace(posting, **change))  # type: ignore[arg-type]
    assert post(SYSTEM, posting).replayed
    assert db.session.scalars(select(Refusal)).all() == []


def test_a_refusal_is_told_again_even_if_it_would_work_now(posting: Posting) -> None:
    spend = replace(posting, key="spend", legs=[("506", 10_000), ("102", -10_000)])
    with pytest.raises(Refused, match=r"lacks 100\.00 yuan"):
        post(SYSTEM, spend)
    post(SYSTEM, posting)
    with pytest.raises(Refused, match=r"lacks 100\.00 yuan"):
        post(SYSTEM, spend)
    with pytest.raises(Refused, match="has been used"):
        post(SYSTEM, replace(spend, title="x"))
    assert not post(SYSTEM, replace(spend, key="anew")).replayed


def test_an_entry_is_found_again_when_its_period_is_closed(posting: Posting) -> None:
    post(SYSTEM, posting)
    closing.start_closing(SYSTEM, "statutory", DAY)
    assert post(SYSTEM, posting).replayed


def test_another_caller_under_the_same_key_may_be_first(posting: Posting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, and before that is kept, somebody else posts the very same: then that is what the key came to."""
    spend = replace(posting, key="spend", legs=[("506", 10_000), ("102", -10_000)])
    keep = keys._keep

    def overtaken(*args: object) -> object:
        monkeypatch.setattr(keys, "_keep", keep)
        post(SYSTEM, posting)
        post(SYSTEM, spend)
        return keep(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(keys, "_keep", overtaken)
    assert post(SYSTEM, spend).replayed
    assert db.session.scalars(select(Refusal)).all() == []


def _failing(times: int, error: Exception, tries: list[int]) -> str:
    tries.append(1)
    if len(tries) <= times:
        kind = IntegrityError if isinstance(error, UniqueViolation) else OperationalError
        raise kind("statement", {}, error)
    db.session.execute(text("SELECT 1"))
    return "done"


def test_what_was_in_the_way_passes_and_is_tried_five_times(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("core.ledger.keys.time.sleep", pauses.append)
    tries: list[int] = []
    assert keys.retried(lambda: _failing(4, DeadlockDetected(), tries)) == "done"
    assert (len(tries), len(pauses)) == (5, 4)
    tries.clear()
    with pytest.raises(DBAPIError):
        keys.retried(lambda: _failing(5, DeadlockDetected(), tries))
    assert len(tries) == 5
    tries.clear()
    with pytest.raises(IntegrityError):
        keys.retried(lambda: _failing(1, UniqueViolation(), tries))
    assert len(tries) == 1


def test_what_the_caller_wrote_before_is_not_lost_by_trying_again(posting: Posting) -> None:
    tries: list[int] = []
    db.session.execute(text("UPDATE core_org SET short_name = 'x' WHERE code = '61'"))
    with pytest.raises(OperationalError):
        keys.retried(lambda: _failing(1, DeadlockDetected(), tries))
    assert len(tries) == 1
    db.session.execute(text("UPDATE core_org SET short_name = 'y' WHERE code = '61'"))
    post(SYSTEM, posting)
    db.session.rollback()
    assert db.session.scalar(text("SELECT short_name FROM core_org WHERE code = '61'")) == "y"
    assert db.session.scalars(select(Entry.seq)).all() == [1]
