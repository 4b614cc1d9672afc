"""Money is whole fen. Reading what people type, showing yuan, and splitting a sum so that not a fen is lost."""

import re
from collections.abc import Sequence
from decimal import Decimal

from flask_babel import gettext as _

from core.errors import ZhijiaError

_UNITS = {"": 1, "元": 1, "万元": 10_000, "万": 10_000, "亿元": 100_000_000, "亿": 100_000_000}
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(元|万元|万|亿元|亿|)")
#: More than all trade unions of the country spend in a year; a larger amount is a slip of the keyboard.
LARGEST_FEN = 10**15


def parse_yuan(text: str) -> int:
    """Fen from ``1,250.50``, ``1100万元`` or ``1.25亿元``. Raises :class:`ZhijiaError` with one sentence."""
    plain = text.replace(",", "").replace("，", "").strip().removeprefix("¥").removeprefix("￥")
    match = _AMOUNT.fullmatch(plain)
    if not match:
        raise ZhijiaError(_("“%(text)s” is not an amount; write yuan as 1250.50, or 1100万元.", text=text))
    fen = Decimal(match[1]) * _UNITS[match[2]] * 100
    if fen != fen.to_integral_value():
        raise ZhijiaError(_("“%(text)s” has a part smaller than one fen.", text=text))
    if fen > LARGEST_FEN:
        raise ZhijiaError(_("“%(text)s” is larger than any amount this system books.", text=text))
    return int(fen)


def yuan(fen: int) -> str:
    """``1234567`` fen as ``12,345.67``."""
    return f"{Decimal(fen) / 100:,.2f}"


def plain_yuan(fen: int) -> str:
    """``1234567`` fen as ``12345.67``, for files that machines read."""
    return f"{Decimal(fen) / 100:.2f}"


def split_by_weight(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Split a sum in proportion to ``weights`` by the largest remainder; ties go to the earlier one.

    The parts sum to ``total_fen`` exactly. Raises :class:`ValueError` for a negative sum or weights without a sum.
    """
    whole = sum(weights)
    if total_fen < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError("a sum to split must not be negative, and some weight must be positive")
    parts = [total_fen * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total_fen * weights[i] % whole), i))
    for index in by_remainder[: total_fen - sum(parts)]:
        parts[index] += 1
    return parts
