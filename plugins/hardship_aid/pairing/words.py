"""The codes of pairs, and what people call them."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

#: The rank of a leader who is paired with a worker (domain.md, B04 and B06), the highest first.
RANKS: dict[str, LazyString] = {
    "department": _l("Department level"),
    "division": _l("Division level"),
    "section": _l("Section level and below"),
    "enterprise": _l("Leader of an enterprise"),
}
