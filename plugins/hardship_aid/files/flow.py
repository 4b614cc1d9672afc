"""The way of a file (建档流程): from the application on file, every year looked at again, and out of hardship.

After domain.md, R1: application, first review by the own union, visit with the signed authorisation, comparison with
data from outside, public notice, approval level by level. A worker has one file for life, so whoever was refused, left
or was removed applies again with it; what was done for an earlier application (a visit, a comparison, a notice) counts
for nothing then, and so does an objection to it.
"""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, false, func, select

from core.api import Flow, Transition, has_files, review, under_objection, was_announced
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.words import EDIT, REVIEW

CODE = "hardship_aid.files"
#: The unions at which files are approved, from the lowest up; one that lies below none of them waits at the sponsor.
APPROVED_AT = ("township", "county")
STATES = {
    "draft": _l("Application"),
    "unit_review": _l("First review by the union"),
    "visit": _l("Home visit"),
    "comparison": _l("Comparison with outside data"),
    "notice": _l("Public notice"),
    "approval": _l("Approval"),
    "on_file": _l("On file"),
    "recheck": _l("Yearly re-check"),
    "out": _l("Out of hardship"),
    "removed": _l("Removed from file"),
    "returned": _l("Returned"),
    "refused": _l("Not put on file"),
}


def household_complete() -> ColumnElement[bool]:
    """Whether all who live with the worker are on the list of members."""
    members = select(func.count()).select_from(Member).where(Member.person_id == File.person_id)
    complete: ColumnElement[bool] = members.correlate(File).scalar_subquery() == File.household_size - 1
    return complete


def visited() -> ColumnElement[bool]:
    """Whether the household was visited for this application, and the authorisation it signed is attached."""
    return (File.visited_on >= File.applied_on) & has_files(CODE, File)


def compared() -> ColumnElement[bool]:
    """Whether what the household says was compared with outside data for this application."""
    return func.coalesce(File.compared_on >= File.applied_on, false())


def announced() -> ColumnElement[bool]:
    """Whether the notice of this application has ended, and no objection to it is open or was upheld."""
    return was_announced(CODE, File, since=File.applied_on) & ~objected()


def objected() -> ColumnElement[bool]:
    """Whether an objection to the notice of this application is open or was upheld."""
    return under_objection(CODE, File, since=File.applied_on)


def by_clerk(code: str, title: Any, source: str | tuple[str, ...], target: str, **more: Any) -> Transition:
    """A step of those who keep the files, who may well have entered it themselves: it decides nothing."""
    return Transition(code=code, title=title, source=source, target=target, permission=EDIT, not_creator=False, **more)


def by_reviewer(code: str, title: Any, source: str | tuple[str, ...], target: str, **more: Any) -> Transition:
    """A decision where the file belongs, never about what one entered."""
    return Transition(code=code, title=title, source=source, target=target, permission=REVIEW, **more)


APPLICATION = (
    by_clerk(
        "submit", _l("Submit the application"), ("draft", "returned"), "unit_review",
        provided=household_complete,
        provided_because=_l("Enter all members of the household first: as many as live together, without the worker."),
    ),
    by_clerk("withdraw", _l("Withdraw"), "unit_review", "draft"),
    by_reviewer("pass_unit", _l("Pass the first review"), "unit_review", "visit", working_days="review_days"),
    by_reviewer("return_unit", _l("Return"), "unit_review", "returned", comment=True),
    by_reviewer("refuse_unit", _l("Do not put on file"), "unit_review", "refused", comment=True),
    by_clerk(
        "visited", _l("Visited"), "visit", "comparison",
        provided=visited,
        provided_because=_l(
            "Enter the day of the visit, which is not before the application, and attach the signed authorisation."
        ),
    ),
    by_clerk(
        "compared", _l("Compared"), "comparison", "notice",
        provided=compared,
        provided_because=_l("What the household says has not been compared with outside data since it applied."),
    ),
    by_clerk("take_back", _l("Take the application back"), ("visit", "comparison"), "returned", comment=True),
    by_clerk(
        "announced", _l("The public notice is over"), "notice", "approval",
        provided=announced,
        provided_because=_l("The public notice of this application has not ended, or an objection to it stands."),
    ),
    by_reviewer(
        "refuse_objected", _l("Do not put on file after an objection"), "notice", "refused", comment=True,
        provided=objected,
        provided_because=_l("There is no objection to the public notice of this application."),
    ),
    *review("approval", permission=REVIEW, levels=APPROVED_AT, approved="on_file", working_days="review_days"),
)  # fmt: skip
ON_FILE = (
    by_clerk("start_recheck", _l("Begin the yearly re-check"), "on_file", "recheck"),
    by_reviewer("confirm", _l("Still in hardship"), "recheck", "on_file", working_days="review_days"),
    by_reviewer("leave", _l("Out of hardship"), ("on_file", "recheck"), "out", comment=True),
    by_reviewer("remove", _l("Remove from file"), ("on_file", "recheck"), "removed", comment=True),
    by_clerk("relapse", _l("Relapse into hardship"), "out", "draft", comment=True),
    by_clerk("apply_again", _l("Apply again"), ("removed", "refused"), "draft", comment=True),
)
FLOW = Flow(
    states=STATES,
    transitions=(*APPLICATION, *ON_FILE),
    editable=("draft", "returned", "visit", "recheck"),
)
