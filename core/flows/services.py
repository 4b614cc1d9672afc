"""Moving entries: one, or as many as were chosen, by the same two statements, with one line in the audit trail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CTE, BigInteger, Select, case, cast, func, insert, literal, null, select, update

from core.audit.services import record
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db, whole
from core.flows.conditions import Move, due_on, hindrance, levels_above, moves, voters, where_to
from core.flows.models import FlowBatch, FlowStep
from core.flows.titles import sentence_of
from core.jobs.models import Job
from core.jobs.services import enqueue
from core.plugin.registry import registry_of
from core.registers.queries import belongs
from core.tasks.kinds import TaskKind
from core.tasks.services import notify
from core.users.models import User

#: Entries that are moved while somebody waits; more are a job.
AT_ONCE = 5_000
LONGEST_COMMENT = 500
JOB = "flows.move"
FAILED = TaskKind(
    code="flows.batch_failed",
    title=_l("%(register)s: “%(step)s” was not done, all %(count)s chosen entries are as they were. %(reason)s"),
    endpoint="registers.index",
)
#: Hindrances that are about who asks.
_ABOUT_ME = ("elsewhere", "own", "acted", "asked")


@dataclass(frozen=True, slots=True)
class Done:
    """What a step did: entries that it was taken with, and those of them that moved on (the others wait for votes)."""

    taken: int
    moved: int


def move(move: Move, row_id: int) -> Done:
    """Take a step with one entry.

    Raises :class:`Forbidden` or :class:`Refused` with what stands in the way, :class:`ZhijiaError` at the comment, and
    :class:`NotFound` when the entry is gone.
    """
    _check_comment(move)
    model = move.model
    with whole():
        chosen = select(model.id).where(model.id == row_id)
        found, at = _lock(move, chosen)
        if not found:
            raise NotFound(_("Somebody else has removed this entry meanwhile."))
        reason = db.session.scalar(select(hindrance(move)).where(model.id == row_id))
        if reason is not None:
            kind = Forbidden if reason in _ABOUT_ME else Refused
            raise kind(sentence_of(move.step, reason), field="level" if reason == "level" else None)
        state, org_path = db.session.execute(select(model.state, model.org_path).where(model.id == row_id)).one()
        done = _take(move, chosen, at)
        data = {"step": move.step.code, "from": state, "moved": done.moved == 1}
        record(move.user, "flow.move", f"{move.register.code}:{row_id}", org_path, **data)
        db.session.commit()
    return done


def move_chosen(move: Move, chosen: Select[int]) -> Done:
    """Take a step with every entry of ``chosen`` (ids) that can take it; the others stay as they are.

    Raises :class:`ZhijiaError` at the comment, and :class:`Refused` when none of them can.
    """
    _check_batch(move)
    with whole():
        _found, at = _lock(move, chosen)
        done = _take(move, chosen, at)
        if not done.taken:
            raise Refused(_("None of these entries can take this step."))
        _record_batch(move, done)
        db.session.commit()
    return done


def move_later(move: Move, chosen: Select[int]) -> Job:
    """The same as a job: the entries are written down now, so that exactly these are moved."""
    _check_batch(move)
    with whole():
        ids = select(func.array_agg(chosen.subquery().c[0]))
        batch = FlowBatch(
            register=move.register.code,
            program_year_id=move.program_year.id,
            transition=move.step.code,
            comment=move.comment,
            seen=move.seen,
            row_ids=func.coalesce(ids.scalar_subquery(), []),
            user_id=move.user.id,
        )
        db.session.add(batch)
        db.session.flush()
        job = enqueue(
            JOB,
            move.user,
            move.user.org_path,
            program_year_id=move.program_year.id,
            key=f"flow_batch:{batch.id}",
            args={"batch_id": batch.id},
        )
        db.session.commit()
    return job


def move_batch(move: Move, batch: FlowBatch) -> Done:
    """Move what was written down, and forget it in the same transaction: a second run finds nothing to do."""
    with whole():
        locked = select(FlowBatch.row_ids).where(FlowBatch.id == batch.id).with_for_update()
        if not db.session.scalar(locked):
            return Done(0, 0)
        kept = select(FlowBatch.row_ids).where(FlowBatch.id == batch.id).scalar_subquery()
        chosen: Select[Any] = select(func.unnest(kept))
        _found, at = _lock(move, chosen)
        done = _take(move, chosen, at)
        if done.taken:
            _record_batch(move, done)
        db.session.execute(update(FlowBatch).where(FlowBatch.id == batch.id).values(row_ids=[], comment=""))
        db.session.commit()
    return done


def release_failed() -> int:
    """Tell whoever asked for a batch whose job failed for good, and let go of its entries; returns how many there were.

    None of them was moved: a batch is one transaction. Retrying such a job says so as well. Commits.
    """
    given_up = (
        select(FlowBatch, Job.error)
        .join(Job, Job.key == func.concat("flow_batch:", FlowBatch.id))
        .where(func.cardinality(FlowBatch.row_ids) > 0, Job.state.in_(("failed", "skipped")))
        .order_by(FlowBatch.id)
        .with_for_update(of=FlowBatch, skip_locked=True)
    )
    rows = db.session.execute(given_up).all()
    for batch, reason in rows:
        user = db.session.get_one(User, batch.user_id)
        register = registry_of().registers.get(batch.register)
        with force_locale(user.locale):
            step = register.flow.transition(batch.transition) if register and register.flow else None
            title = str(step.title) if step else batch.transition
        notify(
            FAILED,
            [user.id],
            f"flow_batch:{batch.id}",
            program_year_id=batch.program_year_id,
            data={
                "register": {"register": batch.register},
                "step": title,
                "count": len(batch.row_ids),
                "reason": reason or "–",
            },
            address={"name": register.name} if register else {},
        )
        db.session.delete(batch)
    db.session.commit()
    return len(rows)


def _check_comment(move: Move) -> None:
    if move.step.comment and not move.comment:
        raise ZhijiaError(_("Please give the reason."), field="comment")
    if len(move.comment) > LONGEST_COMMENT:
        raise ZhijiaError(_("The comment is longer than %(count)s signs.", count=LONGEST_COMMENT), field="comment")


def _check_batch(move: Move) -> None:
    if move.step.goes_down:
        raise Refused(_("This step is taken entry by entry, as it leads to a level of each."))
    if move.seen is None:
        raise ValueError("a batch says when its entries were counted")
    _check_comment(move)


def _record_batch(move: Move, done: Done) -> None:
    data = {"step": move.step.code, "program_year": move.program_year.id, "taken": done.taken, "moved": done.moved}
    record(move.user, "flow.batch", move.register.code, move.user.org_path, **data)


def _lock(move: Move, chosen: Select[Any]) -> tuple[int, datetime]:
    """Keep everybody else away from the entries, in one order for all; returns their number and the instant after it.

    What follows is a statement of its own, so that it sees what those did for whom this one has waited.
    """
    model = move.model
    rows = (
        select(model.id)
        .where(model.id.in_(chosen), *belongs(move.register, move.program_year))
        .order_by(model.id)
        .with_for_update()
    )
    found, at = db.session.execute(select(func.count(), func.clock_timestamp()).select_from(rows.subquery())).one()
    return found, at


def _take(move: Move, chosen: Select[Any], at: datetime) -> Done:
    """Write the steps, and the new states of those that move, in one statement."""
    model = move.model
    lines = _lines(move, chosen)
    table = model.__table__
    moved = (
        update(table)
        .where(table.c.id == lines.c.id, lines.c.moved)
        .values(state=lines.c.to_state, at_level=lines.c.to_level, due_on=lines.c.due_on, state_since=at)
        .cte("moved")
    )
    names = [
        "row_id",
        "org_id",
        "org_path",
        "person_id",
        "from_state",
        "at_level",
        "to_state",
        "to_level",
        "moved",
        "voters",
    ]
    same = {
        "register": move.register.code,
        "transition": move.step.code,
        "comment": move.comment,
        "user_id": move.user.id,
        "actor": move.user.name,
        "at": at,
    }
    values = select(*(lines.c[name] for name in names), *(literal(value) for value in same.values()))
    steps = insert(FlowStep).from_select([*names, *same], values).add_cte(moved).returning(FlowStep.moved).cte("steps")
    counted = select(func.count(), func.count().filter(steps.c.moved))
    taken, went = db.session.execute(counted.select_from(steps)).one()
    return Done(taken, went)


def _lines(move: Move, chosen: Select[Any]) -> CTE:
    """An entry a line: where it goes from here. First what is above each of those that can take the step."""
    model = move.model
    able = (
        select(model.id, levels_above(move).label("above"))
        .where(model.id.in_(chosen), *belongs(move.register, move.program_year), hindrance(move).is_(None))
        .cte("able")
    )
    to_state, to_level = where_to(move, able.c.above)
    goes = moves(move)
    return (
        select(
            model.id.label("id"),
            model.id.label("row_id"),
            model.org_id.label("org_id"),
            model.org_path.label("org_path"),
            (model.person_id if move.register.of_people else cast(null(), BigInteger)).label("person_id"),
            model.state.label("from_state"),
            model.at_level.label("at_level"),
            case((goes, to_state), else_=model.state).label("to_state"),
            case((goes, to_level), else_=model.at_level).label("to_level"),
            due_on(move, to_state).label("due_on"),
            goes.label("moved"),
            case((goes, voters(move, to_state, to_level)), else_=null()).label("voters"),
        )
        .join(able, able.c.id == model.id)
        .cte("lines")
    )
