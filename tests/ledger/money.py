"""Booking money in a few words, and looking where it is, for the tests of allotting."""

from datetime import date

from sqlalchemy import func, select

from core.extensions import db
from core.ledger.allotting import Share, allot, fund_from_own, take_back
from core.ledger.models import Account, Allotment, BudgetLine, Leg
from core.ledger.verify import verify_balance, verify_budgets, verify_chain
from core.org.models import Org
from core.users.models import User
from tests.disbursements.conftest import Campaign

DAY = date(2014, 1, 2)


def fund(campaign: Campaign, fen: int, *codes: str, source: str = "union", key: str = "own") -> list[Allotment]:
    amounts = {campaign.orgs[code].id: fen for code in codes}
    return fund_from_own(
        campaign.finance, campaign.year, key=key, amounts=amounts, effective_on=DAY, description="自筹", source=source
    )


def give(
    campaign: Campaign,
    giver: str,
    fen: int,
    *codes: str,
    key: str = "down",
    source: str = "union",
    actor: User | None = None,
    description: str = "下拨",
) -> list[Allotment]:
    return allot(
        actor or campaign.finance,
        campaign.year,
        key=key,
        giver=campaign.orgs[giver],
        shares=[Share(campaign.orgs[code].id, 1) for code in codes],
        amount_fen=fen,
        effective_on=DAY,
        description=description,
        source=source,
    )


def take(
    campaign: Campaign, row: Allotment, fen: int, *, key: str = "back", actor: User | None = None, day: date = DAY
) -> list[Allotment]:
    return take_back(
        actor or campaign.finance, campaign.year, key=key, amounts={row.id: fen}, effective_on=day, description="收回"
    )


def line(code: str, source: str = "union") -> tuple[int, int, int]:
    """Allotted, held and used on a line."""
    db.session.expire_all()
    row = db.session.scalars(
        select(BudgetLine).join(Org, Org.id == BudgetLine.org_id).where(Org.code == code, BudgetLine.source == source)
    ).one()
    return row.allotted_fen, row.held_fen, row.used_fen


def balances() -> dict[tuple[str, str], int]:
    """(union, account) -> sum of its legs."""
    rows = db.session.execute(
        select(Org.code, Account.code, func.sum(Leg.amount_fen))
        .join(Account, Account.id == Leg.account_id)
        .join(Org, Org.id == Account.org_id)
        .group_by(Org.code, Account.code)
    )
    return {(org, account): int(fen) for org, account, fen in rows if fen}


def findings() -> list[str]:
    return [one.sentence for check in (verify_balance, verify_chain, verify_budgets) for one in check()]
