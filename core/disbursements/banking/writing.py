"""Writing the bank files of a posted run: for each paying union one in every format that the year asks for.

Streaming, encrypted at rest, with control totals. Nothing is written while a payee has another account than the run was
submitted with. Safe to run again: a file that is on record is left as it is.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

from cryptography.exceptions import InvalidTag
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from core.audit.services import Actor, record
from core.config import settings_of
from core.data_keys import DataKeys
from core.disbursements import compute
from core.disbursements.banking.aside import is_set_aside, not_as_submitted
from core.disbursements.banking.formats import CSV
from core.disbursements.banking.references import reference_of
from core.disbursements.banking.results import digest_of_lines
from core.disbursements.models import BankFile, OrgAccount, Payment, Run, RunChunk
from core.disbursements.payees import accounts_of, as_submitted
from core.errors import Refused, ZhijiaError
from core.exports.writing import write_locked
from core.extensions import db
from core.files.vault import read_vault, write_vault
from core.org.models import Org
from core.people.secrets import decrypt, keys
from core.plugin.registry import reason_of, registry_of
from core.plugin.types import BankFormat, BankHeader, BankLine
from core.programs.models import ProgramYear
from core.users.access import today

#: Rows fetched at a time.
BATCH = 2_000
#: A refusal names so many payees and counts the rest.
NAMED = 3


def write_bank_files(run_id: int, folder: Path, data_keys: DataKeys) -> Iterator[str]:
    """Write the files that are missing; yields each union's code when its files stand. The run is ``sent`` then.

    Raises :class:`Refused`, before anything is written, where accounts of payees are not those that the run was
    submitted with, where a format is not there or needs an account of the paying union that is not kept; later where
    the lines are not those that were posted.
    """
    run = db.session.get_one(Run, run_id)
    formats = formats_of(db.session.get_one(ProgramYear, run.program_year_id))
    parts = [part for part in _parts(run_id, formats) if part.missing]
    _refuse_changed(run, [part.org for part in parts])
    for layout in formats:
        if layout.needs_account:
            _refuse_without_own_account([part.org for part in parts if layout in part.missing and part.account is None])
    for part in parts:
        _write_union(run, part, folder, data_keys)
        yield part.org.code
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


def open_bank_file(actor: Actor, file: BankFile, folder: Path, data_keys: DataKeys) -> Iterator[bytes]:
    """The content of a bank file, block by block, and the download on record: it holds account numbers.

    Raises :class:`Refused` if the file is gone, or is not the one that was written.
    """
    blocks = _opened(file, folder, data_keys)
    _record_download(actor, file, locked=False)
    return blocks


def lock_bank_file(
    actor: Actor, file: BankFile, folder: Path, data_keys: DataKeys, password: str, target: IO[bytes]
) -> None:
    """Write the content as a zip that this password opens, and the download on record. Raises as the other."""
    blocks = _opened(file, folder, data_keys)

    def write(plain: IO[bytes]) -> None:
        for block in blocks:
            plain.write(block)

    write_locked(target, file.name, password, write, settings_of().instance)
    _record_download(actor, file, locked=True)


@dataclass(frozen=True)
class _Part:
    """What one union pays, from its account if one is kept, and the formats in which its file is not written."""

    chunk: RunChunk
    org: Org
    account: OrgAccount | None
    missing: list[BankFormat]


class _Lines(NamedTuple):
    """The lines of a union that go to the bank, and all of its lines, those that are set aside as well."""

    going: int
    total_fen: int
    digest: bytes
    every: int
    every_fen: int


@dataclass
class _Counted:
    """What went into a file, while it goes through."""

    lines: int = 0
    total_fen: int = 0


def _write_union(run: Run, part: _Part, folder: Path, data_keys: DataKeys) -> None:
    """Write all files of a union that are missing, or none of them."""
    lines = _going(run.id, part.org.id)
    if (lines.every, lines.every_fen) != (part.chunk.paid, part.chunk.total_fen):
        raise _not_as_posted(part.org)
    if not lines.going:
        return
    files: list[BankFile] = []
    with _unlinked_again(folder, files):
        for layout in part.missing:
            files.append(_file(run, part, layout, lines))
            _write(run, part, layout, files[-1], folder, data_keys)
        # Whoever sets lines aside holds the run as well: those of a file that stands are no longer.
        compute.locked(run.id)
        if _going(run.id, part.org.id) != lines:
            raise Refused(_("Lines of %(org)s were set aside meanwhile; write the files again.", org=part.org.name))
        db.session.add_all(files)
        db.session.commit()


@contextmanager
def _unlinked_again(folder: Path, files: list[BankFile]) -> Iterator[None]:
    """Whatever goes wrong, none of the files stays."""
    try:
        yield
    except BaseException:
        for file in files:
            (folder / file.name).unlink(missing_ok=True)
        raise


def _file(run: Run, part: _Part, layout: BankFormat, lines: _Lines) -> BankFile:
    """What goes on record; the digest of its bytes comes with them."""
    return BankFile(
        run_id=run.id,
        org_id=part.org.id,
        org_path=part.org.path,
        format=layout.code,
        name=f"{run.id}-{part.org.code}-{layout.code}.{layout.extension}",
        lines=lines.going,
        total_fen=lines.total_fen,
        lines_digest=lines.digest,
    )


def _write(run: Run, part: _Part, layout: BankFormat, file: BankFile, folder: Path, data_keys: DataKeys) -> None:
    counted, digest = _Counted(), hashlib.sha256()
    with write_vault(folder / file.name, data_keys) as vault:
        for block in _guarded(layout, layout.write(_lines(run, part.org.id, counted), _header(run, part, file))):
            digest.update(block)
            vault.write(block)
    if (counted.lines, counted.total_fen) != (file.lines, file.total_fen):
        raise _not_as_posted(part.org)
    file.digest = digest.digest()


def _not_as_posted(org: Org) -> Refused:
    return Refused(_("The payments of %(org)s do not add up to what was posted.", org=org.name))


def _going(run_id: int, org_id: int) -> _Lines:
    """What goes to the bank of one union, by the payments as they are now."""
    lines = (
        select(Payment.payee_id, Payment.amount_fen, is_set_aside(run_id).label("aside"))
        .where(Payment.run_id == run_id, Payment.chunk_org_id == org_id)
        .subquery("lines")
    )
    payee_id, fen, goes = lines.c.payee_id, lines.c.amount_fen, ~lines.c.aside
    kept = select(func.count(), func.coalesce(func.sum(fen), 0), digest_of_lines(payee_id, fen)).where(goes)
    every = select(func.count(), func.coalesce(func.sum(fen), 0)).select_from(lines)
    (count, total_fen, digest), (all_lines, all_fen) = (db.session.execute(query).one() for query in (kept, every))
    return _Lines(count, int(total_fen), digest, all_lines, int(all_fen))


def _header(run: Run, part: _Part, file: BankFile) -> BankHeader:
    account = part.account
    return BankHeader(
        run_id=run.id,
        title=run.title,
        payer=part.org.name,
        payer_code=part.org.code,
        account=decrypt("bank_account", account.bank_account) if account else "",
        bank_name=account.bank_name if account else "",
        lines=file.lines,
        total_fen=file.total_fen,
        digest=(file.lines_digest or b"").hex(),
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
    """The lines that go to the bank. Raises :class:`Refused` for an account that its digest does not know."""
    account = accounts_of(run).subquery("account")
    lines = (
        select(
            Payment.payee_id,
            Payment.payee_name,
            account.c.number,
            account.c.digest,
            account.c.bank_name,
            Payment.amount_fen,
        )
        .join(account, account.c.id == Payment.payee_id)
        .where(Payment.run_id == run.id, Payment.chunk_org_id == org_id)
        .where(~is_set_aside(run.id), as_submitted(run, account))
        .order_by(Payment.org_path, Payment.payee_id)
        .execution_options(yield_per=BATCH)
    )
    run_id, title, installation_keys = run.id, run.title, keys()
    with db.session.execute(lines) as rows:
        for payee_id, name, sealed, digest, bank_name, amount_fen in rows:
            counted.lines += 1
            counted.total_fen += amount_fen
            number = installation_keys.decrypt("bank_account", sealed)
            if installation_keys.digest("bank_account", number) != bytes(digest):
                raise Refused(
                    _("The account of %(name)s was changed in the database; tell the administrator.", name=name)
                )
            yield BankLine(
                number=counted.lines,
                reference=reference_of(run_id, payee_id),
                name=name,
                account=number,
                bank_name=bank_name or "",
                amount_fen=amount_fen,
                text=title,
            )


def _refuse_changed(run: Run, orgs: list[Org]) -> None:
    """A union has all of its files or none: where one stands, its lines may be with the bank and are not set aside."""
    filed = set(db.session.scalars(select(BankFile.org_id).where(BankFile.run_id == run.id)))
    none_yet = [org.id for org in orgs if org.id not in filed]
    if found := _named(run, none_yet):
        count, names = found
        raise Refused(
            _(
                "%(count)s payees have no bank account, or another one than the run was submitted with (%(names)s …); "
                "set their lines aside on the page of the bank: a follow-up run pays them.",
                count=count,
                names=names,
            )
        )
    if found := _named(run, [org.id for org in orgs if org.id in filed]):
        raise Refused(
            _(
                "Bank accounts were changed since the files were written (%(names)s …): these unions have no file in "
                "another format; what the bank gets are the files that stand.",
                names=found[1],
            )
        )


def _named(run: Run, org_ids: list[int]) -> tuple[int, str] | None:
    """How many payees of these unions have another account than was submitted, and who; none where nobody has."""
    changed = not_as_submitted(run).where(Payment.chunk_org_id.in_(org_ids))
    count = db.session.scalars(select(func.count()).select_from(changed.subquery())).one()
    first = changed.with_only_columns(Payment.payee_name).order_by(Payment.org_path, Payment.payee_id).limit(NAMED)
    return (count, "、".join(db.session.scalars(first))) if count else None


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


def _parts(run_id: int, formats: list[BankFormat]) -> list[_Part]:
    rows = db.session.execute(
        select(RunChunk, Org, OrgAccount)
        .join(Org, Org.id == RunChunk.org_id)
        .outerjoin(OrgAccount, OrgAccount.org_id == Org.id)
        .where(RunChunk.run_id == run_id, RunChunk.paid > 0)
        .order_by(Org.code)
    ).all()
    there = set(db.session.execute(select(BankFile.org_id, BankFile.format).where(BankFile.run_id == run_id)))
    return [
        _Part(chunk, org, account, [layout for layout in formats if (org.id, layout.code) not in there])
        for chunk, org, account in rows
    ]


def _opened(file: BankFile, folder: Path, data_keys: DataKeys) -> Iterator[bytes]:
    blocks = read_vault(folder / file.name, data_keys)
    try:
        first = next(blocks)
    except (OSError, InvalidTag) as error:
        raise Refused(_("The bank file is damaged or no longer there. Tell the administrator.")) from error
    return chain((first,), blocks)


def _record_download(actor: Actor, file: BankFile, *, locked: bool) -> None:
    what = {"file": file.name, "digest": file.digest.hex(), "locked": locked}
    record(actor, "run.download", f"run:{file.run_id}", file.org_path, **what)
    db.session.commit()
