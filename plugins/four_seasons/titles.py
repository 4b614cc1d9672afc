"""What the codes of this plugin are called."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

RULE_TITLES: dict[str, LazyString] = {"pool": _l("Share a pool"), "category": _l("Fixed amount by category")}
CATEGORY_TITLES: dict[str, LazyString] = {
    "deep": _l("Deep hardship"),
    "relative": _l("Relative hardship"),
    "accidental": _l("Hardship caused by accident"),
}
#: Of their badges.
CATEGORY_COLOURS = {"deep": "red", "relative": "orange", "accidental": "azure"}
GIFT_TITLES: dict[str, LazyString] = {"cash": _l("Money"), "goods": _l("Goods")}
WHOM_TITLES: dict[str, LazyString] = {"person": _l("A worker on file"), "unit": _l("A unit")}
REASON_TITLES: dict[str, LazyString] = {
    "inactive": _l("No longer on file"),
    "no_account": _l("No bank account"),
}
