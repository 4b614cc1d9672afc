"""What a list from outside says of somebody, and how people write it."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

KINDS: dict[str, LazyString] = {
    "relief": _l("On low-income relief"),
    "property": _l("Owns property"),
    "business": _l("Has a registered business"),
    "car": _l("Owns a car"),
}
#: As lists write them, besides the codes.
CALLED = {
    "低保": "relief", "低保对象": "relief", "最低生活保障": "relief", "特困": "relief",
    "房产": "property", "不动产": "property", "不动产登记": "property",
    "工商登记": "business", "工商": "business", "市场主体": "business", "营业执照": "business",
    "车辆": "car", "机动车": "car", "汽车": "car",
    **{code: code for code in KINDS},
}  # fmt: skip
#: Headings of the two columns, in lower case and without blanks.
HEADINGS = {
    "number": frozenset(
        (
            "身份证号",
            "身份证号码",
            "公民身份号码",
            "居民身份证号",
            "证件号码",
            "identitynumber",
            "idnumber",
            "id_number",
        )
    ),
    "kind": frozenset(("比对事项", "事项", "类别", "类型", "情况", "信息类别", "kind", "whatfor")),
}
