"""Identity numbers, phones and bank accounts: as people type them, checked and brought to one form; and masked.

The place in an identity number is not checked: a number keeps the code of the place and time of its first issue, and
those codes change. The bank's own check digit of an account is not checked either, as not every bank has one.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from flask_babel import gettext as _
from stdnum.cn.ric import calc_check_digit

from core.config import LOCAL_ZONE
from core.errors import ZhijiaError

_EARLIEST_BIRTH = date(1900, 1, 1)
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_PHONE = re.compile(r"1[3-9][0-9]{9}|0[0-9]{2,3}[0-9]{7,8}")
_ACCOUNT = re.compile(r"[0-9]{12,19}")
#: Seven digits in a row, or eleven with a sign between them: a phone, an identity number, an account.
NUMBER = "[0-9０-９]{7,}[XxＸｘ]?|([0-9０-９][ ‐-―.-]?){10,}[0-9０-９XxＸｘ]"
_SEPARATORS = re.compile(r"[\s\-–—]+")


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A valid identity number of 18 characters, with what it says. ``gender`` is ``M`` or ``F``."""

    number: str
    born_on: date
    gender: str


def parse_id_number(text: str) -> IdNumber:
    """Check an identity number of 18 characters. Raises :class:`ZhijiaError` with one sentence."""
    number = _plain(text).upper()
    if re.fullmatch(r"[0-9]{15}", number):
        raise ZhijiaError(
            _("This is an old identity number of 15 digits; the 18 digits of the present card are needed."),
            field="id_number",
        )
    if not _ID_NUMBER.fullmatch(number):
        raise ZhijiaError(_("An identity number has 18 characters: 17 digits, then a digit or X."), field="id_number")
    born_on = _day(number[6:14])
    if born_on is None or not _EARLIEST_BIRTH <= born_on <= datetime.now(LOCAL_ZONE).date():
        raise ZhijiaError(_("The date of birth in the identity number cannot be right."), field="id_number")
    if calc_check_digit(number) != number[-1]:
        raise ZhijiaError(
            _("The check digit of the identity number is wrong; please compare it with the card."), field="id_number"
        )
    return IdNumber(number, born_on, "M" if int(number[16]) % 2 else "F")


def are_id_numbers(texts: Sequence[str]) -> list[bool]:
    """Which of many are valid identity numbers as they stand; another may still be one that is written otherwise."""
    today = datetime.now(LOCAL_ZONE).date()
    return [
        _ID_NUMBER.fullmatch(text) is not None
        and calc_check_digit(text) == text[-1]
        and (born_on := _day(text[6:14])) is not None
        and _EARLIEST_BIRTH <= born_on <= today
        for text in texts
    ]


def are_phones(texts: Sequence[str]) -> list[bool]:
    """Which of many are phone numbers as they stand."""
    return [found is not None for found in map(_PHONE.fullmatch, texts)]


def are_bank_accounts(texts: Sequence[str]) -> list[bool]:
    """Which of many are bank accounts as they stand."""
    return [found is not None for found in map(_ACCOUNT.fullmatch, texts)]


def parse_phone(text: str) -> str:
    """Digits of a mobile phone, or of a fixed line with its area code. Raises :class:`ZhijiaError`."""
    number = _plain(text).removeprefix("+86")
    if not _PHONE.fullmatch(number):
        raise ZhijiaError(
            _("A phone number has 11 digits and begins with 1, or is a fixed line with its area code."), field="phone"
        )
    return number


def parse_bank_account(text: str) -> str:
    """Digits of a bank card or account. Raises :class:`ZhijiaError`."""
    number = _plain(text)
    if not _ACCOUNT.fullmatch(number):
        raise ZhijiaError(_("A bank account has 12 to 19 digits."), field="bank_account")
    return number


def refuse_numbers(text: str, field: str) -> None:
    """Keep what looks like somebody's number out of a text that stays. Raises :class:`ZhijiaError` at the field."""
    if re.search(NUMBER, text):
        raise ZhijiaError(_("This text stays on record for good; leave personal numbers out of it."), field=field)


def mask_id(text: str) -> str:
    """``**************1234`` from an identity number or its last four characters."""
    return "*" * 14 + text[-4:]


def mask_phone(text: str) -> str:
    """``*******1234`` from a phone number or its last four digits."""
    return "*" * 7 + text[-4:]


def mask_account(text: str) -> str:
    """``**** 1234`` from a bank account or its last four digits."""
    return f"**** {text[-4:]}"


def mask_name(name: str) -> str:
    """``王*``, ``王*芳``: the first and the last character of a name stay, if it has more than two."""
    if len(name) < 3:
        return name[:1] + "*" * (len(name) - 1)
    return name[0] + "*" * (len(name) - 2) + name[-1]


def _plain(text: str) -> str:
    """Without blanks and hyphens, and with full-width digits as plain ones."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=50_000)  # more days than anybody has lived
def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
