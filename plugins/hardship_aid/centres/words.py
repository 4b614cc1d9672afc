"""The codes of aid centres and service stations, and what people call them."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

KINDS: dict[str, LazyString] = {"centre": _l("Aid centre"), "station": _l("Service station")}
#: The seven functions of a centre (domain.md, C09).
FUNCTIONS: dict[str, LazyString] = {
    "relief": _l("Relief in hardship"),
    "jobs": _l("Finding jobs"),
    "mediation": _l("Mediation of labour disputes"),
    "law": _l("Legal aid"),
    "training": _l("Training for jobs"),
    "medical": _l("Mutual medical aid"),
    "counsel": _l("Counselling"),
}
#: Of the levels of unions that the network reaches down to.
LEVEL_TITLES: dict[str, LazyString] = {"city": _l("City"), "county": _l("County"), "township": _l("Township")}
