"""Levels and kinds of union organisations as people read them."""

from flask_babel import lazy_gettext as _l

LEVEL_TITLES = {
    "province": _l("Province"),
    "city": _l("City"),
    "county": _l("County"),
    "township": _l("Township"),
    "village": _l("Village"),
    "enterprise": _l("Enterprise"),
}
KIND_TITLES = {
    "regional": _l("Regional union"),
    "industry": _l("Industrial union"),
    "listed": _l("Separately listed unit"),
    "enterprise": _l("Enterprise union"),
}
