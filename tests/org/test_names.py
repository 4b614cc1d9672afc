import pytest

from core.org.names import division_name, union_name


@pytest.mark.parametrize(
    ("name", "level", "parent", "place", "union"),
    [
        ("陕西省", "province", "", "陕西省", "陕西省总工会"),
        ("西安市", "city", "陕西省", "西安市", "西安市总工会"),
        ("新城区", "county", "西安市", "新城区", "新城区总工会"),
        ("西一路街道", "township", "新城区", "西一路街道", "西一路街道工会"),
        ("西一路街道办事处", "township", "新城区", "西一路街道", "西一路街道工会"),
        ("民乐社区居委会", "village", "西一路街道", "民乐社区", "民乐社区工会"),
        ("安仁坊社区居民委员会", "village", "某街道", "安仁坊社区", "安仁坊社区工会"),
        ("民乐园社区", "village", "某街道", "民乐园社区", "民乐园社区工会"),
        ("西街居委会", "village", "某镇", "西街社区", "西街社区工会"),
        ("李家崖村村民委员会", "village", "某镇", "李家崖村", "李家崖村工会"),
        ("张家村委会", "village", "某镇", "张家村", "张家村工会"),
        ("庄里村民委员会", "village", "某镇", "庄里村", "庄里村工会"),
        ("西十里铺村社区委会", "village", "某镇", "西十里铺村社区", "西十里铺村社区工会"),
        ("陈家营村委会（大）", "village", "某镇", "陈家营村（大）", "陈家营村（大）工会"),
        ("市辖区", "city", "北京市", "北京市辖区", "北京市辖区总工会"),
        ("县", "city", "重庆市", "重庆市辖县", "重庆市辖县总工会"),
        ("省直辖县级行政区划", "city", "河南省", "河南省直辖县级行政区划", "河南省直辖县级行政区划总工会"),
        ("秦岭某某厂工会", "enterprise", "某区", "秦岭某某厂工会", "秦岭某某厂工会"),
        ("秦岭某某厂", "enterprise", "某区", "秦岭某某厂", "秦岭某某厂工会"),
    ],
)
def test_a_union_is_named_after_its_place(name: str, level: str, parent: str, place: str, union: str) -> None:
    assert division_name(name, level, parent) == place
    assert union_name(place, level) == union
