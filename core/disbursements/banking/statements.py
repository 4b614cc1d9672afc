"""Bank statements: which debit paid which bank file, found by the sum, the days and the text, or said by hand.

A statement is a few hundred lines of one account, so it is read while its sender waits, and taken whole or not at all.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from core.audit.services import record
from core.config import LOCAL_ZONE
from core.disbursements.banking.models import Statement, StatementLine
from core.disbursements.models import BankFile, Run
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db, whole
from core.imports.cells import plain_day
from core.imports.fields import Field, check_columns, plain
from core.imports.reading import find_list
from core.money import parse_yuan, yuan
from core.org.models import Org
from core.plugin.hooks import scan_file
from core.registers.sheets import Row
from core.users.access import require, today
from core.users.models import User
from core.wall import beyond_scope

PERMISSION = "run.post"
#: A file is looked for among the debits of so many days after it was written.
WINDOW = timedelta(days=15)
MOST_LINES = 20_000
#: Lines that a refusal names.
NAMED = 3
_FIELDS = {
    "day": (_l("Day"), ("日期", "交易日期", "记账日期", "day", "date")),
    "amount": (_l("Amount (yuan)"), ("金额", "交易金额", "发生额", "amount")),
    "direction": (_l("Direction"), ("收支", "收付", "借贷", "借贷标志", "方向", "direction")),
    "counterparty": (_l("Counterparty"), ("对方户名", "对方", "对方名称", "counterparty")),
    "text": (_l("Remittance text"), ("摘要", "附言", "用途", "text", "remark")),
}
_REQUIRED = frozenset(("day", "amount", "direction"))
_OUT = frozenset(("支出", "支", "付", "借", "借方", "out", "debit", "d"))
_IN = frozenset(("收入", "收", "贷", "贷方", "in", "credit", "c"))


@dataclass(frozen=True)
class OpenFile:
    """A bank file (in whatever formats) that no line of a statement has paid yet."""

    run_id: int
    title: str
    total_fen: int
    written_on: date


def upload(actor: User, org: Org, content: IO[bytes], name: str) -> Statement:
    """Take a statement of the union's account and match what can be told for sure.

    The same file again gives the one that is there. Raises :class:`Forbidden`, and :class:`ZhijiaError` at ``file``
    naming the lines that are wrong.
    """
    require(actor, PERMISSION, org.path)
    name = Path(name).name
    if found := scan_file(content, name):
        raise Refused(
            _("The file was not taken, as a virus was found in it: %(names)s", names="、".join(found)), field="file"
        )
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").digest()  # type: ignore[arg-type]  # what a form sends is enough
    content.seek(0)
    with whole():
        db.session.execute(select(Org.id).where(Org.id == org.id).with_for_update())
        known = select(Statement).where(Statement.org_id == org.id, Statement.digest == digest)
        one = db.session.scalars(known).one_or_none()
        if one is not None:
            db.session.rollback()
            return one
        lines = _read(content, name)
        one = Statement(org_id=org.id, org_path=org.path, name=name, digest=digest, user_id=actor.id)
        db.session.add(one)
        db.session.flush()
        for line in lines:
            line.statement_id, line.org_id = one.id, org.id
        db.session.add_all(lines)
        db.session.flush()
        matched = _match(org, lines)
        taken = {"statement": one.id, "lines": len(lines), "fen": sum(line.fen for line in lines), "matched": matched}
        record(actor, "statement.upload", f"org:{org.code}", org.path, file=name, **taken)
        db.session.commit()
    return one


@beyond_scope("runs.statements")
def match(actor: User, org: Org, statement_id: int, line: int, run_id: int) -> None:
    """Say by hand which bank file a debit paid. Raises :class:`Refused` where either is taken or the sums differ."""
    one = _line(actor, org, statement_id, line)
    if one.run_id is not None:
        raise Refused(_("This line is matched already; undo that first."))
    file = next((file for file in open_files(org) if file.run_id == run_id), None)
    if file is None:
        raise Refused(_("There is no such bank file, or a line of a statement has paid it already."))
    if file.total_fen != -one.fen:
        raise Refused(
            _("The line is %(line)s yuan, the bank file %(file)s yuan.", line=yuan(-one.fen), file=yuan(file.total_fen))
        )
    one.run_id, one.matched_by, one.matched_at = run_id, actor.id, func.now()
    record(actor, "statement.match", f"run:{run_id}", org.path, statement=statement_id, line=line)
    db.session.commit()


@beyond_scope("runs.statements")
def undo(actor: User, org: Org, statement_id: int, line: int) -> None:
    """Take back what a line was matched with."""
    one = _line(actor, org, statement_id, line)
    if one.run_id is None:
        raise Refused(_("This line is not matched."))
    record(actor, "statement.undo", f"run:{one.run_id}", org.path, statement=statement_id, line=line)
    one.run_id = one.matched_by = one.matched_at = None
    db.session.commit()


def open_files(org: Org) -> list[OpenFile]:
    """The union's bank files that no debit has paid yet, the oldest first."""
    paid = select(StatementLine.run_id).where(StatementLine.org_id == org.id, StatementLine.run_id.is_not(None))
    written = func.min(BankFile.created_at)
    rows = db.session.execute(
        select(BankFile.run_id, Run.title, BankFile.total_fen, written)
        .join(Run, Run.id == BankFile.run_id)
        .where(BankFile.org_id == org.id, BankFile.run_id.not_in(paid))
        .group_by(BankFile.run_id, Run.title, BankFile.total_fen)
        .order_by(BankFile.run_id)
    )
    return [OpenFile(run_id, title, fen, at.astimezone(LOCAL_ZONE).date()) for run_id, title, fen, at in rows]


def statements_of(org: Org) -> list[Statement]:
    """The statements of a union, newest first."""
    return list(db.session.scalars(select(Statement).where(Statement.org_id == org.id).order_by(Statement.id.desc())))


def lines_of(org: Org, statement_id: int) -> list[StatementLine]:
    """The lines of one of the union's statements. Raises :class:`NotFound`."""
    query = select(StatementLine).where(StatementLine.org_id == org.id, StatementLine.statement_id == statement_id)
    lines = list(db.session.scalars(query.order_by(StatementLine.line)))
    if not lines:
        raise NotFound(_("There is no such statement."))
    return lines


def _match(org: Org, lines: Sequence[StatementLine]) -> int:
    """Match each debit that only one open file fits: sum and days, and where several do, the reference in the text."""
    files, count = open_files(org), 0
    for line in lines:
        fits = [
            file
            for file in files
            if file.total_fen == -line.fen and file.written_on <= line.on_day <= file.written_on + WINDOW
        ]
        named = [file for file in fits if re.search(rf"(?<![0-9A-Z])R{file.run_id}(?![0-9])", line.text.upper())]
        sure = named if named else fits
        if len(sure) == 1:
            line.run_id, line.matched_at = sure[0].run_id, func.now()
            files.remove(sure[0])
            count += 1
    db.session.flush()
    return count


def _line(actor: User, org: Org, statement_id: int, line: int) -> StatementLine:
    require(actor, PERMISSION, org.path)
    db.session.execute(select(Org.id).where(Org.id == org.id).with_for_update())
    one = db.session.get(StatementLine, (statement_id, line), populate_existing=True)
    if one is None or one.org_id != org.id:
        raise NotFound(_("There is no such statement."))
    return one


def _read(content: IO[bytes], name: str) -> list[StatementLine]:
    known = [
        Field(key, str(title), frozenset(map(plain, (key, str(title), *called))), key in _REQUIRED, key == "amount")
        for key, (title, called) in _FIELDS.items()
    ]
    found = find_list(content, name, known, {})
    check_columns(found.columns, known)
    at = {key: found.columns.index(key) for key in _FIELDS if key in found.columns}
    lines: list[StatementLine] = []
    wrong: list[str] = []
    for block in found.blocks():
        for row in block.rows():
            try:
                lines.append(_read_line(row, at))
            except ZhijiaError as error:
                wrong.append(_("Line %(line)s: %(sentence)s", line=row.line, sentence=str(error)))
            if len(lines) > MOST_LINES:
                raise ZhijiaError(_("The file has more than %(count)s rows; please split it.", count=f"{MOST_LINES:,}"))
    if wrong:
        more = _("; and %(count)s more", count=len(wrong) - NAMED) if len(wrong) > NAMED else ""
        raise ZhijiaError(" ".join(wrong[:NAMED]) + more, field="file")
    if not lines:
        raise ZhijiaError(_("The file has headings, but no rows."), field="file")
    return lines


def _read_line(row: Row, at: dict[str, int]) -> StatementLine:
    cells = {key: row.values[column] if column < len(row.values) else "" for key, column in at.items()}
    try:
        day = date.fromisoformat(plain_day(cells["day"]))
    except ValueError as error:
        raise ZhijiaError(_("“%(text)s” is not a day.", text=cells["day"][:40])) from error
    if day > today():
        raise ZhijiaError(_("%(day)s lies in the future.", day=day.isoformat()))
    way = plain(cells["direction"])
    if way not in _OUT | _IN:
        raise ZhijiaError(_("“%(text)s” is neither in nor out.", text=cells["direction"][:40]))
    fen = parse_yuan(cells["amount"])
    return StatementLine(
        line=row.line,
        on_day=day,
        fen=-fen if way in _OUT else fen,
        counterparty=cells.get("counterparty", "")[:200],
        text=cells.get("text", "")[:500],
    )
