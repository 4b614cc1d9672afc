"""Reading a return file line by line, in bounded memory: what each says, what is wrong with it, what the foot claims.

Here each line is looked at by itself; whether it fits the payments is asked of the database, of all lines at once.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import IO, NamedTuple

from core.disbursements.banking import faults
from core.disbursements.banking.formats import CHECK_CODE, TOGETHER
from core.disbursements.banking.references import parse_reference
from core.errors import ZhijiaError
from core.imports.cells import plain_day
from core.imports.fields import Field, check_columns, plain
from core.imports.reading import Found, find_list
from core.money import parse_yuan
from core.users.access import today

#: Faults that are kept; of a file with more nobody reads the rest.
MOST_FAULTS = 100_000
#: Signs of a cell that are quoted, and that are kept of a reason.
LONGEST_SAID, LONGEST_REASON = 60, 200
#: Fixed codes of the result column; an amount stands for itself there (the whole: paid, 0: failed).
RESULTS = {
    **dict.fromkeys(("full", "paid", "成功", "已支付", "交易成功"), "paid"),
    **dict.fromkeys(("failed", "-1", "失败", "退回", "退票", "交易失败"), "failed"),
    **dict.fromkeys(("pending", "", "处理中", "待处理"), "pending"),
}
YUAN = frozenset(("", "cny", "rmb", "人民币", "人民币元", "156", "¥"))
_ALSO_CALLED = {
    "reference": ("参考号", "业务参考号", "端到端标识号", "reference", "end to end id", "EndToEndId"),
    "result": ("处理结果", "结果", "结果代码", "状态", "实付金额", "到账金额", "result", "status", "delivered"),
    "amount": ("金额", "应付金额", "amount"),
    "reason": ("失败原因", "原因", "退回原因", "reason"),
    "day": ("处理日期", "日期", "交易日期", "到账日期", "day", "date"),
    "currency": ("币种", "货币", "currency"),
}
_FOOT = {TOGETHER: "total", "total": "total", "together": "total", CHECK_CODE: "digest", "digest": "digest"}
_DECIMALS = re.compile(r"[0-9][0-9,]*\.[0-9]{3,}")


class Line(NamedTuple):
    """One line: ``state`` is ``amount`` where the result is one (``given_fen``)."""

    line: int
    payee_id: int
    state: str
    given_fen: int | None
    amount_fen: int | None
    reason: str
    on_day: date | None


class Fault(NamedTuple):
    """A cell that is wrong."""

    line: int
    field: str
    code: str
    said: str


@dataclass
class Reading:
    """A file while it is read: its faults, and what its foot says of its lines (as long as it says it)."""

    run_id: int
    faults: list[Fault] = field(default_factory=list)
    lines: int = 0
    #: Lines with a payment of another run, and the first such run.
    foreign: int = 0
    foreign_run: int | None = None
    claimed_lines: int | None = None
    claimed_fen: int | None = None
    digests: list[str] = field(default_factory=list)

    def wrong(self, line: int, name: str, code: str, said: str) -> None:
        """Note what is wrong with a cell."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(line, name, code, said[:LONGEST_SAID]))


def fields() -> list[Field]:
    """The columns that a return file may have."""
    return [
        Field(
            name, str(title), frozenset(plain(called) for called in (name, str(title), *_ALSO_CALLED[name])),
            required=name in ("reference", "result"), is_money=name == "amount",
        )
        for name, title in faults.FIELDS.items()
    ]  # fmt: skip


def find_lines(content: IO[bytes], name: str) -> Found:
    """The list of the file. Raises :class:`ZhijiaError` where there is none, or columns are missing or there twice."""
    known = fields()
    found = find_list(content, name, known, {})
    check_columns(found.columns, known)
    return found


def lines_of(found: Found, reading: Reading) -> Iterator[Line]:
    """The lines that name a payment of the run; what is wrong is noted in ``reading``."""
    at = {name: found.columns.index(name) for name in faults.FIELDS if name in found.columns}
    for block in found.blocks():
        for row in block.rows():
            cells = {name: row.values[column] if column < len(row.values) else "" for name, column in at.items()}
            is_line = parse_reference(cells["reference"]) is not None
            if not is_line and _is_foot(row.values, cells.get("amount", ""), reading):
                continue
            line = _line_of(row.line, cells, reading)
            if line is not None:
                yield line


def _line_of(number: int, cells: dict[str, str], reading: Reading) -> Line | None:
    reading.lines += 1
    payment = _payment_of(number, cells["reference"], reading)
    state, given_fen = _result_of(number, cells["result"], reading)
    amount_fen = _amount_of(number, "amount", cells.get("amount", ""), reading)
    day = _day_of(number, cells.get("day", ""), reading)
    if _narrow(cells.get("currency", "")) not in YUAN:
        reading.wrong(number, "currency", "currency", cells["currency"])
    if payment is None:
        return None
    reason = cells.get("reason", "")[:LONGEST_REASON]
    return Line(number, payment, state, given_fen, amount_fen, reason, day)


def _payment_of(number: int, text: str, reading: Reading) -> int | None:
    found = parse_reference(text)
    if found is None:
        reading.wrong(number, "reference", "reference_unknown" if text else "reference_missing", text)
        return None
    run_id, payee_id = found
    if run_id != reading.run_id:
        reading.foreign += 1
        reading.foreign_run = reading.foreign_run or run_id
        reading.wrong(number, "reference", "reference_of_another_run", text)
        return None
    return payee_id


def _result_of(number: int, text: str, reading: Reading) -> tuple[str, int | None]:
    code = RESULTS.get(_narrow(text))
    if code is not None:
        return code, None
    if not text[:1].isdigit():
        reading.wrong(number, "result", "code_unknown", text)
        return "pending", None
    return "amount", _amount_of(number, "result", text, reading)


def _amount_of(number: int, name: str, text: str, reading: Reading) -> int | None:
    if not text:
        return None
    try:
        return parse_yuan(text)
    except ZhijiaError:
        code = "amount_decimals" if _DECIMALS.search(text) else "amount_bad"
        reading.wrong(number, name, code, text)
        return None


def _day_of(number: int, text: str, reading: Reading) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(plain_day(text))
    except ValueError:
        reading.wrong(number, "day", "day_bad", text)
        return None
    if day > today():
        reading.wrong(number, "day", "day_future", text)
        return None
    return day


def _is_foot(values: tuple[str, ...], amount: str, reading: Reading) -> bool:
    """Whether the row is no payment but says something of all of them; what it says is kept."""
    filled = [value for value in values if value]
    what = _FOOT.get(_narrow(filled[0]))
    if what == "total":
        counted = re.fullmatch(r"([0-9]{1,12})笔?", filled[1]) if len(filled) > 1 else None
        reading.claimed_lines = int(counted[1]) if counted else None
        try:
            reading.claimed_fen = parse_yuan(amount) if amount else None
        except ZhijiaError:
            reading.claimed_fen = -1  # which no sum is
    elif what == "digest" and len(filled) > 1:
        reading.digests.append(_narrow(filled[1]))
    return what is not None


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()
