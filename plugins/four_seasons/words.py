"""The codes of this plugin, and what people call them."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

#: The programs, one a season (春送岗位、夏送清凉、金秋助学、冬送温暖).
WINTER, SPRING = "winter_warmth", "spring_jobs"
AUTUMN = "autumn_study_aid"
SEASON_TITLES: dict[str, LazyString] = {
    WINTER: _l("Winter: sending warmth"),
    SPRING: _l("Spring: sending jobs"),
    AUTUMN: _l("Autumn: study aid"),
}
#: The year of all seasons together.
OVERVIEW = "four_seasons"
VIEW, EDIT, ALLOT, SPEND = "four_seasons.view", "four_seasons.edit", "ledger.allot", "ledger.post"

#: What the sponsor's money goes down by: the number on the list, or points of the unions.
WEIGHT_TITLES: dict[str, LazyString] = {"list": _l("Number on the list"), "points": _l("Points of the unions")}
RULE_TITLES: dict[str, LazyString] = {"pool": _l("Share a pool"), "category": _l("Fixed amount by category")}
CATEGORIES = ("deep", "relative", "accidental")
CATEGORY_TITLES: dict[str, LazyString] = {
    "deep": _l("Deep hardship"),
    "relative": _l("Relative hardship"),
    "accidental": _l("Hardship caused by accident"),
}
#: Of their badges.
CATEGORY_COLOURS = {"deep": "red", "relative": "orange", "accidental": "azure"}
#: What a visit brings: money (慰问金) or goods (慰问品).
GIFTS = ("cash", "goods")
GIFT_TITLES: dict[str, LazyString] = {"cash": _l("Money"), "goods": _l("Goods")}
WHOM_TITLES: dict[str, LazyString] = {"person": _l("A worker on file"), "unit": _l("A unit")}
REASON_TITLES: dict[str, LazyString] = {
    "inactive": _l("No longer on file"),
    "no_account": _l("No bank account"),
}
#: Where jobs are offered: a fair, or one of the four forms of the employment chain (就业帮扶链).
JOB_FORMS: dict[str, LazyString] = {
    "fair": _l("Job fair"),
    "live": _l("Live stream of the chairman"),
    "models": _l("Model workers send posts"),
    "visit": _l("Visit to enterprises"),
    "export": _l("Labour export from point to point"),
}
#: How somebody found a job: 职业介绍、职业技能培训.
JOB_WAYS: dict[str, LazyString] = {"introduced": _l("Introduced by the union"), "trained": _l("After training")}
