"""Reading requests for transfers, each by the union that asked and by the one that was asked. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from core.api import Org, ProgramYear, Scope, db, mask_name, shown_people
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.transfers.models import Transfer

#: Requests on a page of a list.
PAGE = 50


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A request with its unions, and whose file it is, masked. ``file_id`` is none where the file is not seen."""

    transfer: Transfer
    source: Org
    target: Org
    name: str
    id_number: str
    file_id: int | None


def find_transfer(program_year: ProgramYear, scope: Scope, transfer_id: int) -> TransferRow | None:
    """One request, if either of its unions lies in the scope."""
    if transfer_id >= 2**63:  # the database could not even be asked
        return None
    rows = _shown(_rows(program_year, scope, _either(scope)).where(Transfer.id == transfer_id))
    return rows[0] if rows else None


def page_of_transfers(
    program_year: ProgramYear, scope: Scope, *, incoming: bool, before: int | None = None
) -> list[TransferRow]:
    """A page of requests to unions in the scope, or from them, newest first; one row more where there is a next one.

    What was handed over is no longer among those from them, as the file is another union's.
    """
    mine = scope.covers(Transfer.org_path if incoming else Transfer.from_org_path)
    query = _rows(program_year, scope, mine).order_by(Transfer.id.desc()).limit(PAGE + 1)
    return _shown(query if before is None else query.where(Transfer.id < before))


def transfers_of(program_year: ProgramYear, scope: Scope, file: File) -> list[TransferRow]:
    """All requests about a file in the scope, newest first."""
    query = _rows(program_year, scope, scope.covers(File.org_path)).where(Transfer.person_id == file.person_id)
    return _shown(query.order_by(Transfer.id.desc()))


def find_file(program_year: ProgramYear, scope: Scope, file_id: int) -> File | None:
    """A file in the scope."""
    mine = File.sponsor_id == program_year.org_id, scope.covers(File.org_path)
    return db.session.scalars(select(File).where(File.id == file_id, *mine)).one_or_none()


def _either(scope: Scope) -> ColumnElement[bool]:
    """The receiving union lies in the scope, or the file does."""
    return scope.covers(Transfer.org_path) | scope.covers(File.org_path)


def _rows(program_year: ProgramYear, scope: Scope, mine: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    source, target = aliased(Org), aliased(Org)
    return (
        select(Transfer, source, target, File.id)
        .join(source, source.id == Transfer.from_org_id)
        .join(target, target.id == Transfer.org_id)
        .outerjoin(File, (File.person_id == Transfer.person_id) & scope.covers(File.org_path))
        .where(Transfer.sponsor_id == program_year.org_id, mine, _either(scope))
    )


def _shown(query: Select[*tuple[Any, ...]]) -> list[TransferRow]:
    rows: Sequence[Any] = db.session.execute(query).all()
    people = shown_people(row[0].person_id for row in rows)

    def shown(transfer: Transfer, source: Org, target: Org, file_id: int | None) -> TransferRow:
        person = people[transfer.person_id]
        # Who was asked and has not taken the worker over need not know any more who it was.
        is_known = file_id is not None or transfer.state in ("open", "accepted")
        name = person.name if is_known else mask_name(person.name)
        return TransferRow(transfer, source, target, name, person.id_number, file_id)

    return [shown(*row) for row in rows]
