"""Who approves a run: the rule of its sponsor, pinned as stages when it is sent, and for whom it waits then.

In a stage decide those who hold ``run.approve`` by a grant on the union of its level at or above the run's own; in a
stage of the level ``run`` everybody who may approve runs there. Nothing here writes.
"""

from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass, replace
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Integer, and_, case, cast, exists, func, not_, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from core.disbursements.models import ApprovalRule, Run, RunApproval
from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.org.scope import lineage, subtree
from core.programs.models import ProgramYear
from core.users.access import held_at, scope_of, users_holding
from core.users.models import Grant, User

APPROVE = "run.approve"
#: The level of a stage in which the run's own union decides, and who may approve there from above.
OWN_LEVEL = "run"
ANY, ALL, SOME = POLICIES = ("any", "all", "n")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of approval: ``n`` of those of the ``level`` approve, one where any may, all ``deciders`` where all must.

    A stage without a title is the one of a year without rules. Only a pinned stage of ALL has ``deciders`` (user ids).
    """

    title: str
    level: str
    policy: str
    n: int = 1
    deciders: tuple[int, ...] = ()

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Stage":
        """The stage that a rule or a run keeps as JSON."""
        return cls(**{**values, "deciders": tuple(values.get("deciders", ()))})

    def to_json(self) -> dict[str, Any]:
        """What a rule or a run keeps."""
        values = asdict(self)
        del values["deciders"]
        return values | {"deciders": list(self.deciders)} if self.policy == ALL else values

    @property
    def shown(self) -> str:
        """The title as people read it."""
        return self.title or _("Approval")


def stages_of(run: Run) -> list[Stage]:
    """The stages that were pinned when the run was sent last."""
    return [Stage.of(values) for values in run.stages]


def rule_for(run: Run, program_year: ProgramYear) -> ApprovalRule | None:
    """The rule for the run's total: the program's own before the general one, then of the nearest sponsor."""
    return db.session.scalars(
        select(ApprovalRule)
        .where(
            ApprovalRule.year == program_year.year,
            ApprovalRule.org_path.in_(lineage(program_year.org_path)),
            ApprovalRule.program.is_(None) | (ApprovalRule.program == program_year.program),
            ApprovalRule.from_fen <= run.total_fen,
        )
        .order_by(
            ApprovalRule.program.is_(None), func.length(ApprovalRule.org_path).desc(), ApprovalRule.from_fen.desc()
        )
        .limit(1)
    ).first()


def pin(run: Run, program_year: ProgramYear, submitter: User) -> None:
    """Write the stages into the run that is being sent. Raises :class:`Refused` where too few could decide."""
    rule = rule_for(run, program_year)
    if rule is None:
        needed = int(run.settings.get("approvals_needed", 1))
        stages = [Stage(title="", level=OWN_LEVEL, policy=SOME, n=needed)]
    else:
        barred = {run.created_by, submitter.id}
        stages = _with_deciders([Stage.of(values) for values in rule.stages], run, program_year.program, barred)
        short = short_stage(stages, run, program_year.program, barred)
        if short is not None:
            raise Refused(
                _("Too few could decide in the stage “%(stage)s”; put the rule or the roles right.", stage=short.shown)
            )
    run.stages = [stage.to_json() for stage in stages]
    run.stage, run.band_fen = 1, rule.from_fen if rule else None


def _with_deciders(stages: Sequence[Stage], run: Run, program: str, barred: Set[int]) -> list[Stage]:
    """Where all are asked: who that is today. Who is asked in one stage is not asked in a later one."""
    asked: set[int] = set()
    pinned = []
    for stage in stages:
        if stage.policy == ALL:
            deciders = could_decide(stage, run, program) - barred - asked
            asked |= deciders
            pinned.append(replace(stage, n=len(deciders), deciders=tuple(sorted(deciders))))
        else:
            pinned.append(replace(stage, n=stage.n if stage.policy == SOME else 1))
    return pinned


def could_decide(stage: Stage, run: Run, program: str) -> set[int]:
    """Everybody who holds the permission where the stage decides, by today's grants."""
    above = lineage(run.org_path)
    held = users_holding(APPROVE, program)
    if stage.level == OWN_LEVEL:
        member = select(Org.industry_path).where(Org.path.in_(above), Org.industry_path.is_not(None))
        paths = {*above, *(path for industry in db.session.scalars(member) for path in lineage(str(industry)))}
        return set(db.session.scalars(held.where(Grant.org_path.in_(sorted(paths)))))
    there = held.join(Org, Org.path == Grant.org_path).where(Org.level == stage.level, Grant.org_path.in_(above))
    return set(db.session.scalars(there))


def short_stage(
    stages: Sequence[Stage], run: Run, program: str, barred: Set[int], *, given: Sequence[int] = ()
) -> Stage | None:
    """The first stage that finds too few to decide, nobody counted in two; ``given`` is what each stage has by now.

    ``barred`` are those who made or submitted the run, or have decided.
    """
    asked = {user for stage in stages for user in stage.deciders}
    free = []
    for stage in stages:
        could = could_decide(stage, run, program) - barred
        free.append(could & set(stage.deciders) if stage.policy == ALL else could - asked)
    lacking = [max(1, stage.n) - (given[place] if given else 0) for place, stage in enumerate(stages)]
    place = _unfilled(lacking, free)
    return None if place is None else stages[place]


def _unfilled(lacking: Sequence[int], free: Sequence[Set[int]]) -> int | None:
    """The first place that cannot be given as many of its own people as it lacks, each person at one place only."""
    placed: dict[int, int] = {}

    def find(place: int, tried: set[int]) -> bool:
        for user in free[place]:
            if user not in tried:
                tried.add(user)
                if user not in placed or find(placed[user], tried):
                    placed[user] = place
                    return True
        return False

    for place, count in enumerate(lacking):
        for _vote in range(count):
            if not find(place, set()):
                return place
    return None


def awaits(user: User, program: str) -> ColumnElement[bool]:
    """Whether a run of the program waits for a decision of this user: the condition for one run and for all of them."""
    stage = Run.stages.op("->", return_type=JSONB())(cast(Run.stage - 1, Integer))
    level, policy = stage["level"].astext, stage["policy"].astext
    holds = [(level == OWN_LEVEL) & scope_of(user, APPROVE, program).covers(Run.org_path)]
    holds += [(level == org.level) & subtree(Run.org_path, org.path) for org in held_at(user, APPROVE, program)]
    asked: dict[str, Any] = {"deciders": [user.id]}
    is_asked = case(
        (policy == ALL, stage.contains(asked)),
        # Who must decide in a later stage cannot use up the vote in this one.
        else_=not_(Run.stages.contains([asked])),
    )
    decided = exists().where(
        RunApproval.run_id == Run.id, RunApproval.round == Run.round, RunApproval.user_id == user.id
    )
    is_own = (Run.created_by == user.id) | func.coalesce(Run.submitted_by == user.id, False)
    return and_(Run.state == "submitted", not_(is_own), or_(*holds), is_asked, not_(decided))


def may_decide(user: User, run: Run, program: str) -> bool:
    """Whether the run waits for a decision of this user."""
    return db.session.scalar(select(Run.id).where(Run.id == run.id, awaits(user, program))) is not None


def is_complete(run: Run) -> bool:
    """Whether the stage that the run waits in has all the approvals that it needs."""
    given = select(func.count()).where(
        RunApproval.run_id == run.id,
        RunApproval.round == run.round,
        RunApproval.stage == run.stage,
        RunApproval.approved,
    )
    return int(db.session.scalar(given) or 0) >= stages_of(run)[run.stage - 1].n
