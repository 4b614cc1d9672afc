"""The texts of a new plugin in Chinese; its catalogue is made of them."""

#: English -> Chinese, for what is the same in every new plugin.
CHINESE = {
    "By category": "按类别发放",
    "Category": "类别",
    "Each (yuan)": "每人金额（元）",
    "Estimate": "资金测算",
    "General": "一般对象",
    "General, each (yuan)": "一般对象每人金额（元）",
    "Move lines of the register to the unions of their people": "台账随人员调转",
    "No bank account": "无银行账号",
    "No longer on file": "已退档",
    "On the register": "台账人数",
    "Number of people": "人数",
    "Priority": "重点对象",
    "Priority, each (yuan)": "重点对象每人金额（元）",
    "Register of receivers": "发放对象台账",
    "Remarks": "备注",
    "The amount must be more than 0 yuan.": "金额必须大于0元。",
    "Together": "合计",
    "Total (yuan)": "金额合计（元）",
    "What a run would come to if everybody on the register were paid.": "台账上所有人员全部发放所需的金额。",
    "Year": "年度",
    "people": "人",
}


def catalogue(title_zh: str, title_en: str) -> dict[str, str]:
    """English -> Chinese for every text of the plugin with these titles."""
    own = {
        title_en: title_zh,
        f"See {title_en}": f"查看{title_zh}",
        f"Edit {title_en}": f"登记{title_zh}台账",
    }
    return CHINESE | own
