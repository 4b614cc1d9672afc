"""Why a step cannot be taken, as people read it: one sentence for an entry, a short reason where many are counted."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from core.plugin.flow import Transition

#: Code of :func:`core.flows.conditions.hindrance` -> the sentence; ``provided`` has that of the step itself.
HINDRANCES: dict[str, LazyString] = {
    "meanwhile": _l("Somebody else has moved this entry on since you opened it; look at it again."),
    "state": _l("This step does not lead out of the state that the entry is in."),
    "elsewhere": _l("The entry waits at a union for which you do not hold the permission for this step."),
    "level": _l("An entry can be returned only to a union below the one at which it waits."),
    "own": _l("You made, changed or submitted this entry, so somebody else decides about it."),
    "acted": _l("You have taken a step with this entry before, so somebody else decides here."),
    "voted": _l("You have decided about this entry already; the others are still asked."),
    "asked": _l("Those who held the permission when the entry arrived decide about it."),
}


def sentence_of(step: Transition, hindrance: str) -> str:
    """Why an entry cannot take the step."""
    return str(step.provided_because if hindrance == "provided" else HINDRANCES[hindrance])
