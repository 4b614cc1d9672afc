"""The codes of this plugin, and what people call them."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

PROGRAM = "hardship_aid"
VIEW, EDIT, REVIEW = f"{PROGRAM}.view", f"{PROGRAM}.edit", f"{PROGRAM}.review"
EVERYONE = ("admin", "clerk", "reviewer", "finance", "auditor", "leader")

#: The categories of hardship (深度困难、相对困难、意外致困), the gravest first.
CATEGORIES: dict[str, LazyString] = {
    "deep": _l("Deep hardship"),
    "relative": _l("Relative hardship"),
    "accidental": _l("Hardship caused by accident"),
}
#: Of their badges.
CATEGORY_COLOURS = {"deep": "red", "relative": "orange", "accidental": "azure"}
