"""Lines of a posted run whose account is not the one that the run was submitted with: nobody has approved that one.

They go to no bank. Whoever posts sets them aside before the bank file of their union is written: each has failed, is
reversed like what a bank returns, and comes into the follow-up run, which is approved with the account of then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, exists, func, insert, literal, select

from core.audit.services import record
from core.disbursements import compute
from core.disbursements.banking.models import BankReturn, PaymentResult
from core.disbursements.banking.results import digest_of_lines, reverse_failed, settle
from core.disbursements.models import BankFile, Payment, Run
from core.disbursements.payees import accounts_of, as_submitted, hold_accounts
from core.errors import Refused
from core.extensions import db, whole
from core.org.models import Org
from core.programs.models import ProgramYear
from core.users.access import require, today
from core.users.models import User
from core.wall import beyond_scope

#: Why a line was set aside, and what stands for all of them among the return files.
REASON = "账号与提交审批时不一致，暂缓支付"
#: Lines that a page shows; of more only their number is told.
SHOWN = 50


@dataclass(frozen=True)
class Changed:
    """How many payments may go to no bank, of how many fen, and the first of them.

    Rows: ``payee_id, payee_name, org_name, account_tail`` as submitted, ``tail`` as of now (empty: no account),
    ``amount_fen``.
    """

    count: int
    fen: int
    rows: Sequence[Any]


def changed_of(run: Run) -> Changed:
    """What :func:`set_aside` would set aside now."""
    changed = _to_set_aside(run).subquery("changed")
    count, fen = db.session.execute(select(func.count(), func.coalesce(func.sum(changed.c.amount_fen), 0))).one()
    columns = changed.c.payee_id, changed.c.payee_name, changed.c.account_tail, changed.c.tail, changed.c.amount_fen
    rows = select(*columns, Org.name.label("org_name")).join(Org, Org.id == changed.c.org_id)
    rows = rows.order_by(changed.c.org_path, changed.c.payee_id).limit(SHOWN)
    return Changed(count, int(fen), db.session.execute(rows).all())


@beyond_scope("runs.set_aside")
def set_aside(actor: User, run: Run) -> BankReturn:
    """Let those lines fail, and give their money back to the budgets; what stands for them among the return files.

    Raises :class:`Forbidden`, and :class:`Refused` once the files are written or where every account is as submitted.
    """
    require(actor, "run.post", run.org_path, db.session.get_one(ProgramYear, run.program_year_id).program)
    with whole():
        run = compute.locked(run.id)
        if run.form != "bank" or run.state != "posted":
            raise Refused(_("Lines are set aside between posting a run and writing its bank files."))
        hold_accounts()
        lines = _to_set_aside(run).subquery("lines")
        found = select(func.count(), digest_of_lines(lines.c.payee_id, lines.c.amount_fen)).select_from(lines)
        count, digest = db.session.execute(found).one()
        if not count:
            raise Refused(_("Every account is still the one that the run was submitted with."))
        one = BankReturn(
            run_id=run.id, org_id=run.org_id, org_path=run.org_path, name=REASON, digest=digest, language="zh",
            kind="aside", lines=count, failed=count, user_id=actor.id,
        )  # fmt: skip
        db.session.add(one)
        db.session.flush()
        said = literal("failed"), literal(REASON), literal(today()), literal(one.id)
        columns = ["run_id", "payee_id", "state", "reason", "on_day", "return_id"]
        rows = select(literal(run.id), lines.c.payee_id, *said)
        db.session.execute(insert(PaymentResult).from_select(columns, rows))
        one.total_fen = reverse_failed(actor, run, one.id, today())
        one.state, one.read_at = "taken", func.now()
        known = {"return_id": one.id, "lines": count, "failed": count, "returned_fen": one.total_fen}
        record(actor, "run.set_aside", f"run:{run.id}", run.org_path, **known)
        settle(actor, run)
        db.session.commit()
    return one


def is_set_aside(run_id: int) -> ColumnElement[bool]:
    """Whether a payment of the run was set aside; looked up for the few only that are marked as returned."""
    ours = select(BankReturn.id).where(BankReturn.run_id == run_id, BankReturn.kind == "aside")
    return Payment.returned & exists().where(
        PaymentResult.run_id == Payment.run_id,
        PaymentResult.payee_id == Payment.payee_id,
        PaymentResult.state == "failed",
        PaymentResult.return_id.in_(ours),
    )


def not_as_submitted(run: Run) -> Select[*tuple[Any, ...]]:
    """The payments that are not set aside and whose account is none, or another than the run was submitted with."""
    account = accounts_of(run).subquery("account")
    return (
        select(
            Payment.payee_id,
            Payment.payee_name,
            Payment.chunk_org_id,
            Payment.org_id,
            Payment.org_path,
            Payment.account_tail,
            func.coalesce(account.c.tail, "").label("tail"),
            Payment.amount_fen,
        )
        .outerjoin(account, account.c.id == Payment.payee_id)
        .where(Payment.run_id == run.id, ~is_set_aside(run.id), as_submitted(run, account).is_not(True))
    )


def _to_set_aside(run: Run) -> Select[*tuple[Any, ...]]:
    """A line that stands in a file may be with the bank already."""
    filed = select(BankFile.org_id).where(BankFile.run_id == run.id)
    return not_as_submitted(run).where(Payment.chunk_org_id.not_in(filed))
