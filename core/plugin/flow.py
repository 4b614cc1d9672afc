"""The flow of a register: the states of an entry, and who may move it from one to the next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One step (流转): from ``source`` (one state, or several) to ``target``, by who holds ``permission``.

    ``level`` is the level of union at which it is done: the one above the entry, or the sponsor where there is none;
    several, from the lowest up, where entries of the source state are reviewed on their way up the tree. All steps out
    of a state that name levels name the same. Without it, whoever holds the permission where the entry belongs may.
    ``climbs``: done once at each of the levels, and only the last leads to ``target``. ``goes_down``: back to an
    earlier level, which the one who does it names; it stays in its state. ``comment`` is owed.
    ``working_days`` an entry may lie in ``source`` before it: a number, or the name of a setting of the year; the
    earliest of a state's steps is its deadline, anew at each level. ``votes`` are needed of those who hold the
    permission there; ``"all"`` is everybody who held it when the entry arrived. ``not_creator``: who made, changed or
    submitted the entry, or took a step with it at another level or in another state since, may not do it.
    ``provided()`` is the condition (on the model of the register) that an entry must meet for it, and
    ``provided_because`` the sentence for whoever tries with one that does not.
    """

    code: str
    title: str | LazyString
    source: str | tuple[str, ...]
    target: str
    permission: str
    level: str | tuple[str, ...] | None = None
    climbs: bool = False
    goes_down: bool = False
    comment: bool = False
    working_days: int | str | None = None
    votes: int | Literal["all"] = 1
    not_creator: bool = True
    provided: Callable[[], ColumnElement[bool]] | None = None
    provided_because: str | LazyString = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """The states it leads out of."""
        return (self.source,) if isinstance(self.source, str) else self.source

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels at which it is done, from the lowest up; none where it is bound to no level."""
        if self.level is None:
            return ()
        return (self.level,) if isinstance(self.level, str) else self.level


@dataclass(frozen=True, kw_only=True)
class Flow:
    """The states of an entry (code -> title) and its transitions. The model of the register is a ``FlowColumns``.

    A new entry is in ``initial``, which is the default of the column ``state``. Entries may be changed and removed in
    the states of ``editable``; none given: in ``initial`` and in ``returned``, if there is such a state.
    """

    states: Mapping[str, str | LazyString]
    transitions: tuple[Transition, ...]
    initial: str = "draft"
    editable: tuple[str, ...] = ()

    @property
    def open_states(self) -> tuple[str, ...]:
        """The states in which an entry may be changed."""
        return self.editable or self.drafts

    @property
    def drafts(self) -> tuple[str, ...]:
        """The states in which an entry lies with whoever made it: the first one, and ``returned``."""
        return tuple(state for state in self.states if state in (self.initial, "returned"))

    def transition(self, code: str) -> Transition | None:
        """The transition with this code."""
        return next((step for step in self.transitions if step.code == code), None)

    def steps_from(self, state: str) -> list[Transition]:
        """The transitions out of a state."""
        return [step for step in self.transitions if state in step.sources]

    def levels_of(self, state: str) -> tuple[str, ...]:
        """The levels at which an entry waits in this state, from the lowest up; none where it waits at no union."""
        return next((step.levels for step in self.steps_from(state) if step.levels), ())


def review(
    source: str,
    *,
    permission: str,
    levels: tuple[str, ...],
    approved: str = "approved",
    returned: str = "returned",
    refused: str = "refused",
    working_days: int | str | None = None,
    votes: int | Literal["all"] = 1,
) -> tuple[Transition, ...]:
    """Review level by level up the tree (逐级审核), as transitions: approve, return, refuse.

    ``levels`` are passed from the lowest up to the sponsor's own; one that an entry has no union of is left out.
    """
    back = Transition(
        code="return", title=_l("Return"), source=source, target=returned, permission=permission, level=levels,
        comment=True,
    )  # fmt: skip
    steps = [
        Transition(
            code="approve", title=_l("Approve"), source=source, target=approved, permission=permission, level=levels,
            climbs=True, working_days=working_days, votes=votes,
        ),
        back,
        Transition(
            code="refuse", title=_l("Refuse"), source=source, target=refused, permission=permission, level=levels,
            comment=True,
        ),
    ]  # fmt: skip
    if len(levels) > 1:
        down = Transition(
            code="send_down", title=_l("Return to an earlier level"), source=source, target=source,
            permission=permission, level=levels, goes_down=True, comment=True,
        )  # fmt: skip
        steps.insert(1, down)
    return tuple(steps)


def review_flow(
    *,
    submitted_by: str,
    reviewed_by: str,
    levels: tuple[str, ...],
    working_days: int | str | None = None,
    votes: int | Literal["all"] = 1,
) -> Flow:
    """The usual flow: drafted, submitted, reviewed level by level (:func:`review`), then approved or refused.

    Whoever holds the permission ``submitted_by`` sends an entry off, again after it was returned, and may take it back
    while it is under review; ``reviewed_by`` decides at each of ``levels``.
    """
    submit = Transition(
        code="submit", title=_l("Submit"), source=("draft", "returned"), target="review", permission=submitted_by,
        not_creator=False,
    )  # fmt: skip
    withdraw = Transition(
        code="withdraw", title=_l("Withdraw"), source="review", target="draft", permission=submitted_by,
        not_creator=False,
    )  # fmt: skip
    steps = review("review", permission=reviewed_by, levels=levels, working_days=working_days, votes=votes)
    states = {
        "draft": _l("Draft"),
        "review": _l("Under review"),
        "approved": _l("Approved"),
        "returned": _l("Returned"),
        "refused": _l("Refused"),
    }
    return Flow(states=states, transitions=(submit, *steps, withdraw))
