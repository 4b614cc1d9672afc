"""All that ``zhijia verify`` and the nightly check look at, in one snapshot of the database."""

from collections.abc import Iterator
from datetime import date

from core.audit.verify import verify_audit
from core.config import settings_of
from core.disbursements.verify import verify_runs
from core.disbursements.verify_bank import verify_bank, verify_vault
from core.disbursements.verify_records import verify_records
from core.ledger.heads import verify_heads
from core.ledger.verify import Finding, snapshot, verify_balance, verify_budgets, verify_chain
from core.ledger.verify_books import verify_books

#: What findings are about.
AREAS = ("balance", "chain", "period", "budget", "run", "coverage", "audit")


def verify_all(heads: str | None = None, *, expected: date | None = None) -> Iterator[Finding]:
    """Every finding, as it is found. ``heads`` and ``expected`` are as in :func:`core.ledger.heads.verify_heads`.

    Begins and ends a transaction of its own. Raises :class:`OSError` where the file of heads cannot be read.
    """
    with snapshot():
        yield from checks()
        yield from verify_vault(settings_of().files / "bank", settings_of().data_keys)
        if heads is not None:
            yield from verify_heads(heads, settings_of().data_keys, expected=expected)


def checks() -> Iterator[Finding]:
    """What the database by itself tells, in the caller's transaction."""
    yield from verify_balance()
    yield from verify_chain()
    yield from verify_books()
    yield from verify_budgets()
    yield from verify_runs()
    yield from verify_records()
    yield from verify_bank()
    yield from (Finding("audit", sentence) for sentence in verify_audit())
