"""ISO 20022 pain.001.001.09, customer credit transfer initiation, as one payment block of any number of transfers.

Source: the message definition of ISO 20022 (2019); the tests check what is written against its schema. Accounts are
Chinese ones, so they stand under ``Othr``, not as IBAN; the bank is known by its name only.
"""

from collections.abc import Iterator
from datetime import UTC
from xml.sax.saxutils import escape

from core.money import plain_yuan
from core.plugin.types import BankHeader, BankLine

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
#: The longest that the schema takes: of an identification, of a name, of the text for the payee.
LONGEST_ID, LONGEST_NAME, LONGEST_TEXT = 35, 140, 140
#: Transfers that are handed on at a time.
BATCH = 500

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{namespace}"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>{message}</MsgId><CreDtTm>{written_at}</CreDtTm><NbOfTxs>{lines}</NbOfTxs><CtrlSum>{total}</CtrlSum>\
<InitgPty><Nm>{payer}</Nm></InitgPty></GrpHdr>
<PmtInf><PmtInfId>{message}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg><NbOfTxs>{lines}</NbOfTxs>\
<CtrlSum>{total}</CtrlSum><ReqdExctnDt><Dt>{pay_on}</Dt></ReqdExctnDt>\
<Dbtr><Nm>{payer}</Nm></Dbtr><DbtrAcct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>CNY</Ccy></DbtrAcct>\
<DbtrAgt><FinInstnId><Nm>{bank}</Nm></FinInstnId></DbtrAgt>
"""
_LINE = """<CdtTrfTxInf><PmtId><EndToEndId>{reference}</EndToEndId></PmtId>\
<Amt><InstdAmt Ccy="CNY">{amount}</InstdAmt></Amt>{agent}<Cdtr><Nm>{name}</Nm></Cdtr>\
<CdtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></CdtrAcct>{text}</CdtTrfTxInf>
"""
_FOOT = "</PmtInf></CstmrCdtTrfInitn></Document>\n"


def write_pain001(lines: Iterator[BankLine], header: BankHeader) -> Iterator[bytes]:
    """The message, some hundred transfers at a time. There is at least one line."""
    head = _HEAD.format(
        namespace=NAMESPACE,
        message=f"R{header.run_id}-{header.payer_code}"[:LONGEST_ID],
        written_at=header.written_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        lines=header.lines,
        total=plain_yuan(header.total_fen),
        pay_on=header.pay_on.isoformat(),
        payer=_text(header.payer, LONGEST_NAME),
        account=header.account,
        bank=_text(header.bank_name, LONGEST_NAME),
    )
    yield head.encode()
    batch: list[str] = []
    for line in lines:
        batch.append(_transfer(line))
        if len(batch) == BATCH:
            yield "".join(batch).encode()
            batch.clear()
    yield "".join([*batch, _FOOT]).encode()


def _transfer(line: BankLine) -> str:
    bank, text = _text(line.bank_name, LONGEST_NAME), _text(line.text, LONGEST_TEXT)
    return _LINE.format(
        reference=line.reference,
        amount=plain_yuan(line.amount_fen),
        agent=f"<CdtrAgt><FinInstnId><Nm>{bank}</Nm></FinInstnId></CdtrAgt>" if bank else "",
        name=_text(line.name, LONGEST_NAME),
        account=line.account,
        text=f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf>" if text else "",
    )


def _text(text: str, longest: int) -> str:
    """As it may stand in the message: cut to what the schema takes, without signs that XML has no place for."""
    return escape("".join(sign for sign in text if sign.isprintable())[:longest].strip())
