"""Return files: taken from whoever sends them, read by a worker, taken over as a whole or not at all.

Every step locks the run first. A file that was taken over once finds nothing new in it the second time, and a worker
that is killed leaves either nothing or everything behind.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from flask_babel import force_locale, get_locale
from flask_babel import gettext as _
from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from core.audit.services import record
from core.config import settings_of
from core.disbursements import compute
from core.disbursements.banking.comparing import Staged, answers
from core.disbursements.banking.models import BankReturn, PaymentResult, ReturnFault
from core.disbursements.banking.reading import MOST_FAULTS, Fault, Line, Reading, find_lines, lines_of
from core.disbursements.banking.results import reverse_failed, settle
from core.disbursements.models import BankFile, Run, RunChunk
from core.errors import Refused, ZhijiaError
from core.extensions import db, whole
from core.files.vault import open_vault, write_vault
from core.jobs.services import enqueue
from core.keys.queries import file_keys
from core.org.scope import Scope
from core.plugin.hooks import scan_file
from core.programs.models import ProgramYear
from core.users.access import refuse, scope_of, today
from core.users.models import User
from core.wall import beyond_scope

BLOCK = 256 * 1024
#: Lines between two signs of how far the file is read.
STEP = 10_000
Progress = Callable[[int, int], None]


@beyond_scope("runs.returns")
def upload(actor: User, run: Run, content: IO[bytes], name: str) -> BankReturn:
    """Take a return file (xlsx or CSV) for the payments of a run that the actor answers for; a worker reads it.

    The same file again gives what it gave before, or asks for its reading again. Raises :class:`Forbidden`, and
    :class:`Refused` where the run is not at the bank or a virus is found.
    """
    scope = _scope(actor, run)
    name = Path(name).name
    if run.form != "bank" or run.state not in ("sent", "settled"):
        raise Refused(_("A return file is taken once the bank files of the run are written."), field="file")
    if found := scan_file(content, name):
        raise Refused(
            _("The file was not taken, as a virus was found in it: %(names)s", names="、".join(found)), field="file"
        )
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").digest()  # type: ignore[arg-type]  # what a form sends is enough
    org_id, org_path = (run.org_id, run.org_path) if scope.includes(run.org_path) else (actor.org_id, actor.org_path)
    with whole():
        added = upsert(BankReturn).values(
            run_id=run.id, org_id=org_id, org_path=org_path, name=name, digest=digest,
            language=str(get_locale() or "zh"), user_id=actor.id,
        )  # fmt: skip
        one = db.session.scalars(added.on_conflict_do_nothing().returning(BankReturn)).one_or_none()
        if one is None:
            same = (BankReturn.run_id == run.id) & (BankReturn.digest == digest) & (BankReturn.state != "refused")
            one = db.session.scalars(select(BankReturn).where(same)).one()
            if one.state == "taken":
                db.session.rollback()
                return one
        content.seek(0)
        with write_vault(_file_of(one.id), file_keys()) as vault:
            while block := content.read(BLOCK):
                vault.write(block)
        enqueue(
            "disbursements.take_in", actor, run.org_path, program_year_id=run.program_year_id,
            key=f"run:{run.id}:return:{one.id}", args={"return_id": one.id},
        )  # fmt: skip
        record(actor, "run.return_file", f"run:{run.id}", org_path, file=name, digest=digest.hex())
        db.session.commit()
    return one


def take_in(actor: User, return_id: int, progress: Progress) -> None:
    """Read a file and take its results over; safe to run again. What is wrong with it is written down, not raised."""
    one = db.session.get_one(BankReturn, return_id)
    with force_locale(one.language):
        try:
            with whole():
                _take_in(actor, return_id, progress)
                db.session.commit()
        except ZhijiaError as error:
            one = _locked(return_id)
            if one.state == "reading":
                one.state, one.said, one.read_at = "refused", str(error), func.now()
            db.session.commit()
    _file_of(return_id).unlink(missing_ok=True)


def _take_in(actor: User, return_id: int, progress: Progress) -> None:
    one = db.session.get_one(BankReturn, return_id)
    run = compute.locked(one.run_id)
    one = _locked(return_id)
    if one.state != "reading":
        return
    scope = _scope(actor, run)
    staged, reading = Staged(run.id, _chunks_within(run, scope)), Reading(run.id)
    with open_vault(_file_of(return_id), settings_of().data_keys) as content:
        staged.fill(_counted(lines_of(find_lines(content, one.name), reading), progress))
    one.lines = reading.lines
    _refuse_as_a_whole(reading)
    faults = reading.faults + staged.faults(MOST_FAULTS)
    one.faults = len(faults)
    one.said = _contradiction(run, scope, reading, staged)
    one.read_at = func.now()
    if faults or one.said:
        _keep_faults(one, faults)
        return
    staged.take(one.id, today())
    one.paid, one.failed = _new(one)
    one.total_fen = reverse_failed(actor, run, one.id, today())
    one.state = "taken"
    record(
        actor, "run.results", f"run:{run.id}", one.org_path,
        return_id=one.id, lines=one.lines, paid=one.paid, failed=one.failed, returned_fen=one.total_fen,
    )  # fmt: skip
    settle(actor, run)


def _refuse_as_a_whole(reading: Reading) -> None:
    """What is not worth looking at line by line."""
    if not reading.lines:
        raise Refused(_("The file has headings, but no rows."))
    if reading.foreign == reading.lines:
        raise Refused(_("This is the return file of run %(run)s, not of this one.", run=reading.foreign_run))


def _contradiction(run: Run, scope: Scope, reading: Reading, staged: Staged) -> str | None:
    """Why the lines cannot be those that the file says it answers; none where it is so, or says nothing."""
    sums = staged.sums()
    files = db.session.scalars(select(BankFile).where(BankFile.run_id == run.id, scope.covers(BankFile.org_path))).all()
    for claimed in reading.digests:
        asked = [file for file in files if answers(file, claimed)]
        if not asked:
            return str(_("The check code in the file is not that of a bank file of this run."))
        if all(file.lines_digest is not None and file.lines_digest != sums.digest for file in asked):
            return str(
                _(
                    "The lines are not those of the bank file whose check code stands in the file (%(org)s, %(lines)s "
                    "lines): something was changed, added or left out.",
                    org=asked[0].name,
                    lines=asked[0].lines,
                )
            )
    if reading.claimed_lines is not None and reading.claimed_lines != reading.lines:
        return str(
            _(
                "The foot of the file counts %(claimed)s lines, but there are %(lines)s.",
                claimed=reading.claimed_lines,
                lines=reading.lines,
            )
        )
    if reading.claimed_fen is not None and reading.claimed_fen not in (sums.said_fen, sums.owed_fen):
        return str(_("The total at the foot of the file is not the sum of its lines."))
    return None


def _keep_faults(one: BankReturn, faults: list[Fault]) -> None:
    one.state = "refused"
    rows = [
        {"return_id": one.id, "no": no, **fault._asdict()}
        for no, fault in enumerate(sorted(faults[:MOST_FAULTS]), start=1)
    ]
    if rows:
        db.session.execute(insert(ReturnFault), rows)


def _new(one: BankReturn) -> tuple[int, int]:
    rows = db.session.execute(
        select(PaymentResult.state, func.count())
        .where(PaymentResult.run_id == one.run_id, PaymentResult.return_id == one.id)
        .group_by(PaymentResult.state)
    )
    counts = dict(rows.all())
    return counts.get("paid", 0), counts.get("failed", 0)


def _counted(lines: Iterator[Line], progress: Progress) -> Iterator[Line]:
    for count, line in enumerate(lines, start=1):
        if count % STEP == 0:
            progress(count, 0)
        yield line


def _scope(actor: User, run: Run) -> Scope:
    """Where the actor posts runs of this program. Raises :class:`Forbidden` where that is no part of the run."""
    program = db.session.get_one(ProgramYear, run.program_year_id).program
    scope = scope_of(actor, "run.post", program)
    if not _chunks_within(run, scope):
        refuse("run.post")
    return scope


def _chunks_within(run: Run, scope: Scope) -> list[int]:
    mine = select(RunChunk.org_id).where(RunChunk.run_id == run.id, scope.covers(RunChunk.org_path))
    return list(db.session.scalars(mine.order_by(RunChunk.org_id)))


def _locked(return_id: int) -> BankReturn:
    return db.session.get_one(BankReturn, return_id, with_for_update=True, populate_existing=True)


def _file_of(return_id: int) -> Path:
    """Where the content waits for a worker, encrypted."""
    return settings_of().files / "returns" / str(return_id)
