"""A plugin that only tests have: the layout of one bank, lines of fixed width in GBK with a heading."""

from collections.abc import Iterator

from core.api import BankFormat, BankHeader, BankLine, hookimpl


def fixed(text: str, width: int) -> bytes:
    """The text in GBK, cut and filled up to so many bytes; a sign that GBK lacks becomes a question mark."""
    data = text.encode("gbk", "replace")[:width]
    return data.decode("gbk", "ignore").encode("gbk").ljust(width)


def write(lines: Iterator[BankLine], header: BankHeader) -> Iterator[bytes]:
    """A heading of count and sum in fen, then a line each: reference, account, name, fen."""
    yield b"H" + fixed(header.payer_code, 20) + b"%010d%015d\r\n" % (header.lines, header.total_fen)
    for line in lines:
        yield b"D" + fixed(line.reference, 24) + fixed(line.account, 20) + fixed(line.name, 40)
        yield b"%015d\r\n" % line.amount_fen


@hookimpl
def bank_formats() -> list[BankFormat]:
    """The bank's own layout."""
    return [BankFormat(code="bank_of_qin.fixed", title="秦川银行定长格式", extension="txt", write=write)]
