"""The states of a request for a transfer, the tasks that come of it, and which files may go."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from core.api import TaskKind

STATES: dict[str, LazyString] = {
    "open": _l("Waits for the receiving union"),
    "accepted": _l("Accepted"),
    "declined": _l("Declined"),
    "withdrawn": _l("Withdrawn"),
}
STATE_COLOURS = {"open": "blue", "accepted": "green", "declined": "red", "withdrawn": "secondary"}
#: States of files that may go to another union: those about which nothing is under way that others must decide.
MAY_GO = ("on_file", "recheck", "out", "removed", "refused")
UNDER_WAY = _l("An application that is under way is not transferred; bring it to its end first.")
ASKED = TaskKind(
    code="hardship_aid.transfer",
    title=_l("%(union)s asks to hand over a worker in hardship"),
    endpoint="hardship_aid.transfer",
)
ACCEPTED = TaskKind(
    code="hardship_aid.transfer_accepted",
    title=_l("%(union)s has taken over a worker in hardship whom you handed over"),
    endpoint="hardship_aid.transfers",
)
DECLINED = TaskKind(
    code="hardship_aid.transfer_declined",
    title=_l("%(union)s has declined to take over a worker in hardship"),
    endpoint="hardship_aid.transfer",
)
