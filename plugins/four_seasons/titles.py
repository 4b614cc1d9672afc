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
#: Official wording in files that come in, whatever language the reader has.
CATEGORY_NAMES = {"深度困难": "deep", "相对困难": "relative", "意外致困": "accidental"}
IMPORT_STATE_TITLES: dict[str, LazyString] = {
    "staged": _l("checked, not yet on the list"),
    "merging": _l("being put on the list"),
    "merged": _l("on the list"),
    "cancelled": _l("cancelled"),
}
REASON_TITLES: dict[str, LazyString] = {
    "inactive": _l("No longer on file"),
    "no_account": _l("No bank account"),
}
#: Headings of an uploaded list, by key.
COLUMNS = {
    "name": "姓名",
    "id_number": "身份证号",
    "org_code": "所属工会代码",
    "category": "困难类别",
    "cause": "致困原因",
    "phone": "手机",
    "bank_account": "银行卡号",
    "bank_name": "开户行",
}
REQUIRED = ("name", "id_number", "org_code", "category")
REASON_COLUMN = "问题"
