"""What goes along with a worker to another union, and requests when people become one, are looked up or erased."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import case, func, select, update

from core.api import SYSTEM, Org, Person, PersonalDataAction, PersonalRecord, ProgramYear, Refused, db, finish_tasks
from plugins.hardship_aid.categories.computing import compute_anew
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.pairing.models import Pair, PairVisit
from plugins.hardship_aid.transfers.models import Transfer
from plugins.hardship_aid.transfers.words import ASKED, MAY_GO, STATES, UNDER_WAY

_PLAIN = {"synchronize_session": False}
#: Stands where a word is owed and was erased.
ERASED = "—"


def move_file(person: Person, org: Org) -> None:
    """The file, the household and the pairs go to the union, with the visits of years that are not closed for good; the
    category is computed with the line there.

    Those of closed years stay: the figures of such a year are its union's. Requests that are still open are withdrawn.
    Raises :class:`Refused` for an application that is under way.
    """
    mine = select(File).where(File.person_id == person.id).with_for_update()
    file = db.session.scalars(mine, execution_options={"populate_existing": True}).one_or_none()
    if file is None:
        return
    if file.state not in MAY_GO:
        raise Refused(str(UNDER_WAY))
    place = {"org_id": org.id, "org_path": org.path}
    models: tuple[type[Any], ...] = (File, Member, Pair)
    for model in models:
        db.session.execute(update(model).where(model.person_id == person.id).values(place))
    open_years = select(ProgramYear.id).where(ProgramYear.closed_at.is_(None))
    visits = PairVisit.person_id == person.id, PairVisit.program_year_id.in_(open_years)
    db.session.execute(update(PairVisit).where(*visits).values(place), execution_options=_PLAIN)
    compute_anew(file.sponsor_id, select(File.id).where(File.id == file.id))
    _withdraw(person)


def merge_transfers(kept: Person, dropped: Person) -> None:
    """Requests about either are withdrawn, and told of ``kept`` where they have a file; before files are merged.

    Where only ``dropped`` has one, that file takes its requests along (``ON UPDATE CASCADE``).
    """
    for person in (kept, dropped):
        _withdraw(person)
    if db.session.scalar(select(File.id).where(File.person_id == kept.id)):
        mine = Transfer.person_id == dropped.id
        db.session.execute(update(Transfer).where(mine).values(person_id=kept.id), execution_options=_PLAIN)


def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """Each request; erasing leaves between which unions and when, and no word of why."""
    rows = db.session.scalars(select(Transfer).where(Transfer.person_id == person.id).order_by(Transfer.id)).all()
    records = [_shown(row) for row in rows]
    if action == "erase":
        _withdraw(person)
        words = {"reason": ERASED, "answer": case((Transfer.answer == "", ""), else_=ERASED)}
        blank = update(Transfer).where(Transfer.person_id == person.id).values(words)
        db.session.execute(blank, execution_options=_PLAIN)
    return records


def _withdraw(person: Person) -> None:
    """Nobody waits any more for what a request was about."""
    still_open = Transfer.person_id == person.id, Transfer.state == "open"
    finish_tasks(SYSTEM, select(func.concat("hardship_aid.transfers:", Transfer.id)).where(*still_open), [ASKED])
    values = {"state": "withdrawn", "decided_at": func.now()}
    db.session.execute(update(Transfer).where(*still_open).values(values), execution_options=_PLAIN)


def _shown(transfer: Transfer) -> PersonalRecord:
    values = {
        _("State"): str(STATES[transfer.state]),
        _("Asked on"): transfer.created_at.date().isoformat(),
        _("Reason for the transfer"): transfer.reason,
        _("Reason of the answer"): transfer.answer or "—",
    }
    return PersonalRecord(title=_("Transfer to another union"), values=values)
