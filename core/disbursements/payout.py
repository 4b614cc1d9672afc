"""Paying out: the approved run becomes entries of both ledgers, then files for the banks."""

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from flask_babel import gettext as _
from sqlalchemy import func, select

from core.audit.services import Actor, record
from core.disbursements import compute
from core.disbursements.models import BankFile, Payment, Run, RunChunk
from core.disbursements.sealing import basis_of, record_digest
from core.errors import Refused
from core.extensions import db
from core.files.vault import read_vault, write_vault
from core.jobs.services import enqueue
from core.ledger import budgets
from core.ledger.models import Entry
from core.ledger.posting import Posting, post_entries
from core.ledger.queries import template_of_year
from core.ledger.services import add_activity
from core.money import plain_yuan, yuan
from core.org.models import Org
from core.people.models import Person
from core.people.secrets import decrypt
from core.plugin.registry import registry_of
from core.plugin.types import EntryKind
from core.programs.models import ProgramYear
from core.registers.sheets import harmless
from core.users.access import require, today
from core.users.models import User

#: Rows fetched at a time while a bank file is written.
BATCH = 2_000
HEADER = ("序号", "收款人", "账号", "开户行", "金额（元）", "附言")


def post(actor: User, run: Run, effective_on: date) -> None:
    """Post an approved run: one entry a paying union, its budget from held to used, a line of the work ledger.

    Short: it touches chunks, not payments. Raises :class:`Refused` in any other state, for a day in the future, or when
    the poster made the run.
    """
    program_year = db.session.get_one(ProgramYear, run.program_year_id)
    require(actor, "run.post", run.org_path, program_year.program)
    run = compute.locked(run.id)
    if run.state != "approved":
        raise Refused(_("Only an approved run can be posted."))
    if actor.id == run.created_by:
        raise Refused(_("Nobody posts their own work: you made this run."))
    if effective_on > today():
        raise Refused(_("The day of posting lies in the future."), field="effective_on")
    chunks = [(chunk, org) for chunk, org in _chunks(run.id) if chunk.total_fen]
    budgets.use_held(program_year.id, {chunk.org_id: chunk.total_fen for chunk, _org in chunks}, run.source)
    kind = _entry_kind(run)
    run.digest = record_digest(run)
    entries = post_entries(actor, [_posting(run, chunk, kind, effective_on) for chunk, _org in chunks])
    for (chunk, org), entry in zip(chunks, entries, strict=True):
        chunk.entry_id = entry.id
        _write_activity(actor, run, program_year, chunk, org, entry)
    run.state, run.effective_on = "posted", effective_on
    run.posted_by, run.posted_at = actor.id, func.now()
    record(actor, "run.post", f"run:{run.id}", run.org_path, total_fen=run.total_fen, entries=len(entries))
    db.session.commit()


def start_bank_files(actor: User, run: Run) -> None:
    """Ask a worker to write the bank files of a posted run."""
    program_year = db.session.get_one(ProgramYear, run.program_year_id)
    require(actor, "run.post", run.org_path, program_year.program)
    if run.state not in ("posted", "sent"):
        raise Refused(_("Only a posted run goes to the bank."))
    enqueue(
        "disbursements.bank_files",
        actor,
        run.org_path,
        program_year_id=run.program_year_id,
        key=f"run:{run.id}:bank",
        args={"run_id": run.id},
    )
    record(actor, "run.bank_files", f"run:{run.id}", run.org_path)
    db.session.commit()


def write_bank_files(run_id: int, folder: Path, data_key: bytes) -> Iterator[str]:
    """Write one encrypted CSV a paying union, streaming; yields each union's code when its file stands.

    Safe to run again: a file that is on record is left as it is. The run is ``sent`` when all are written.
    """
    todo = [
        (chunk, org)
        for chunk, org in _chunks(run_id)
        if chunk.paid and db.session.get(BankFile, (run_id, chunk.org_id)) is None
    ]
    for chunk, org in todo:
        name = f"{run_id}-{org.code}.csv"
        lines, total, digest = _write_bank_file(run_id, chunk.org_id, folder / name, data_key)
        if (lines, total) != (chunk.paid, chunk.total_fen):
            (folder / name).unlink()
            raise Refused(_("The payments of %(org)s do not add up to what was posted.", org=org.name))
        db.session.add(
            BankFile(
                run_id=run_id,
                org_id=org.id,
                org_path=org.path,
                name=name,
                lines=lines,
                total_fen=total,
                digest=digest,
            )
        )
        db.session.commit()
        yield org.code
    run = compute.locked(run_id)
    run.state = "sent"
    db.session.commit()


def open_bank_file(actor: User, file: BankFile, folder: Path, data_key: bytes) -> Iterator[bytes]:
    """The content of a bank file, block by block, and the download on record: it holds account numbers.

    Raises :class:`Refused` if the file is gone, or is not the one that was written.
    """
    blocks = read_vault(folder / file.name, data_key)
    try:
        first = next(blocks)
    except (OSError, InvalidTag) as error:
        raise Refused(_("The bank file is damaged or no longer there. Tell the administrator.")) from error
    record(actor, "run.download", f"run:{file.run_id}", file.org_path, file=file.name, digest=file.digest.hex())
    db.session.commit()
    return chain((first,), blocks)


def _write_bank_file(run_id: int, org_id: int, path: Path, data_key: bytes) -> tuple[int, int, bytes]:
    lines = total = 0
    digest = hashlib.sha256()
    with write_vault(path, data_key) as vault:

        def put(*cells: str) -> None:
            text = io.StringIO()
            csv.writer(text).writerow(cells)
            data = text.getvalue().encode()
            digest.update(data)
            vault.write(data)

        vault.write(BOM)
        digest.update(BOM)
        put(*HEADER)
        for title, name, account, bank, amount_fen in _payees(run_id, org_id):
            lines += 1
            total += amount_fen
            account_number = decrypt("bank_account", account) if account else ""
            put(
                str(lines),
                harmless(name),
                account_number,
                harmless(bank or ""),
                plain_yuan(amount_fen),
                harmless(title),
            )
        put("合计", f"{lines}笔", "", "", plain_yuan(total), "")
    return lines, total, digest.digest()


#: Excel needs it to see that the file is UTF-8.
BOM = b"\xef\xbb\xbf"


def _payees(run_id: int, org_id: int) -> Iterator[tuple[str, str, bytes | None, str | None, int]]:
    rows = db.session.execute(
        select(Run.title, Payment.payee_name, Person.bank_account, Person.bank_name, Payment.amount_fen)
        .join(Run, Run.id == Payment.run_id)
        .join(Person, Person.id == Payment.payee_id)
        .where(Payment.run_id == run_id, Payment.chunk_org_id == org_id)
        .order_by(Payment.org_path, Payment.payee_id)
        .execution_options(yield_per=BATCH)
    )
    return ((title, name, account, bank, amount_fen) for title, name, account, bank, amount_fen in rows)


def _chunks(run_id: int) -> list[tuple[RunChunk, Org]]:
    rows = db.session.execute(
        select(RunChunk, Org).join(Org, Org.id == RunChunk.org_id).where(RunChunk.run_id == run_id).order_by(Org.code)
    )
    return list(rows)


def _entry_kind(run: Run) -> EntryKind:
    registry = registry_of()
    scheme = registry.schemes.get(run.scheme)
    if scheme is None:
        raise Refused(_("The plugin of the scheme %(scheme)s is not loaded.", scheme=run.scheme))
    return registry.entry_kinds[scheme.entry_kind]


def _posting(run: Run, chunk: RunChunk, kind: EntryKind, effective_on: date) -> Posting:
    return Posting(
        scope="run",
        key=f"{run.id}:{chunk.org_id}",
        kind=kind.code,
        title=kind.title_zh,
        description=run.title,
        org_id=chunk.org_id,
        org_path=chunk.org_path,
        program_year_id=run.program_year_id,
        effective_on=effective_on,
        legs=[(kind.debit, chunk.total_fen), (kind.credit, -chunk.total_fen)],
        basis_digest=basis_of(run, chunk),
    )


def _write_activity(actor: Actor, run: Run, program_year: ProgramYear, chunk: RunChunk, org: Org, entry: Entry) -> None:
    template = template_of_year(program_year.year)
    said: dict[str, Any] = {
        "organisation": org.name,
        "cadres": actor.name,
        "time": entry.effective_on.isoformat(),
        "method": "实名制发放，银行转账",
        "matters": run.title,
        "result": f"发放 {chunk.paid} 人，{yuan(chunk.total_fen)} 元",
    }
    columns = {column["key"] for column in template.columns}
    add_activity(
        actor,
        template,
        org,
        program_year_id=program_year.id,
        held_on=entry.effective_on,
        data={key: value for key, value in said.items() if key in columns},
        scope="run",
        key=f"{run.id}:{chunk.org_id}",
        entry_id=entry.id,
    )
