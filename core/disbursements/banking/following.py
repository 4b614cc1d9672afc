"""The follow-up run: the lines that came back, to be paid once more with the accounts as they are by then.

It is a run like any other, computed, approved and posted; only its candidates are these lines, with the amounts as they
were, where the scheme would be asked. That a line is in one follow-up at a time is the unique index on payments.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, Text, case, cast, exists, func, literal, null, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from core.audit.services import record
from core.disbursements import compute
from core.disbursements.models import Payment, Run
from core.disbursements.payees import payees_of
from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.org.scope import lies_below, subtree
from core.people.models import Person
from core.plugin.types import Scheme, SchemeContext
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.users.access import require
from core.users.models import User
from core.wall import beyond_scope

#: Beside whatever schemes call it.
NO_ACCOUNT = "without_account"
LEFT = "left_the_run"
#: Follow-ups that may still change, so that there is no second one beside them.
NOT_COMPUTED = ("draft", "computing", "failed")


@beyond_scope("runs.follow_up")
def follow_up(actor: User, run: Run) -> Run:
    """Make a draft of the lines that came back and that no run pays by now. Raises :class:`Refused` for none."""
    program_year = db.session.get_one(ProgramYear, run.program_year_id)
    require(actor, "run.create", run.org_path, program_year.program)
    if state_of(program_year) != "open":
        raise Refused(_("The program is not open; no run can be made."))
    run = compute.locked(run.id)
    waiting = select(Run.id).where(Run.follows == run.id, Run.state.in_(NOT_COMPUTED)).limit(1)
    if db.session.scalars(waiting).first() is not None:
        raise Refused(_("There is a follow-up run that is not computed yet; go on with that."))
    if not to_follow(run):
        raise Refused(_("Nothing of this run came back that is not paid by another run already."))
    names = ("program_year_id", "scheme", "item", "payees", "form", "source", "org_id", "org_path")
    draft = Run(
        **{name: getattr(run, name) for name in names},
        title=f"{run.title}（补发）",
        settings=program_year.settings,
        settings_version=program_year.settings_version,
        created_by=actor.id,
        follows=run.id,
    )
    db.session.add(draft)
    db.session.flush()
    record(actor, "run.follow_up", f"run:{draft.id}", run.org_path, follows=run.id)
    db.session.commit()
    return draft


def to_follow(run: Run) -> int:
    """How many lines came back that no run pays by now."""
    return db.session.scalars(select(func.count()).where(*_came_back(run.id), ~_paid_since(run))).one()


def scheme_of(run: Run, scheme: Scheme) -> Scheme:
    """What the run is computed by: its scheme, or the lines of the run that it follows."""
    if run.follows is None:
        return scheme
    return replace(scheme, select=partial(_lines_again, run))


def _lines_again(run: Run, _context: SchemeContext) -> Select[*tuple[Any, ...]]:
    """The lines that came back, as a scheme answers: who has no account (where a bank is to pay) is excluded.

    So is whose union has left this part of the tree, under the union of the run: nobody in it pays for that one now.
    """
    assert run.follows is not None  # noqa: S101  # else the scheme is asked
    payee, payee_id = payees_of(run).subquery("again"), _payee_now(run)
    is_here = _is_within(run)
    without = (payee.c.account_tail == "") if run.form == "bank" else literal(False)
    reason = case((~is_here, LEFT), (without, NO_ACCOUNT), else_=null())
    return (
        select(
            payee_id.label("payee_id"),
            case((is_here, Payment.org_id), else_=run.org_id).label("org_id"),
            case((is_here, Payment.org_path), else_=run.org_path).label("org_path"),
            Payment.amount_fen,
            Payment.quantity,
            Payment.basis,
            cast(reason, Text).label("exclude_reason"),
        )
        .join(payee, payee.c.id == payee_id)
        .where(*_came_back(run.follows))
        .ext(distinct_on(payee_id))
        .order_by(payee_id, Payment.payee_id)
    )


def _payee_now(run: Run) -> ColumnElement[int]:
    """Whom a line is for: the file that counts, where its own was merged into another meanwhile."""
    if run.payees != "people":
        return Payment.payee_id.expression
    kept = select(Person.merged_into_id).where(Person.id == Payment.payee_id).correlate(Payment).scalar_subquery()
    return func.coalesce(kept, Payment.payee_id)


def _is_within(run: Run) -> ColumnElement[bool]:
    """Whether the union of a payment lies in the run's part of the tree by now, on either axis."""
    member = aliased(Org)
    of_industry = exists().where(subtree(member.industry_path, run.org_path), lies_below(Payment.org_path, member.path))
    return subtree(Payment.org_path, run.org_path) | of_industry


def _came_back(run_id: int) -> tuple[Any, Any]:
    return Payment.run_id == run_id, Payment.returned


def _paid_since(run: Run) -> Any:
    other = aliased(Payment)
    return exists().where(
        other.payee_id == _payee_now(run),
        other.program_year_id == Payment.program_year_id,
        other.item == Payment.item,
        ~other.returned,
    )
