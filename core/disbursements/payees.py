"""Who is paid: people with the account on their file, or unions with the account that is kept for them."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, Subquery, func, literal, or_, select

from core.disbursements.models import OrgAccount, Payment, Run
from core.extensions import db
from core.org.models import Org
from core.people.models import Person

#: How an identity number is shown: all but its end.
MASK = "**************"
#: The advisory lock between freezing the payees of a run and changing an account (migration 0024 takes it as well).
ACCOUNTS = 0x6163636F756E


def payees_of(run: Run) -> Select[int, str, str, str]:
    """``id, name, account_tail, number`` of everybody whom a run of this kind could pay.

    No account: an empty tail. ``number`` is the masked identity number, or the code of the union.
    """
    if run.payees == "people":
        return select(
            Person.id,
            Person.name,
            func.coalesce(Person.bank_account_tail, "").label("account_tail"),
            (literal(MASK) + Person.id_number_tail).label("number"),
        )
    return (
        select(
            Org.id,
            Org.name,
            func.coalesce(OrgAccount.bank_account_tail, "").label("account_tail"),
            Org.code.label("number"),
        )
        .select_from(Org)
        .outerjoin(OrgAccount, OrgAccount.org_id == Org.id)
    )


def accounts_of(run: Run) -> Select[int, bytes | None, bytes | None, str | None, str | None, datetime | None]:
    """``id, number, digest, tail, bank_name, changed_at`` of everybody whom a run of this kind could pay, as of now."""
    model = Person if run.payees == "people" else OrgAccount
    return select(
        (Person.id if run.payees == "people" else OrgAccount.org_id).label("id"),
        model.bank_account.label("number"),
        model.bank_account_digest.label("digest"),
        model.bank_account_tail.label("tail"),
        model.bank_name,
        model.account_changed_at.label("changed_at"),
    )


def as_submitted(run: Run, account: Subquery) -> ColumnElement[bool]:
    """Whether the account (of :func:`accounts_of`) is the one that the run was submitted with; null is no.

    The end of the number is compared as well, as it is sealed, and the moment could have been changed by a hand.
    """
    return (account.c.tail == Payment.account_tail) & or_(
        account.c.changed_at.is_(None), account.c.changed_at <= literal(run.submitted_at, account.c.changed_at.type)
    )


def hold_accounts() -> None:
    """Until the end of the transaction no account changes; whoever is changing one is waited for."""
    db.session.execute(select(func.pg_advisory_xact_lock(ACCOUNTS)))
