"""What a run would come to if it were computed now: the same statement as reserving, without writing anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import Subquery, and_, func, select

from core.disbursements import compute
from core.disbursements.banking.following import scheme_of
from core.disbursements.candidates import candidates_of
from core.disbursements.models import Run
from core.errors import Refused
from core.extensions import db
from core.ledger.models import BudgetLine
from core.org.models import Org
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.users.access import require
from core.users.models import User
from core.wall import beyond_scope


@dataclass(frozen=True)
class PreviewRow:
    """What one union would pay, in fen, and what its budget line has free for it."""

    org: Org
    candidates: int
    paid: int
    total_fen: int
    free_fen: int

    @property
    def lacking_fen(self) -> int:
        """What the budget does not cover."""
        return max(self.total_fen - self.free_fen, 0)


@dataclass(frozen=True)
class Preview:
    """The result by paying union, and how many are left out for which reason, most first."""

    rows: Sequence[PreviewRow]
    reasons: Sequence[tuple[str, int]]

    @property
    def candidates(self) -> int:
        """Everybody whom the scheme names."""
        return sum(row.candidates for row in self.rows)

    @property
    def paid(self) -> int:
        """How many would be paid."""
        return sum(row.paid for row in self.rows)

    @property
    def total_fen(self) -> int:
        """What all of them would get."""
        return sum(row.total_fen for row in self.rows)

    @property
    def lacking_fen(self) -> int:
        """What the budgets do not cover."""
        return sum(row.lacking_fen for row in self.rows)


@beyond_scope("runs.preview")
def preview(actor: User, run: Run) -> Preview:
    """Ask the run's scheme with the settings as they are now. Raises :class:`Refused` if its plugin is not loaded."""
    program_year = db.session.get_one(ProgramYear, run.program_year_id)
    require(actor, "run.create", run.org_path, program_year.program)
    scheme = registry_of().schemes.get(run.scheme)
    if scheme is None:
        raise Refused(_("The plugin of the scheme %(scheme)s is not loaded.", scheme=run.scheme))
    imagined = _as_of_now(run, program_year)
    context = compute.context_of(imagined)
    imagined.purpose, imagined.period = compute.purpose_of(imagined, scheme)
    compute.plan_for_everybody()
    return _summed_up(
        imagined, candidates_of(imagined, scheme_of(run, scheme).select(context), context).subquery("candidates")
    )


def _as_of_now(run: Run, program_year: ProgramYear) -> Run:
    """The run as computing would pin it, never added to the session."""
    names = ("id", "program_year_id", "scheme", "item", "source", "payees", "form", "org_id", "org_path")
    return Run(**{name: getattr(run, name) for name in names}, settings=program_year.settings)


def _summed_up(run: Run, candidates: Subquery) -> Preview:
    columns = candidates.c
    rows = db.session.execute(
        select(columns.chunk_org_id, columns.exclude_reason, func.count(), func.sum(columns.amount_fen)).group_by(
            columns.chunk_org_id, columns.exclude_reason
        )
    ).all()
    counted: dict[int, tuple[int, int, int]] = {}
    reasons: dict[str, int] = {}
    for org_id, reason, count, fen in rows:
        everybody, paid, total = counted.get(org_id, (0, 0, 0))
        if reason is None:
            paid, total = count, int(fen)
        else:
            reasons[reason] = reasons.get(reason, 0) + count
        counted[org_id] = (everybody + count, paid, total)
    line = BudgetLine.program_year_id == run.program_year_id, BudgetLine.source == run.source
    orgs = db.session.execute(
        select(Org, func.coalesce(BudgetLine.allotted_fen - BudgetLine.held_fen - BudgetLine.used_fen, 0))
        .outerjoin(BudgetLine, and_(BudgetLine.org_id == Org.id, *line))
        .where(Org.id.in_(list(counted)))
        .order_by(Org.code)
    )
    return Preview(
        [PreviewRow(org, *counted[org.id], int(free)) for org, free in orgs],
        sorted(reasons.items(), key=lambda reason: -reason[1]),
    )
