"""Sources of money, and the ways to share it out, as people read them."""

from flask_babel import LazyString, get_locale
from flask_babel import lazy_gettext as _l

from core.ledger.chart import chart

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


def account_name(book: str, code: str, name: str) -> str:
    """The account's name as it was booked; in English as the chart translates it."""
    known = chart().get((book, code))
    return known.name_en if known and str(get_locale()) == "en" else name
