"""Who is paid: people with the account on their file, or unions with the account that is kept for them."""

from sqlalchemy import Select, func, select

from core.disbursements.models import OrgAccount, Run
from core.org.models import Org
from core.people.models import Person


def payees_of(run: Run) -> Select[int, str, str]:
    """``id, name, account_tail`` of everybody whom a run of this kind could pay; no account: an empty tail."""
    if run.payees == "people":
        return select(Person.id, Person.name, func.coalesce(Person.bank_account_tail, "").label("account_tail"))
    return (
        select(Org.id, Org.name, func.coalesce(OrgAccount.bank_account_tail, "").label("account_tail"))
        .outerjoin(OrgAccount, OrgAccount.org_id == Org.id)
        .select_from(Org)
    )
