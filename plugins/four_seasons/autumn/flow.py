"""The way of an application for study aid: the own union, the county, public notice, approval.

After domain.md, R3: apply to the union of one's own unit, review, notice, payment; the parent's file must be valid on
the day of approval. What was renewed from the year before only waits to be approved.
"""

from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, exists, or_, select

from core.api import (
    Flow,
    Person,
    ProgramYear,
    Transition,
    db,
    has_files,
    offered,
    review,
    under_objection,
    was_announced,
)
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.words import APPLICATIONS, REVIEW, STATES
from plugins.four_seasons.words import AUTUMN, EDIT

#: The union that reviews before the notice; an application below none waits at the sponsor.
REVIEWED_AT = ("county",)
Condition = Callable[[], ColumnElement[bool]]


def parent_named() -> ColumnElement[bool]:
    """Whether the application names a parent."""
    return Application.parent_id.is_not(None)


def file_valid() -> ColumnElement[bool]:
    """Whether the parent is on the hardship file today, where the student applied as such a worker's child.

    Files of a parent whom the reader does not see cannot be looked at here; the run, which sees all, excludes those
    whose parent is not on file.
    """
    years = db.session.scalars(
        select(ProgramYear).where(ProgramYear.program == AUTUMN, ProgramYear.enabled, ProgramYear.closed_at.is_(None))
    )
    valid = [
        and_(Application.program_year_id == year.id, Application.parent_id.in_(select(files.subquery().c.person_id)))
        for year in years
        if (files := offered("hardship", year)) is not None
    ]
    is_seen = exists().where(Person.id == Application.parent_id)
    return or_(Application.basis != "on_file", ~is_seen, *valid)


def by_clerk(code: str, title: Any, source: str | tuple[str, ...], target: str, **more: Any) -> Transition:
    """A step of those who keep the applications: it decides nothing."""
    return Transition(code=code, title=title, source=source, target=target, permission=EDIT, not_creator=False, **more)


def by_reviewer(code: str, title: Any, source: str | tuple[str, ...], target: str, **more: Any) -> Transition:
    """A decision where the student belongs, never about what one entered."""
    return Transition(code=code, title=title, source=source, target=target, permission=REVIEW, **more)


def flow_of(program: str) -> Flow:
    """The flow of the applications of this program; those of autumn name a parent."""
    code = APPLICATIONS[program]

    def has_letter() -> ColumnElement[bool]:
        return or_(Application.renewed, has_files(code, Application))

    submit = by_clerk(
        "submit", _l("Submit the application"), ("draft", "returned"), "unit_review",
        provided=has_letter, provided_because=_l("Attach the admission letter first."),
    )  # fmt: skip
    steps = (submit, *_of_the_union(needs_parent=program == AUTUMN), *_of_the_notice(code), *APPROVAL)
    return Flow(states=STATES, transitions=steps)


def _of_the_union(*, needs_parent: bool) -> tuple[Transition, ...]:
    """The review by the own union, then by the county."""
    parent: dict[str, Any] = {
        "provided": parent_named,
        "provided_because": _l("No parent is named; return the application to have one entered."),
    }
    return (
        by_reviewer(
            "pass_unit", _l("Pass the review"), "unit_review", "county_review",
            working_days="review_days", **(parent if needs_parent else {}),
        ),
        by_reviewer("return_unit", _l("Return"), "unit_review", "returned", comment=True),
        by_reviewer("refuse_unit", _l("Refuse"), "unit_review", "refused", comment=True),
        *review("county_review", permission=REVIEW, levels=REVIEWED_AT, approved="notice", working_days="review_days"),
    )  # fmt: skip


def _of_the_notice(code: str) -> tuple[Transition, ...]:
    """What ends the public notice of an entry of the register with this code."""

    def announced() -> ColumnElement[bool]:
        return was_announced(code, Application, since=Application.applied_on) & ~objected()

    def objected() -> ColumnElement[bool]:
        return under_objection(code, Application, since=Application.applied_on)

    return (
        by_clerk(
            "announced", _l("The public notice is over"), "notice", "approval",
            provided=announced,
            provided_because=_l("The public notice of this application has not ended, or an objection stands."),
        ),
        by_reviewer(
            "refuse_objected", _l("Refuse after an objection"), "notice", "refused", comment=True,
            provided=objected,
            provided_because=_l("There is no objection to the public notice of this application."),
        ),
    )  # fmt: skip


APPROVAL = (
    by_reviewer(
        "grant", _l("Approve the aid"), "approval", "approved", working_days="review_days",
        provided=file_valid,
        provided_because=_l("The parent's hardship file is not valid today; return or refuse the application."),
    ),
    by_reviewer("return_last", _l("Return"), "approval", "returned", comment=True),
    by_reviewer("refuse_last", _l("Refuse"), "approval", "refused", comment=True),
    by_clerk(
        "withdraw", _l("Withdraw"), ("unit_review", "county_review", "notice", "approval"), "withdrawn", comment=True
    ),
    by_clerk("apply_again", _l("Apply again"), ("refused", "withdrawn"), "draft", comment=True),
)  # fmt: skip
