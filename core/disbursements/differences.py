"""What computing a run again has changed: its lines beside those of the result before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Subquery, case, delete, func, insert, literal, null, select, union_all

from core.disbursements.models import Exclusion, FormerLine, Payment, Run
from core.disbursements.payees import payees_of
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope

#: What may have happened to a payee, in the order of the page.
KINDS = ("new", "gone", "paid_now", "not_paid_now", "more", "less")
#: Lines that the page shows; the sums are of all.
SHOWN = 200


@dataclass(frozen=True)
class Change:
    """How many payees one kind of change has, and by how many fen it changes the total."""

    kind: str
    count: int
    fen: int


@dataclass(frozen=True)
class ChangedLine:
    """One payee whose line is not as before; ``None`` fen: not paid, ``None`` for a line that there is not."""

    kind: str
    name: str
    number: str
    org_name: str
    former_fen: int | None
    fen: int | None


def keep_former(run: Run) -> None:
    """Keep the lines of the run's result, if it has one, before they are computed anew; the caller commits."""
    lines = _lines(run).subquery("lines")
    if db.session.scalar(select(lines.c.payee_id).limit(1)) is None:
        return
    forget_former(run)
    rows = select(literal(run.id), lines.c.payee_id, lines.c.org_id, lines.c.amount_fen)
    db.session.execute(insert(FormerLine).from_select(["run_id", "payee_id", "org_id", "amount_fen"], rows))


def forget_former(run: Run) -> None:
    """Forget the result before; the caller commits."""
    db.session.execute(
        delete(FormerLine).where(FormerLine.run_id == run.id).execution_options(synchronize_session=False)
    )


def changes_of(run: Run, scope: Scope) -> list[Change] | None:
    """The changes by kind within the scope; none if the run was computed once only."""
    if db.session.scalar(select(FormerLine.run_id).where(FormerLine.run_id == run.id).limit(1)) is None:
        return None
    changed = _changed(run, scope)
    rows = db.session.execute(
        select(
            changed.c.kind,
            func.count(),
            func.sum(func.coalesce(changed.c.fen, 0) - func.coalesce(changed.c.former_fen, 0)),
        ).group_by(changed.c.kind)
    )
    found = {kind: Change(kind, count, int(fen)) for kind, count, fen in rows}
    return [found[kind] for kind in KINDS if kind in found]


def changed_lines(run: Run, scope: Scope) -> Sequence[ChangedLine]:
    """The first :data:`SHOWN` payees whose lines changed, the largest changes first."""
    changed, payee = _changed(run, scope), payees_of(run).subquery("payee")
    by = func.abs(func.coalesce(changed.c.fen, 0) - func.coalesce(changed.c.former_fen, 0))
    rows = db.session.execute(
        select(changed.c.kind, payee.c.name, payee.c.number, Org.name, changed.c.former_fen, changed.c.fen)
        .join(payee, payee.c.id == changed.c.payee_id)
        .join(Org, Org.id == changed.c.org_id)
        .order_by(by.desc(), changed.c.payee_id)
        .limit(SHOWN)
    )
    return [ChangedLine(*row) for row in rows]


def _lines(run: Run) -> Any:
    """``payee_id, org_id, amount_fen`` of everybody whom the run names; no amount for those who are not paid."""
    return union_all(
        select(Payment.payee_id, Payment.org_id, Payment.amount_fen).where(Payment.run_id == run.id),
        select(Exclusion.payee_id, Exclusion.org_id, null()).where(Exclusion.run_id == run.id),
    )


def _changed(run: Run, scope: Scope) -> Subquery:
    now = _lines(run).subquery("now")
    former = _former(run).subquery("former")
    fen, before = now.c.amount_fen, former.c.amount_fen
    kind = case(
        (former.c.payee_id.is_(None), "new"),
        (now.c.payee_id.is_(None), "gone"),
        (before.is_(None) & fen.is_not(None), "paid_now"),
        (before.is_not(None) & fen.is_(None), "not_paid_now"),
        (fen > before, "more"),
        (fen < before, "less"),
    )
    org_id = func.coalesce(now.c.org_id, former.c.org_id)
    return (
        select(
            kind.label("kind"),
            func.coalesce(now.c.payee_id, former.c.payee_id).label("payee_id"),
            org_id.label("org_id"),
            before.label("former_fen"),
            fen.label("fen"),
        )
        .select_from(now.join(former, former.c.payee_id == now.c.payee_id, full=True))
        .join(Org, Org.id == org_id)
        .where(kind.is_not(None), scope.covers(Org.path))
        .subquery("changed")
    )


def _former(run: Run) -> Select[int, int, int | None]:
    return select(FormerLine.payee_id, FormerLine.org_id, FormerLine.amount_fen).where(FormerLine.run_id == run.id)
