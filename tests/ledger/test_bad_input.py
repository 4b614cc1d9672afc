"""What cannot stand in the books: one clear sentence each, and nothing half done."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text

from core.audit.services import SYSTEM
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.ledger import closing
from core.ledger.booking import post
from core.ledger.models import Entry
from core.ledger.posting import Posting
from core.money import LARGEST_FEN, parse_yuan
from core.programs.services import close as close_year
from core.users.access import today
from tests.disbursements.conftest import Campaign
from tests.ledger.conftest import DAY

pytestmark = pytest.mark.services
TOO_MUCH = LARGEST_FEN + 1

WRONG: dict[str, tuple[dict[str, object], str]] = {
    "one leg": ({"legs": [("102", 100)]}, "needs at least two lines"),
    "no leg": ({"legs": []}, "needs at least two lines"),
    "unbalanced": ({"legs": [("102", 100), ("402", -99)]}, "does not balance"),
    "zero": ({"legs": [("102", 100), ("402", -100), ("403", 0)]}, "a line without an amount"),
    "too large": ({"legs": [("102", TOO_MUCH), ("402", -TOO_MUCH)]}, "larger than any amount"),
    "too large in parts": (
        {"legs": [("102", LARGEST_FEN), ("101", 1), ("402", -LARGEST_FEN), ("403", -1)]},
        "larger than any amount",
    ),
    "unknown account": ({"legs": [("102", 100), ("999", -100)]}, "no account 999"),
    "account of another book": ({"book": "insurance"}, "no account 402"),
    "mixed currencies": ({"currency": "USD"}, "kept in CNY, and the entry says USD"),
    "future": ({"effective_on": today() + timedelta(days=1)}, "lies in the future"),
    "fact after the entry": ({"happened_on": DAY + timedelta(days=1)}, "lies before the day of its entry"),
    "below the floor": ({"legs": [("506", 1), ("102", -1)]}, r"陕西省总工会 lacks 0\.01 yuan on the account 102"),
    "scope of a run": ({"scope": "run"}, "runs and allotments"),
}


def test_what_cannot_stand_in_the_books_is_refused_in_one_sentence(posting: Posting) -> None:
    for name, (change, sentence) in WRONG.items():
        with pytest.raises(Refused, match=sentence):
            post(SYSTEM, replace(posting, **{"key": name, **change}))  # type: ignore[arg-type]
    assert db.session.scalars(select(Entry)).all() == []


def test_up_to_the_limit_it_stands(posting: Posting) -> None:
    largest = post(SYSTEM, replace(posting, legs=[("102", LARGEST_FEN), ("402", -LARGEST_FEN)], effective_on=today()))
    emptied = post(
        SYSTEM, replace(posting, key="2", legs=[("402", LARGEST_FEN), ("102", -LARGEST_FEN)], happened_on=DAY)
    )
    assert (largest.entry.seq, emptied.entry.seq) == (1, 2)


@pytest.mark.parametrize("text_of", ["1.234", "-1", "", "10000000000000.01", "1e3"])
def test_amounts_that_nobody_can_mean(app: object, text_of: str) -> None:
    with pytest.raises(ZhijiaError):
        parse_yuan(text_of)


def test_a_closed_account_takes_nothing_and_only_an_empty_one_is_closed(posting: Posting) -> None:
    post(SYSTEM, posting)
    close = text("UPDATE core_account SET closed_on = '2014-01-03' WHERE code = '102'")
    with pytest.raises(Exception, match="not empty"):
        db.session.execute(close)
    db.session.rollback()
    post(SYSTEM, replace(posting, key="2", legs=[("402", 10_000), ("102", -10_000)]))
    db.session.execute(close)
    db.session.commit()
    with pytest.raises(Refused, match="The account 102 银行存款 is closed"):
        post(SYSTEM, replace(posting, key="3"))


def test_a_closed_period_takes_nothing_and_a_late_fact_goes_to_the_next(posting: Posting) -> None:
    post(SYSTEM, posting)
    closing.start_closing(SYSTEM, "statutory", DAY)
    with pytest.raises(Refused, match="2014-01 is closed"):
        post(SYSTEM, replace(posting, key="2"))
    closing.close(SYSTEM, "statutory", DAY)
    last, first = date(2014, 1, 31), date(2014, 2, 1)
    with pytest.raises(Refused) as refusal:
        post(SYSTEM, replace(posting, key="3", effective_on=last))
    assert refusal.value.field == "effective_on"
    with pytest.raises(Refused, match="2013-12 is closed"):
        post(SYSTEM, replace(posting, key="4", effective_on=date(2013, 12, 31)))
    late = post(SYSTEM, replace(posting, key="5", effective_on=first, happened_on=last)).entry
    assert (late.effective_on, late.happened_on) == (first, last)
    assert db.session.scalars(select(func.count()).select_from(Entry)).one() == 2


def test_what_a_program_spends_is_held_first(campaign: Campaign, spending: Posting) -> None:
    """Only more spending is: what comes in, what moves between two accounts of spending, and what no program spends."""
    for key, more in {"a": [], "b": [("50204", -599), ("131", 599)]}.items():
        with pytest.raises(Refused, match="held on its budget line first"):
            post(campaign.finance, replace(spending, key=key, legs=[*spending.legs, *more]))
    assert not post(SYSTEM, replace(spending, key="c", legs=[*spending.legs, ("50204", -600), ("131", 600)])).replayed
    assert not post(SYSTEM, replace(spending, key="d", legs=[("102", 600), ("402", -600)])).replayed
    assert not post(SYSTEM, replace(spending, key="e", program_year_id=None)).replayed


def test_who_may_not_post_and_what_is_not_open(campaign: Campaign, spending: Posting) -> None:
    before = db.session.scalars(select(func.count()).select_from(Entry)).one()
    with pytest.raises(Forbidden):
        post(campaign.clerk, spending)
    with pytest.raises(NotFound):
        post(SYSTEM, replace(spending, program_year_id=10**9))
    close_year(SYSTEM, campaign.year)
    with pytest.raises(Refused, match="not open"):
        post(campaign.finance, spending)
    assert db.session.scalars(select(func.count()).select_from(Entry)).one() == before
