"""Handing a worker over to another union with the file: one asks, the other accepts or declines."""

from flask_babel import gettext as _
from sqlalchemy import func, select

from core.api import (
    NotFound,
    Org,
    ProgramYear,
    Refused,
    User,
    by_code,
    db,
    finish_tasks,
    is_of_sponsor,
    move_person,
    notify,
    open_task,
    record,
    refuse_receiver,
    require,
)
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.transfers.models import Transfer
from plugins.hardship_aid.transfers.words import ACCEPTED, ASKED, DECLINED, MAY_GO, STATES, UNDER_WAY
from plugins.hardship_aid.words import EDIT, PROGRAM


def ask(actor: User, program_year: ProgramYear, file_id: int, org_code: str, reason: str) -> Transfer:
    """Ask another union of the sponsor to take over the worker with the file; it finds a task.

    Raises :class:`NotFound`, :class:`Forbidden`, and :class:`Refused` without a reason, for a file that is under way or
    asked for already, and for a union that cannot receive it.
    """
    mine = select(File).where(File.id == file_id, File.sponsor_id == program_year.org_id).with_for_update()
    file = db.session.scalars(mine, execution_options={"populate_existing": True}).one_or_none()
    if file is None:
        raise NotFound(_("There is no such file, or none that you may see."))
    require(actor, EDIT, file.org_path, PROGRAM)
    if file.state not in MAY_GO:
        raise Refused(str(UNDER_WAY))
    if not reason.strip():
        raise Refused(_("Please say why."), field="reason")
    org = _receiver(program_year, file, org_code)
    if db.session.scalar(select(Transfer.id).where(Transfer.person_id == file.person_id, Transfer.state == "open")):
        raise Refused(_("A request to transfer this file is open already; withdraw it first."))
    transfer = Transfer(
        sponsor_id=file.sponsor_id,
        person_id=file.person_id,
        org_id=org.id,
        org_path=org.path,
        from_org_id=file.org_id,
        from_org_path=file.org_path,
        reason=reason.strip(),
        asked_by=actor.id,
    )
    db.session.add(transfer)
    db.session.flush()
    source = db.session.get_one(Org, file.org_id)
    open_task(
        ASKED,
        _subject(transfer),
        org.id,
        org.path,
        permission=EDIT,
        program_year_id=program_year.id,
        data={"union": source.short_name},
        address={"transfer_id": transfer.id},
    )
    record(actor, "hardship.transfer", f"hardship_aid.files:{file.id}", file.org_path, step="ask", to=org.code)
    db.session.commit()
    return transfer


def accept(actor: User, program_year: ProgramYear, transfer_id: int) -> None:
    """Take over the worker, and with them the file, the household and the pairs. Once accepted, nothing is done again.

    Raises :class:`NotFound`, :class:`Forbidden`, and :class:`Refused` for a request that is not open (any more), and
    for a file that cannot go by now.
    """
    transfer = _locked(program_year, transfer_id)
    require(actor, EDIT, transfer.org_path, PROGRAM)
    if transfer.state == "accepted":
        return
    org = db.session.get_one(Org, transfer.org_id)
    _close(actor, transfer, "accepted")
    move_person(actor, transfer.person_id, org, agreed_by=transfer.from_org_id)
    _tell(actor, program_year, transfer, org, "accept")
    db.session.commit()


def decline(actor: User, program_year: ProgramYear, transfer_id: int, why: str) -> None:
    """Leave the worker where they are, and say why.

    Raises :class:`NotFound`, :class:`Forbidden`, and :class:`Refused` without a reason and for a request that is not
    open.
    """
    transfer = _locked(program_year, transfer_id)
    require(actor, EDIT, transfer.org_path, PROGRAM)
    if not why.strip():
        raise Refused(_("Please say why."), field="answer")
    _close(actor, transfer, "declined", why.strip())
    _tell(actor, program_year, transfer, db.session.get_one(Org, transfer.org_id), "decline")
    db.session.commit()


def withdraw(actor: User, program_year: ProgramYear, transfer_id: int) -> None:
    """Ask no longer; for whoever keeps the file. Raises as :func:`decline` does."""
    transfer = _locked(program_year, transfer_id)
    require(actor, EDIT, transfer.from_org_path, PROGRAM)
    _close(actor, transfer, "withdrawn")
    finish_tasks(actor, _subject(transfer), [ASKED])
    record(actor, "hardship.transfer", _subject(transfer), transfer.from_org_path, step="withdraw")
    db.session.commit()


def _receiver(program_year: ProgramYear, file: File, code: str) -> Org:
    org = by_code(code.strip())
    if org is None or not is_of_sponsor(program_year, org.path):
        raise NotFound(_("This sponsor has no union with the code “%(code)s”.", code=code.strip()), field="org_code")
    refuse_receiver(file.org_id, org)
    return org


def _locked(program_year: ProgramYear, transfer_id: int) -> Transfer:
    """The request, held until the end of the transaction."""
    mine = select(Transfer).where(Transfer.id == transfer_id, Transfer.sponsor_id == program_year.org_id)
    found = db.session.scalars(mine.with_for_update(), execution_options={"populate_existing": True}).one_or_none()
    if found is None:
        raise NotFound(_("There is no such request, or none that you may see."))
    return found


def _close(actor: User, transfer: Transfer, state: str, answer: str = "") -> None:
    if transfer.state != "open":
        raise Refused(_("This request is not open any more: %(state)s.", state=STATES[transfer.state]))
    transfer.state, transfer.answer = state, answer
    transfer.decided_by, transfer.decided_at = actor.id, func.now()
    db.session.flush()


def _tell(actor: User, program_year: ProgramYear, transfer: Transfer, org: Org, step: str) -> None:
    """Take the task from the list, tell who asked, and leave it on record."""
    subject = _subject(transfer)
    finish_tasks(actor, subject, [ASKED])
    if transfer.asked_by is not None:
        kind = ACCEPTED if step == "accept" else DECLINED
        address = {} if step == "accept" else {"transfer_id": transfer.id}
        data = {"union": org.short_name}
        notify(kind, [transfer.asked_by], subject, program_year_id=program_year.id, data=data, address=address)
    record(actor, "hardship.transfer", subject, org.path, step=step)


def _subject(transfer: Transfer) -> str:
    return f"hardship_aid.transfers:{transfer.id}"
