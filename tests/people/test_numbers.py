from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import pytest
from stdnum.cn.ric import calc_check_digit

from core.config import LOCAL_ZONE
from core.errors import ZhijiaError
from core.people.numbers import (
    IdNumber,
    are_bank_accounts,
    are_id_numbers,
    are_phones,
    mask_account,
    mask_id,
    mask_name,
    mask_phone,
    parse_bank_account,
    parse_id_number,
    parse_phone,
)


def with_check_digit(first: str) -> str:
    return first + calc_check_digit(first + "0")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "18 characters"),
        ("6101021990010112", "18 characters"),
        ("61010219900101123XX", "18 characters"),
        ("X10102199001011234", "18 characters"),
        ("610102900101123", "old identity number of 15 digits"),
        (with_check_digit("61010219900230123"), "date of birth"),
        (with_check_digit("61010218991231123"), "date of birth"),
    ],
)
def test_a_wrong_identity_number_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ZhijiaError, match=sentence) as refusal:
        parse_id_number(text)
    assert refusal.value.field == "id_number"


def test_nobody_is_born_tomorrow() -> None:
    tomorrow = datetime.now(LOCAL_ZONE) + timedelta(days=1)
    with pytest.raises(ZhijiaError, match="date of birth"):
        parse_id_number(with_check_digit(f"610102{tomorrow:%Y%m%d}123"))


def test_only_one_check_digit_is_right() -> None:
    right = with_check_digit("61010219900101123")
    for digit in set("0123456789X") - {right[-1]}:
        with pytest.raises(ZhijiaError, match="check digit"):
            parse_id_number(right[:-1] + digit)


def test_an_identity_number_tells_birth_and_gender() -> None:
    right = with_check_digit("61010219900101123")
    assert parse_id_number(right) == IdNumber(right, date(1990, 1, 1), "M")
    assert parse_id_number(with_check_digit("61010219000101124")).gender == "F"
    assert parse_id_number(with_check_digit(f"610102{datetime.now(LOCAL_ZONE):%Y%m%d}124"))


def test_an_identity_number_may_be_of_a_place_that_has_another_code_now() -> None:
    assert parse_id_number(with_check_digit("61240119700101123"))  # 安康 before 2000


def test_numbers_are_brought_to_one_form() -> None:
    first = next(f"6101021990010112{n}" for n in range(10) if with_check_digit(f"6101021990010112{n}")[-1] == "X")
    assert parse_id_number(f" {first[:6]} {first[6:]}x").number == first + "X"
    assert parse_phone("+86 139-0000-0000") == "13900000000"
    assert parse_phone("029-8765 4321") == "02987654321"
    assert parse_bank_account("６２２２ 0212 3456 7890 123") == "6222021234567890123"


@pytest.mark.parametrize("text", ["", "1390000000", "139000000000", "12900000000", "87654321", "1390000000a"])
def test_a_wrong_phone_is_refused(text: str) -> None:
    with pytest.raises(ZhijiaError, match="phone number") as refusal:
        parse_phone(text)
    assert refusal.value.field == "phone"


@pytest.mark.parametrize("text", ["", "12345678901", "12345678901234567890", "6.22202E+18", "622202123456789012a"])
def test_a_wrong_bank_account_is_refused(text: str) -> None:
    with pytest.raises(ZhijiaError, match="12 to 19 digits") as refusal:
        parse_bank_account(text)
    assert refusal.value.field == "bank_account"


def test_the_shortest_and_the_longest_bank_account_are_taken() -> None:
    assert parse_bank_account("1" * 12) == "1" * 12
    assert parse_bank_account("1" * 19) == "1" * 19


def test_masks_show_the_end_of_numbers_only() -> None:
    assert mask_id("61010219900101123X") == mask_id("123X") == "**************123X"
    assert mask_phone("13900001234") == "*******1234"
    assert mask_account("6222021234567890123") == "**** 0123"
    assert [mask_name(name) for name in ("", "王", "王芳", "王小芳", "欧阳小芳")] == [
        "",
        "王",
        "王*",
        "王*芳",
        "欧**芳",
    ]


def changed(text: str) -> list[str]:
    """The number as others may write it, and with a mistake at each place."""
    wide = text.translate({ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789X"})
    written = [
        text,
        wide,
        f" {text} ",
        f"{text}\n",
        f"{text[:4]} {text[4:]}",
        text.lower(),
        f"+86{text}",
        "",
        "١" * len(text),
    ]
    return written + [text[:at] + sign + text[at + 1 :] for at in range(len(text)) for sign in ("0", "7", "X", "")]


@pytest.mark.parametrize(
    ("right", "are", "parse"),
    [
        (with_check_digit("61010219900101123"), are_id_numbers, lambda text: parse_id_number(text).number),
        (
            with_check_digit(f"610102{datetime.now(LOCAL_ZONE):%Y%m%d}123"),
            are_id_numbers,
            lambda text: parse_id_number(text).number,
        ),
        (with_check_digit("61010219000101124"), are_id_numbers, lambda text: parse_id_number(text).number),
        ("11010119000101001X", are_id_numbers, lambda text: parse_id_number(text).number),
        ("13900000000", are_phones, parse_phone),
        ("02987654321", are_phones, parse_phone),
        ("6222020200012345678", are_bank_accounts, parse_bank_account),
    ],
)
def test_what_is_right_as_it_stands_is_what_reading_it_changes_nothing_about(
    right: str, are: Callable[[Sequence[str]], list[bool]], parse: Callable[[str], str]
) -> None:
    def stays(text: str) -> bool:
        try:
            return parse(text) == text
        except ZhijiaError:
            return False

    texts = changed(right)
    assert are(texts) == [stays(text) for text in texts]
    assert are([]) == []
