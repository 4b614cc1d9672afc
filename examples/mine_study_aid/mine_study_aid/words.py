"""The codes of this plugin, and what people call them."""

from flask_babel import lazy_gettext as _l

PROGRAM = "mine_study_aid"
VIEW, EDIT = f"{PROGRAM}.view", f"{PROGRAM}.edit"
#: Each level has its amount in the settings of a year, in a field of the same name (forms.py).
LEVELS = {
    "senior_school": _l("Senior school"),
    "junior_college": _l("Junior college"),
    "bachelor": _l("Bachelor's course"),
}
REASONS = {
    "not_yet": _l("Not enrolled yet"),
    "graduated": _l("Graduated"),
    "inactive": _l("No longer on file"),
    "no_account": _l("No bank account"),
}
