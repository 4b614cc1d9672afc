"""The layouts of bank files that the core brings: CSV, xlsx and ISO 20022. Plugins add others (``bank_formats``).

CSV and xlsx hold the same columns, and below the lines the control totals and the check code, which a bank leaves as
they are when it fills in what became of each line.
"""

import csv
import io
import tempfile
from collections.abc import Iterator
from itertools import chain

from flask_babel import lazy_gettext as _l

from core.disbursements.banking.pain001 import write_pain001
from core.money import plain_yuan
from core.plugin.types import BankFormat, BankHeader, BankLine
from core.registers.sheets import harmless, write_xlsx
from core.scratch import scratch

HEADING = ("序号", "收款人", "账号", "开户行", "金额（元）", "附言", "参考号", "处理结果", "失败原因", "处理日期")
#: What stands before the control totals and before the check code.
TOGETHER, CHECK_CODE = "合计", "校验码"
#: Excel needs it to see that the file is UTF-8.
BOM = b"\xef\xbb\xbf"
#: Bytes that are handed on at a time.
BLOCK = 256 * 1024


def write_csv(lines: Iterator[BankLine], header: BankHeader) -> Iterator[bytes]:
    """UTF-8 with a mark that Excel knows it by, comma between cells."""
    yield BOM
    text = io.StringIO()
    writer = csv.writer(text)
    for row in _rows(lines, header, HEADING):
        writer.writerow(row)
        if text.tell() >= BLOCK:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def write_sheet(lines: Iterator[BankLine], header: BankHeader) -> Iterator[bytes]:
    """An xlsx, every cell a text as a bank reads it; written beside first, as the format asks for it."""
    with scratch() as folder, tempfile.TemporaryFile(dir=folder) as target:
        write_xlsx(target, HEADING, _rows(lines, header), header.title)
        target.seek(0)
        while block := target.read(BLOCK):
            yield block


def _rows(lines: Iterator[BankLine], header: BankHeader, *above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    foot = [
        (TOGETHER, f"{header.lines}笔", "", "", plain_yuan(header.total_fen)),
        (CHECK_CODE, header.digest),
    ]
    cells = (
        (
            str(line.number),
            harmless(line.name),
            line.account,
            harmless(line.bank_name),
            plain_yuan(line.amount_fen),
            harmless(line.text),
            line.reference,
        )
        for line in lines
    )
    width = len(HEADING)
    return ((*row, *[""] * (width - len(row))) for row in chain(above, cells, foot))


CSV = BankFormat(code="csv", title=_l("CSV"), extension="csv", write=write_csv)
FORMATS = (
    CSV,
    BankFormat(code="xlsx", title=_l("Excel (xlsx)"), extension="xlsx", write=write_sheet),
    BankFormat(
        code="pain.001", title="ISO 20022 pain.001.001.09", extension="xml", write=write_pain001, needs_account=True
    ),
)
