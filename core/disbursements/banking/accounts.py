"""The bank account of a union: what it pays from, and what it is paid to as a payee; encrypted as people's are."""

from flask_babel import gettext as _

from core.audit.services import record
from core.disbursements.models import OrgAccount
from core.errors import ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.people.numbers import parse_bank_account
from core.people.secrets import keys
from core.users.access import require
from core.users.models import User

#: Who keeps the accounts of the unions below them: whoever makes runs there for every program.
PERMISSION = "run.create"


def account_of(org: Org) -> OrgAccount | None:
    """The account that is kept, if there is one."""
    return db.session.get(OrgAccount, org.id)


def keep_account(actor: User, org: Org, number: str, bank_name: str) -> None:
    """Write the account down, in place of a former one. Raises :class:`Forbidden`, and :class:`ZhijiaError`."""
    require(actor, PERMISSION, org.path)
    if not bank_name.strip():
        raise ZhijiaError(_("Say at which bank the account is."), field="bank_name")
    sealed = keys().seal("bank_account", parse_bank_account(number))
    account = db.session.get(OrgAccount, org.id, with_for_update=True)
    former = account.bank_account_tail if account else None
    if account is None:
        account = OrgAccount(org_id=org.id, org_path=org.path)
        db.session.add(account)
    account.bank_account, account.bank_account_digest, account.bank_account_tail = sealed
    account.bank_name = bank_name.strip()
    record(actor, "org.account", f"org:{org.code}", org.path, former_tail=former, tail=sealed.tail)
    db.session.commit()
