"""Sources of money, and the ways to share it out, as people read them."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

SOURCE_TITLES: dict[str, LazyString] = {
    "finance": _l("Public finance"),
    "union": _l("Union funds"),
    "society": _l("Donations of society"),
    "dues": _l("Membership dues"),
}
#: By what an allotment is shared out; a table gives each amount itself.
WAYS: dict[str, LazyString] = {
    "people": _l("number of people on file"),
    "points": _l("points"),
    "table": _l("table of amounts"),
}
