"""Fictional people for demos, tests and measurements: names, numbers and accounts of nobody, with valid check digits.

The stream depends on the seed, the org and its townships only: the first thousand of a longer stream are the same
people as a stream of a thousand. Within a stream no identity number comes twice.
"""

import math
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from flask_babel import gettext as _
from stdnum import luhn
from stdnum.cn.ric import calc_check_digit

from core.errors import Refused
from core.people.services import PersonRow

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
#: How often a surname comes: the first are the most common.
_SURNAME_WEIGHTS = [60 / (rank + 6) for rank in range(len(_SURNAMES))]
_FIRST = "建国文志明晓春秋海小玉秀新爱家俊子雨思佳天宏振学少庆兴长世德光立仁义忠信立景云月"
_LAST = {
    "M": "强军伟勇刚涛斌辉鹏飞超杰峰磊龙亮平波宁宇浩然轩博华林生民国良成文武山川",
    "F": "芳娟敏静丽艳霞燕玲娜婷雪琴慧莹洁颖倩蓉莲梅兰萍红英华珍琳怡欣悦萌菲岚",
}
_MOBILE_PREFIXES = range(130, 140)
#: Bank, first digits of its cards, digits of a card.
_BANKS = (
    ("中国工商银行", "622202", 19),
    ("中国农业银行", "622848", 19),
    ("中国银行", "621660", 19),
    ("中国建设银行", "621700", 19),
    ("中国邮政储蓄银行", "621799", 19),
    ("陕西信合", "622506", 19),
    ("长安银行", "621448", 19),
    ("招商银行", "621483", 16),
)
_FIRST_BIRTH = date(1955, 1, 1)
_BIRTH_DAYS = (date(2006, 1, 1) - _FIRST_BIRTH).days
#: Days of birth times serial numbers: the identity numbers that one area has for these birth years.
NUMBERS_OF_AREA = _BIRTH_DAYS * 1000


def fictional_people(seed: int, org_code: str, townships: Sequence[str]) -> Iterator[PersonRow]:
    """An endless stream of people of the townships (codes of 9 digits), the larger ones more often.

    Every township comes once before any comes twice. Raises :class:`Refused` when an area has no numbers left.
    """
    random = Random(f"{seed}/{org_code}")  # noqa: S311  # reproducible on purpose
    weights = list(accumulate(_population(code) for code in townships))
    numbers: dict[str, Iterator[str]] = {}
    order = list(townships)
    while True:
        for township in order:
            area = township[:6]
            if area not in numbers:
                numbers[area] = _id_numbers(area, Random(f"{seed}/{org_code}/{area}"))  # noqa: S311  # the same
            id_number = next(numbers[area], None)
            if id_number is None:
                raise Refused(_("The area %(area)s has no fictional identity numbers left.", area=area))
            yield _person(random, township, id_number)
        order = random.choices(townships, cum_weights=weights, k=1000)


def _population(township: str) -> int:
    """A made-up size, the same in every stream; sub-districts (codes …0xx) are larger than towns."""
    size = 1 + zlib.crc32(township.encode()) % 20
    return size * 3 if township[6] == "0" else size


def _id_numbers(area: str, random: Random) -> Iterator[str]:
    """Every identity number of the area once, scattered over birth days and serial numbers."""
    step = random.randrange(1, NUMBERS_OF_AREA)
    while math.gcd(step, NUMBERS_OF_AREA) != 1:
        step += 1
    place = random.randrange(NUMBERS_OF_AREA)
    for _count in range(NUMBERS_OF_AREA):
        place = (place + step) % NUMBERS_OF_AREA
        born_on = _FIRST_BIRTH + timedelta(days=place // 1000)
        number = f"{area}{born_on:%Y%m%d}{place % 1000:03d}"
        yield number + calc_check_digit(number + "0")


def _person(random: Random, township: str, id_number: str) -> PersonRow:
    bank_name, prefix, digits = random.choice(_BANKS)
    body = f"{prefix}{random.randrange(10 ** (digits - 1 - len(prefix))):0{digits - 1 - len(prefix)}d}"
    return PersonRow(
        org_code=township,
        name=_name(random, "M" if int(id_number[16]) % 2 else "F"),
        id_number=id_number,
        phone=f"{random.choice(_MOBILE_PREFIXES)}{random.randrange(10**8):08d}",
        bank_account=body + luhn.calc_check_digit(body),
        bank_name=bank_name,
    )


def _name(random: Random, gender: str) -> str:
    surname = random.choices(_SURNAMES, _SURNAME_WEIGHTS)[0]
    first = random.choice(_FIRST) if random.random() < 0.8 else ""
    return surname + first + random.choice(_LAST[gender])
