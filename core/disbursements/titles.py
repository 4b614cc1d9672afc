"""Codes of runs as people read them; a code whose plugin is gone reads as itself."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from core.disbursements.banking.following import LEFT, NO_ACCOUNT
from core.disbursements.rules import ALREADY_PAID, CAPPED, CONFLICT, MERGED, NO_AMOUNT
from core.disbursements.services import OBJECTION
from core.plugin.registry import registry_of

REASONS: dict[str, LazyString] = {
    ALREADY_PAID: _l("Has received this benefit this year already"),
    NO_ACCOUNT: _l("No bank account"),
    LEFT: _l("The union has left this part of the tree; a run where it is now can pay"),
    MERGED: _l("The file was merged into another"),
    NO_AMOUNT: _l("The amount comes to nothing"),
    CONFLICT: _l("Gets the same from another run; the note names it"),
    CAPPED: _l("Has reached the most that one payee may get"),
    OBJECTION: _l("Held back after an objection"),
}
#: What computing a run again may change for a payee.
CHANGES: dict[str, LazyString] = {
    "new": _l("New on the list"),
    "gone": _l("No longer on the list"),
    "paid_now": _l("Paid now, not before"),
    "not_paid_now": _l("Not paid any more"),
    "more": _l("Gets more"),
    "less": _l("Gets less"),
}
#: The way of a run that nothing stops, as its page shows it.
STEPS = ("draft", "computed", "submitted", "approved", "posted", "sent", "settled")
#: States beside that way -> the last step done.
BESIDE = {"computing": "draft", "failed": "draft", "notice": "computed"}


def reason_title(scheme_code: str, code: str) -> str:
    """Why somebody is not paid, in words."""
    scheme = registry_of().schemes.get(scheme_code)
    title = (scheme.reasons.get(code) if scheme else None) or REASONS.get(code) or code
    return str(title)


def scheme_title(code: str) -> str:
    """The title of a scheme."""
    scheme = registry_of().schemes.get(code)
    return str(scheme.title) if scheme else code


def steps_of(form: str) -> list[str]:
    """The way of a run that is paid in this form: cash and goods go to no bank."""
    return [step for step in STEPS if form == "bank" or step != "sent"]


def steps_done(state: str, form: str = "bank") -> int:
    """How many of :func:`steps_of` the run has behind it; none for a cancelled run."""
    state, steps = BESIDE.get(state, state), steps_of(form)
    return steps.index(state) + 1 if state in steps else 0
