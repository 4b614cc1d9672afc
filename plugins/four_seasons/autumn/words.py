"""The codes of study aid, and what people call them."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from plugins.four_seasons.words import AUTUMN

#: 矿难家庭助学, a program of its own with the same kind of applications.
MINE = "mine_family_aid"
#: Nobody gets this twice in a calendar year, whatever program gives it.
PURPOSE = "study_aid"
REVIEW = "four_seasons.review"
APPLICATIONS = {AUTUMN: "four_seasons.applications", MINE: "four_seasons.mine_applications"}

LEVELS: dict[str, LazyString] = {
    "senior": _l("Senior school"),
    "junior": _l("Junior college"),
    "bachelor": _l("Bachelor"),
}
#: What the amount goes by: whether the parent is on the hardship file (在档), or only for a time in difficulty.
BASES: dict[str, LazyString] = {
    "difficult": _l("Parent not on file"),
    "on_file": _l("Parent on the hardship file"),
}
#: What a student gets already (domain.md, R3). Which of these exclude from study aid is a setting of the year.
OTHER_AID: dict[str, LazyString] = {
    "none": _l("None"),
    "military": _l("Military academy"),
    "tuition_free": _l("Tuition-free teacher training"),
    "commissioned": _l("Commissioned by an employer"),
    "aided": _l("Aided by others"),
}
EXCLUDING = {code: title for code, title in OTHER_AID.items() if code != "none"}
RULES: dict[str, LazyString] = {
    "fixed": _l("Fixed amounts"),
    "pool": _l("Share a pool in the proportion of the amounts"),
}
REASONS: dict[str, LazyString] = EXCLUDING | {
    "graduated": _l("Graduated"),
    "file_not_valid": _l("The parent's hardship file is not valid"),
    "objection": _l("An objection to the public notice stands"),
    "inactive": _l("No longer on file"),
    "no_account": _l("No bank account"),
}
STATES: dict[str, LazyString] = {
    "draft": _l("Draft"),
    "unit_review": _l("Review by the own union"),
    "county_review": _l("Review by the county"),
    "notice": _l("Public notice"),
    "approval": _l("To be approved"),
    "approved": _l("Approved"),
    "returned": _l("Returned"),
    "refused": _l("Refused"),
    "withdrawn": _l("Withdrawn"),
}
#: Applications in these states stand in nobody's way.
GIVEN_UP = ("refused", "withdrawn")
