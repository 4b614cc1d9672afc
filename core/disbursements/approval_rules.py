"""The rules of approval, kept year by year by whoever manages the sponsor's program years.

A sponsor's rules for a program, or for every program, begin at 0 yuan and each holds up to the next, so that no amount
is without one and none has two. A change counts for runs that are submitted after it. Each call commits once.
"""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import false, func, or_, select

from core.audit.services import Actor, record
from core.disbursements.approvals import APPROVE, OWN_LEVEL, POLICIES, SOME, Stage
from core.disbursements.models import ApprovalRule
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db
from core.money import LARGEST_FEN
from core.org.models import LEVELS, Org
from core.org.scope import lineage
from core.plugin.registry import registry_of
from core.programs.models import FIRST_YEAR, LAST_YEAR
from core.users.access import require, scope_of, users_holding
from core.users.models import Grant, User

MANAGE = "program.manage"
MOST_STAGES = 5
MOST_VOTES = 20
LONGEST_TITLE = 40


def rules_for(user: User, year: int) -> list[tuple[ApprovalRule, Org]]:
    """The rules of a year that the user keeps, by sponsor, the general ones first, then by amount."""
    query = select(ApprovalRule, Org).join(Org, Org.id == ApprovalRule.org_id).where(ApprovalRule.year == year)
    query = query.where(_kept_by(user))
    order = (ApprovalRule.org_path, ApprovalRule.program.nulls_first(), ApprovalRule.from_fen)
    return [(rule, org) for rule, org in db.session.execute(query.order_by(*order))]


def rule_of(user: User, rule_id: int) -> ApprovalRule | None:
    """The rule with this id, if the user keeps it."""
    return db.session.scalar(select(ApprovalRule).where(ApprovalRule.id == rule_id, _kept_by(user)))


def add_rule(
    actor: Actor, *, year: int, org: Org, program: str | None, from_fen: int, stages: Sequence[Stage]
) -> ApprovalRule:
    """Add a rule for the runs that ``org`` sponsors in a year, of one program or (none) of every one.

    Raises :class:`ZhijiaError` with one sentence for what is wrong, :class:`Refused` where it does not fit the others.
    """
    require(actor, MANAGE, org.path, program)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        wrong = _("The year must lie between %(first)s and %(last)s.", first=FIRST_YEAR, last=LAST_YEAR)
        raise ZhijiaError(wrong, field="year")
    if program is not None and program not in registry_of().programs:
        raise ZhijiaError(_("There is no such program."), field="program")
    _lock(org.id)
    rule = ApprovalRule(year=year, org_id=org.id, org_path=org.path, program=program)
    _fill(rule, from_fen, stages)
    db.session.add(rule)
    db.session.flush()
    _note(actor, "approval_rule.add", rule)
    db.session.commit()
    return rule


def change_rule(actor: Actor, rule: ApprovalRule, *, from_fen: int, stages: Sequence[Stage]) -> None:
    """Change where a rule begins and its stages. Raises as :func:`add_rule` does."""
    rule = _taken(actor, rule)
    _fill(rule, from_fen, stages)
    _note(actor, "approval_rule.change", rule)
    db.session.commit()


def remove_rule(actor: Actor, rule: ApprovalRule) -> None:
    """Remove a rule; the one that begins at 0 yuan goes last."""
    rule = _taken(actor, rule)
    if rule.from_fen == 0 and _other_bands(rule):
        raise Refused(_("Remove the rules for larger amounts first: no amount may be without one."))
    db.session.delete(rule)
    _note(actor, "approval_rule.remove", rule)
    db.session.commit()


def copy_rules(actor: User, year: int) -> int:
    """Copy the rules of a year that the actor keeps into the next one; returns how many. None of them may be there."""
    target = year + 1
    if not FIRST_YEAR <= target <= LAST_YEAR:
        wrong = _("The year must lie between %(first)s and %(last)s.", first=FIRST_YEAR, last=LAST_YEAR)
        raise ZhijiaError(wrong, field="year")
    rules = [rule for rule, _org in rules_for(actor, year)]
    if not rules:
        raise Refused(_("There are no rules of %(year)s to copy.", year=year))
    for org_id in sorted({rule.org_id for rule in rules}):
        _lock(org_id)
    there = {(rule.org_id, rule.program) for rule, _org in rules_for(actor, target)}
    if there & {(rule.org_id, rule.program) for rule in rules}:
        raise Refused(_("There are rules for %(year)s already; change or remove them first.", year=target))
    for rule in rules:
        kept: dict[str, Any] = {name: getattr(rule, name) for name in _COPIED}
        copy = ApprovalRule(year=target, **kept)
        db.session.add(copy)
        db.session.flush()
        _note(actor, "approval_rule.copy", copy)
    db.session.commit()
    return len(rules)


_COPIED = ("org_id", "org_path", "program", "from_fen", "stages")


def _kept_by(user: User) -> Any:
    """The rules of the unions whose program years the user manages, for every program or for some."""
    programs = {grant.program for grant in user.grants}
    return or_(
        false(),
        *(
            scope_of(user, MANAGE, program).covers(ApprovalRule.org_path)
            & (ApprovalRule.program.is_not_distinct_from(program) if program else ApprovalRule.id.is_not(None))
            for program in programs
        ),
    )


def _lock(org_id: int) -> None:
    """Changes of a sponsor's rules take turns, so that two at once leave no gap."""
    db.session.execute(select(Org.id).where(Org.id == org_id).with_for_update(key_share=True))


def _taken(actor: Actor, rule: ApprovalRule) -> ApprovalRule:
    """The rule as it is when its turn has come."""
    require(actor, MANAGE, rule.org_path, rule.program)
    _lock(rule.org_id)
    taken = db.session.scalar(
        select(ApprovalRule).where(ApprovalRule.id == rule.id).execution_options(populate_existing=True)
    )
    if taken is None:
        raise NotFound(_("The rule is gone meanwhile."))
    return taken


def _fill(rule: ApprovalRule, from_fen: int, stages: Sequence[Stage]) -> None:
    if not 0 <= from_fen <= LARGEST_FEN:
        raise ZhijiaError(_("This is no amount that a rule can begin at."), field="from_fen")
    others = _other_bands(rule)
    if from_fen in others:
        raise Refused(_("Another rule begins at this amount already."), field="from_fen")
    if from_fen and 0 not in others:
        raise Refused(_("One rule must begin at 0 yuan, so that no amount is without one."), field="from_fen")
    if not 1 <= len(stages) <= MOST_STAGES:
        raise ZhijiaError(_("A rule has 1 to %(most)s stages.", most=MOST_STAGES))
    for number, stage in enumerate(stages, 1):
        _check_stage(stage, number)
        _check_enough(rule, stage, number)
    rule.from_fen, rule.stages = from_fen, [_plain(stage) for stage in stages]


def _plain(stage: Stage) -> dict[str, Any]:
    return {"title": stage.title, "level": stage.level, "policy": stage.policy, "n": stage.n}


def _check_stage(stage: Stage, number: int) -> None:
    if not stage.title.strip() or len(stage.title) > LONGEST_TITLE:
        raise ZhijiaError(
            _("Stage %(number)s: give it a title of at most %(most)s characters.", number=number, most=LONGEST_TITLE)
        )
    if stage.level not in (OWN_LEVEL, *LEVELS):
        raise ZhijiaError(_("Stage %(number)s: choose the union that decides.", number=number))
    if stage.policy not in POLICIES:
        raise ZhijiaError(_("Stage %(number)s: choose who must approve.", number=number))
    if stage.policy == SOME and not 1 <= stage.n <= MOST_VOTES:
        raise ZhijiaError(
            _("Stage %(number)s: the number of approvals lies between 1 and %(most)s.", number=number, most=MOST_VOTES)
        )


def _check_enough(rule: ApprovalRule, stage: Stage, number: int) -> None:
    """Where the deciding union is the same for all runs, as it is the sponsor or lies above it, its people are counted.

    What lies below differs from run to run, and is counted when a run is submitted.
    """
    union = db.session.scalar(select(Org).where(Org.level == stage.level, Org.path.in_(lineage(rule.org_path))))
    if union is None:
        return
    held = users_holding(APPROVE, rule.program, or_some_program=rule.program is None)
    found = db.session.scalar(select(func.count(held.where(Grant.org_id == union.id).distinct().subquery().c.user_id)))
    needed = stage.n if stage.policy == SOME else 1
    if int(found or 0) < needed:
        raise Refused(
            _(
                "Stage %(number)s: at %(union)s %(found)s may approve runs, fewer than the stage needs.",
                number=number,
                union=union.name,
                found=found,
            )
        )


def _other_bands(rule: ApprovalRule) -> set[int]:
    """Where the other rules of the same year, sponsor and program begin."""
    query = select(ApprovalRule.from_fen).where(
        ApprovalRule.year == rule.year,
        ApprovalRule.org_id == rule.org_id,
        ApprovalRule.program.is_not_distinct_from(rule.program),
    )
    return set(db.session.scalars(query if rule.id is None else query.where(ApprovalRule.id != rule.id)))


def _note(actor: Actor, action: str, rule: ApprovalRule) -> None:
    details = {"year": rule.year, "program": rule.program, "from_fen": rule.from_fen, "stages": rule.stages}
    record(actor, action, f"approval_rule:{rule.id}", rule.org_path, **details)
