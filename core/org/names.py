"""What the union of a division is called: 新城区 has 新城区总工会, 西一路街道 has 西一路街道工会."""

import re

#: Rows of the statistical files that are no place of their own; they read sensibly after their parent's name.
_PSEUDO_DIVISIONS = {
    "市辖区": "辖区",
    "县": "辖县",
    "省直辖县级行政区划": "直辖县级行政区划",
    "自治区直辖县级行政区划": "直辖县级行政区划",
    "区直辖村级区划": "直辖村级区划",
    "县直辖村级区划": "直辖村级区划",
}
#: A committee's name: the place, its kind, the committee (often misspelt in the files), and a mark like （大）.
_COMMITTEE = re.compile(
    r"(?P<place>.+?)(?P<kind>村|社区)?(?P<committee>(?:村民|居民|村|居)?委[委员会]*)(?P<mark>[（(].*|[一大）])?"
)
_OFFICE = re.compile(r"(?<=街道)办事处$|(?<=区)管委会$|(?<=区)管理委员会$")


def division_name(name: str, level: str, parent: str) -> str:
    """The name of the place itself, without the office that runs it: 民乐社区居委会 is 民乐社区."""
    if name in _PSEUDO_DIVISIONS:
        return parent + _PSEUDO_DIVISIONS[name]
    if level == "village" and (match := _COMMITTEE.fullmatch(name)):
        kind = match["kind"] or ("村" if match["committee"].startswith("村") else "社区")
        return f"{match['place']}{kind}{match['mark'] or ''}"
    return _OFFICE.sub("", name)


def union_name(division: str, level: str) -> str:
    """The union's name: 总工会 down to the county, 工会 below it."""
    if division.endswith("工会"):
        return division
    return division + ("总工会" if level in ("province", "city", "county") else "工会")
