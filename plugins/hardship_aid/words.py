"""The codes of this plugin, and what people call them."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

PROGRAM = "hardship_aid"
VIEW, EDIT, REVIEW = f"{PROGRAM}.view", f"{PROGRAM}.edit", f"{PROGRAM}.review"
EVERYONE = ("admin", "clerk", "reviewer", "finance", "auditor", "leader")

#: The states of a file in which its worker is on file (在档): also while it is looked at again.
ON_FILE = ("on_file", "recheck")
#: The categories of hardship (深度困难、相对困难、意外致困), the gravest first.
CATEGORIES: dict[str, LazyString] = {
    "deep": _l("Deep hardship"),
    "relative": _l("Relative hardship"),
    "accidental": _l("Hardship caused by accident"),
}
#: Of their badges.
CATEGORY_COLOURS = {"deep": "red", "relative": "orange", "accidental": "azure"}
#: What a household comes to that is in none of them.
NONE = "none"
OUTCOMES: dict[str, LazyString] = {**CATEGORIES, NONE: _l("Not in hardship")}
#: Who the worker is (职工类别).
WORKERS: dict[str, LazyString] = {
    "employed": _l("Employed"),
    "laid_off": _l("Laid off"),
    "jobless": _l("Without a job"),
    "retired": _l("Retired"),
    "migrant": _l("Migrant worker"),
    "new_form": _l("Worker in a new form of employment"),
}
#: What a member of the household is to the worker.
RELATIONS: dict[str, LazyString] = {
    "spouse": _l("Spouse"),
    "child": _l("Child"),
    "parent": _l("Parent"),
    "sibling": _l("Brother or sister"),
    "other": _l("Other relative"),
}
#: Who the head of the household is (户主): the worker, or a member by that relation.
HEADS: dict[str, LazyString] = {"self": _l("The worker"), **RELATIONS}
#: Why a household is in hardship (致困原因).
CAUSES: dict[str, LazyString] = {
    "illness": _l("Serious illness"),
    "disability": _l("Disability"),
    "schooling": _l("Schooling of children"),
    "low_income": _l("Low income"),
    "no_job": _l("Loss of the job"),
    "disaster": _l("Natural disaster"),
    "accident": _l("Accident"),
    "other": _l("Other cause"),
}
#: What keeps a household off the file however little it has (不予建档情形).
BARRIERS: dict[str, LazyString] = {
    "none": _l("None of them"),
    "homes": _l("Two or more homes"),
    "business": _l("A business of its own"),
    "school": _l("A child at a high-fee private school or abroad at own expense"),
}
HEALTH: dict[str, LazyString] = {
    "healthy": _l("Healthy"),
    "ill": _l("Seriously ill"),
    "disabled": _l("Disabled"),
}
