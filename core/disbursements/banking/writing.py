"""Writing the bank files of a posted run: for each paying union one in every format that the year asks for.

Streaming, encrypted at rest, with control totals. Nothing is written while a payee has no account. Safe to run again: a
file that is on record is left as it is.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, Text, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.exc import SQLAlchemyError

from core.audit.services import Actor, record
from core.config import settings_of
from core.disbursements import compute
from core.disbursements.banking.formats import CSV
from core.disbursements.banking.references import reference_of
from core.disbursements.models import BankFile, OrgAccount, Payment, Run, RunChunk
from core.errors import Refused, ZhijiaError
from core.exports.writing import write_locked
from core.extensions import db
from core.files.vault import read_vault, write_vault
from core.org.models import Org
from core.people.models import Person
from core.people.secrets import decrypt
from core.plugin.registry import reason_of, registry_of
from core.plugin.types import BankFormat, BankHeader, BankLine
from core.programs.models import ProgramYear
from core.users.access import today

#: Rows fetched at a time.
BATCH = 2_000
#: A refusal names so many payees and counts the rest.
NAMED = 3


def write_bank_files(run_id: int, folder: Path, data_key: bytes) -> Iterator[str]:
    """Write the files that are missing; yields each union's code when a file of it stands. The run is ``sent`` then.

    Raises :class:`Refused`, before anything is written, where payees have no account, where a format is not there or
    needs an account of the paying union that is not kept; later where the lines are not those that were posted.
    """
    run = db.session.get_one(Run, run_id)
    formats = formats_of(db.session.get_one(ProgramYear, run.program_year_id))
    _refuse_without_accounts(run)
    chunks = [(chunk, org, _account_of(org)) for chunk, org in _paying(run_id)]
    for layout in formats:
        if layout.needs_account:
            _refuse_without_own_account([org for _chunk, org, account in chunks if account is None])
    for chunk, org, account in chunks:
        for layout in formats:
            if db.session.get(BankFile, (run_id, org.id, layout.code)) is None:
                _write(run, chunk, org, account, layout, folder, data_key)
                yield org.code
    run = compute.locked(run_id)
    if run.state == "posted":
        run.state = "sent"
    db.session.commit()


def formats_of(program_year: ProgramYear) -> list[BankFormat]:
    """The formats that the settings of the year ask for. Raises :class:`Refused` for one that is not there."""
    asked = program_year.settings.get("bank_format") or [CSV.code]
    known = registry_of().bank_formats
    for code in asked:
        if code not in known:
            raise Refused(_("There is no bank format “%(code)s”; look at the settings of the year.", code=code))
    return [known[code] for code in asked]


def open_bank_file(actor: Actor, file: BankFile, folder: Path, data_key: bytes) -> Iterator[bytes]:
    """The content of a bank file, block by block, and the download on record: it holds account numbers.

    Raises :class:`Refused` if the file is gone, or is not the one that was written.
    """
    blocks = _opened(file, folder, data_key)
    _record_download(actor, file, locked=False)
    return blocks


def lock_bank_file(
    actor: Actor, file: BankFile, folder: Path, data_key: bytes, password: str, target: IO[bytes]
) -> None:
    """Write the content as a zip that this password opens, and the download on record. Raises as the other."""
    blocks = _opened(file, folder, data_key)

    def write(plain: IO[bytes]) -> None:
        for block in blocks:
            plain.write(block)

    write_locked(target, file.name, password, write, settings_of().instance)
    _record_download(actor, file, locked=True)


def digest_of_lines(payee_id: SQLColumnExpression[int], amount_fen: SQLColumnExpression[int]) -> ColumnElement[bytes]:
    """An aggregate over payments: the same for the same payees and amounts, in whatever order and layout they stand."""
    said = func.concat(payee_id, ":", amount_fen)
    together = func.string_agg(said, aggregate_order_by(literal("\n", Text), payee_id))
    return func.sha256(func.convert_to(func.coalesce(together, ""), "UTF8"))


@dataclass
class _Counted:
    """What went into a file, while it goes through."""

    lines: int = 0
    total_fen: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)


def _write(
    run: Run, chunk: RunChunk, org: Org, account: OrgAccount | None, layout: BankFormat, folder: Path, data_key: bytes
) -> None:
    name = f"{run.id}-{org.code}-{layout.code}.{layout.extension}"
    counted, header = _Counted(), _header(run, chunk, org, account)
    with write_vault(folder / name, data_key) as vault:
        for block in _guarded(layout, layout.write(_lines(run, org.id, counted), header)):
            counted.digest.update(block)
            vault.write(block)
    if (counted.lines, counted.total_fen) != (chunk.paid, chunk.total_fen):
        (folder / name).unlink()
        raise Refused(_("The payments of %(org)s do not add up to what was posted.", org=org.name))
    file = BankFile(
        run_id=run.id, org_id=org.id, org_path=org.path, format=layout.code, name=name, lines=counted.lines,
        total_fen=counted.total_fen, digest=counted.digest.digest(), lines_digest=bytes.fromhex(header.digest),
    )  # fmt: skip
    db.session.add(file)
    db.session.commit()


def _header(run: Run, chunk: RunChunk, org: Org, account: OrgAccount | None) -> BankHeader:
    here = Payment.run_id == run.id, Payment.chunk_org_id == org.id
    digest = db.session.scalars(select(digest_of_lines(Payment.payee_id, Payment.amount_fen)).where(*here)).one()
    return BankHeader(
        run_id=run.id,
        title=run.title,
        payer=org.name,
        payer_code=org.code,
        account=decrypt("bank_account", account.bank_account) if account else "",
        bank_name=account.bank_name if account else "",
        lines=chunk.paid,
        total_fen=chunk.total_fen,
        digest=digest.hex(),
        written_at=datetime.now(UTC),
        pay_on=today(),
    )


def _guarded(layout: BankFormat, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks; what a plugin's layout fails with becomes a sentence, what the database or the disk says does not."""
    try:
        for block in blocks:
            yield bytes(memoryview(block))
    except (ZhijiaError, SQLAlchemyError, OSError):
        raise
    except Exception as error:
        raise Refused(
            _("The bank format “%(code)s” failed: %(reason)s", code=layout.code, reason=reason_of(error))
        ) from error


def _lines(run: Run, org_id: int, counted: _Counted) -> Iterator[BankLine]:
    account = _accounts(run).subquery("account")
    rows = db.session.execute(
        select(Payment.payee_id, Payment.payee_name, account.c.bank_account, account.c.bank_name, Payment.amount_fen)
        .join(account, account.c.id == Payment.payee_id)
        .where(Payment.run_id == run.id, Payment.chunk_org_id == org_id, account.c.bank_account.is_not(None))
        .order_by(Payment.org_path, Payment.payee_id)
        .execution_options(yield_per=BATCH)
    )
    run_id, title = run.id, run.title
    for payee_id, name, sealed, bank_name, amount_fen in rows:
        counted.lines += 1
        counted.total_fen += amount_fen
        yield BankLine(
            number=counted.lines,
            reference=reference_of(run_id, payee_id),
            name=name,
            account=decrypt("bank_account", sealed),
            bank_name=bank_name or "",
            amount_fen=amount_fen,
            text=title,
        )


def _accounts(run: Run) -> Select[*tuple[Any, ...]]:
    """``id, bank_account, bank_name`` of everybody whom a run of this kind could pay, as they are now."""
    if run.payees == "people":
        return select(Person.id, Person.bank_account, Person.bank_name)
    return select(OrgAccount.org_id.label("id"), OrgAccount.bank_account, OrgAccount.bank_name)


def _refuse_without_accounts(run: Run) -> None:
    account = _accounts(run).subquery("account")
    without = (
        select(Payment.payee_name)
        .outerjoin(account, account.c.id == Payment.payee_id)
        .where(Payment.run_id == run.id, account.c.bank_account.is_(None))
        .order_by(Payment.org_path, Payment.payee_id)
    )
    count = db.session.scalars(select(func.count()).select_from(without.subquery())).one()
    if count:
        names = "、".join(db.session.scalars(without.limit(NAMED)))
        raise Refused(
            _(
                "%(count)s payees have no bank account (%(names)s …); enter them, then have the files written.",
                count=count,
                names=names,
            )
        )


def _refuse_without_own_account(orgs: list[Org]) -> None:
    if orgs:
        names = "、".join(org.name for org in orgs[:NAMED])
        raise Refused(
            _(
                "The bank format names the account of the paying union, and none is kept of %(names)s (%(count)s).",
                names=names,
                count=len(orgs),
            )
        )


def _account_of(org: Org) -> OrgAccount | None:
    return db.session.get(OrgAccount, org.id)


def _paying(run_id: int) -> list[tuple[RunChunk, Org]]:
    rows = db.session.execute(
        select(RunChunk, Org)
        .join(Org, Org.id == RunChunk.org_id)
        .where(RunChunk.run_id == run_id, RunChunk.paid > 0)
        .order_by(Org.code)
    )
    return list(rows)


def _opened(file: BankFile, folder: Path, data_key: bytes) -> Iterator[bytes]:
    blocks = read_vault(folder / file.name, data_key)
    try:
        first = next(blocks)
    except (OSError, InvalidTag) as error:
        raise Refused(_("The bank file is damaged or no longer there. Tell the administrator.")) from error
    return chain((first,), blocks)


def _record_download(actor: Actor, file: BankFile, *, locked: bool) -> None:
    what = {"file": file.name, "digest": file.digest.hex(), "locked": locked}
    record(actor, "run.download", f"run:{file.run_id}", file.org_path, **what)
    db.session.commit()
