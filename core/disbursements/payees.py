"""Who is paid: people with the account on their file, or unions with the account that is kept for them."""

from sqlalchemy import Select, func, literal, select

from core.disbursements.models import OrgAccount, Run
from core.org.models import Org
from core.people.models import Person

#: How an identity number is shown: all but its end.
MASK = "**************"


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
