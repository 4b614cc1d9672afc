"""States as people read them: a title and a colour of Tabler."""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Label:
    """What a badge shows; ``colour`` is one of Tabler's names."""

    title: LazyString | str
    colour: str


STATES: dict[str, dict[str, Label]] = {
    "run": {
        "draft": Label(_l("Draft"), "secondary"),
        "computing": Label(_l("Computing"), "azure"),
        "computed": Label(_l("Computed"), "blue"),
        "notice": Label(_l("Under public notice"), "purple"),
        "submitted": Label(_l("Waiting for approval"), "orange"),
        "approved": Label(_l("Approved"), "teal"),
        "posted": Label(_l("Posted"), "green"),
        "sent": Label(_l("Sent to bank"), "green"),
        "settled": Label(_l("Settled"), "green"),
        "cancelled": Label(_l("Cancelled"), "secondary"),
        "failed": Label(_l("Failed"), "red"),
    },
    "job": {
        "queued": Label(_l("Queued"), "secondary"),
        "running": Label(_l("Running"), "azure"),
        "done": Label(_l("Done"), "green"),
        "failed": Label(_l("Failed"), "red"),
        "skipped": Label(_l("Skipped"), "orange"),
    },
    "program_year": {
        "off": Label(_l("Off"), "secondary"),
        "upcoming": Label(_l("Not open yet"), "azure"),
        "open": Label(_l("Open"), "green"),
        "closed": Label(_l("Closed"), "secondary"),
    },
    "user": {
        "active": Label(_l("Active"), "green"),
        "inactive": Label(_l("Closed account"), "secondary"),
    },
}


def label_of(kind: str, state: str) -> Label:
    """The label of a state; an unknown one reads as itself."""
    return STATES.get(kind, {}).get(state) or Label(state, "secondary")
