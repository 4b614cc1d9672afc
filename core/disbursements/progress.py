"""How far the approval of a run is, as its page shows it: each stage, who has decided, and what is still needed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from core.disbursements.approvals import ALL, OWN_LEVEL, Stage, could_decide, short_stage, stages_of
from core.disbursements.models import Run, RunApproval
from core.extensions import db
from core.org.models import Org
from core.org.queries import by_paths
from core.org.scope import lineage
from core.users.models import User

#: States in which the pinned stages hold; before them a run waits for no decision.
SHOWN = ("submitted", "approved", "posted", "sent", "settled")
#: So many names are read at a glance; of more people only their number is told.
FEW = 5
Decision = tuple[RunApproval, str]


@dataclass(frozen=True, kw_only=True)
class StageProgress:
    """A stage with its decisions of this round. ``missing`` names who was asked and has not decided, if they are few.

    ``lost`` are those of them who can no longer decide. ``union`` is none where the tree has lost the level.
    """

    stage: Stage
    number: int
    union: Org | None
    decisions: Sequence[Decision]
    missing: Sequence[str]
    lost: Sequence[str]
    is_current: bool

    @property
    def given(self) -> int:
        """How many have approved."""
        return sum(approval.approved for approval, _name in self.decisions)

    @property
    def lacking(self) -> int:
        """How many approvals are still needed."""
        return max(0, self.stage.n - self.given)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The stages of a run; ``short`` is one that too few are left for."""

    stages: Sequence[StageProgress]
    short: Stage | None


def progress_of(run: Run, program: str, decisions: Sequence[Decision]) -> Progress | None:
    """The stages of a run that was sent; ``decisions`` are all of the run's."""
    if run.state not in SHOWN or not run.stages:
        return None
    unions = {org.level: org for org in by_paths(lineage(run.org_path))}
    unions[OWN_LEVEL] = next(org for org in unions.values() if org.path == run.org_path)
    now = [one for one in decisions if one[0].round == run.round]
    stages = [
        _progress(run, program, stage, number, unions.get(stage.level), [one for one in now if one[0].stage == number])
        for number, stage in enumerate(stages_of(run), 1)
    ]
    return Progress(stages=stages, short=_short(run, program, stages, now) if run.state == "submitted" else None)


def _progress(
    run: Run, program: str, stage: Stage, number: int, union: Org | None, decisions: Sequence[Decision]
) -> StageProgress:
    is_open = run.state == "submitted" and number >= run.stage
    missing: dict[int, str] = {}
    able: set[int] = set()
    if is_open and stage.policy == ALL:
        waiting = set(stage.deciders) - {approval.user_id for approval, _name in decisions}
        names = select(User.id, User.name).where(User.id.in_(sorted(waiting))).order_by(User.name)
        missing = dict(db.session.execute(names).all())
        able = could_decide(stage, run, program)
    return StageProgress(
        stage=stage,
        number=number,
        union=union,
        decisions=decisions,
        missing=list(missing.values()) if len(missing) <= FEW else (),
        lost=[name for user_id, name in missing.items() if user_id not in able],
        is_current=run.state == "submitted" and number == run.stage,
    )


def _short(run: Run, program: str, stages: Sequence[StageProgress], now: Sequence[Decision]) -> Stage | None:
    ahead = stages[run.stage - 1 :]
    barred = {approval.user_id for approval, _name in now} | {run.created_by, run.submitted_by or run.created_by}
    return short_stage([one.stage for one in ahead], run, program, barred, given=[one.given for one in ahead])
