"""Cash and goods: what a union has handed out by its list, said by one user and confirmed by another.

Confirming writes a result for every line of the union's list; those who did not come are returned like a payment that
a bank could not make.
"""

import re
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import case, func, insert, literal, null, select
from sqlalchemy.dialects.postgresql import insert as upsert

from core.audit.services import record
from core.disbursements import compute
from core.disbursements.banking.models import HandOut, PaymentResult
from core.disbursements.banking.references import parse_reference
from core.disbursements.banking.results import reverse_failed, settle
from core.disbursements.models import Payment, Run
from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.programs.models import ProgramYear
from core.users.access import require, today
from core.users.models import User
from core.wall import beyond_scope

#: Why a line of a list came back.
ABSENT = "未到场领取"
_BETWEEN = re.compile(r"[\s,;，；、]+")


@beyond_scope("runs.hand_out")
def hand_out(actor: User, run: Run, org: Org, on_day: date, absent: str) -> HandOut:
    """Say when the list was handed out and who did not come: their references, with blanks or commas between.

    It can be said anew until it is confirmed. Raises :class:`Refused` for a run that is not posted or paid by a bank, a
    day in the future, and :class:`ZhijiaError` at ``absent`` for a reference that is not on the list.
    """
    run = _handed(actor, run, org)
    if on_day > today():
        raise ZhijiaError(_("The day lies in the future."), field="on_day")
    names = _absent(run, org, absent)
    values = {
        "run_id": run.id, "org_id": org.id, "org_path": org.path, "on_day": on_day, "absent": names,
        "recorded_by": actor.id,
    }  # fmt: skip
    added = upsert(HandOut).values(values | {"recorded_at": func.now()})
    anew = {name: added.excluded[name] for name in ("on_day", "absent", "recorded_by", "recorded_at")}
    kept = added.on_conflict_do_update(
        index_elements=["run_id", "org_id"], set_=anew, where=HandOut.confirmed_by.is_(None)
    )
    one = db.session.scalars(kept.returning(HandOut), execution_options={"populate_existing": True}).one_or_none()
    if one is None:
        raise Refused(_("What this union handed out is confirmed already."))
    record(actor, "run.hand_out", f"run:{run.id}", org.path, day=on_day.isoformat(), absent=len(names))
    db.session.commit()
    return one


@beyond_scope("runs.hand_out")
def confirm(actor: User, run: Run, org: Org) -> None:
    """Confirm what somebody else said: every line of the list has its result from now on.

    Raises :class:`Refused` where nothing was said, it is confirmed already, or the actor said it or made the run.
    """
    run = _handed(actor, run, org)
    one = db.session.get(HandOut, (run.id, org.id), with_for_update=True, populate_existing=True)
    if one is None:
        raise Refused(_("Nobody has said yet what this union handed out."))
    if one.confirmed_by is not None:
        raise Refused(_("What this union handed out is confirmed already."))
    if actor.id == one.recorded_by:
        raise Refused(_("Somebody else confirms it: you said what was handed out."))
    if actor.id == run.created_by:
        raise Refused(_("Somebody else confirms it: you made this run."))
    one.confirmed_by, one.confirmed_at = actor.id, func.now()
    db.session.flush()
    _write_results(run, one)
    fen = reverse_failed(actor, run, None, today(), org.id)
    record(actor, "run.hand_out_confirm", f"run:{run.id}", org.path, absent=len(one.absent), returned_fen=fen)
    settle(actor, run)
    db.session.commit()


def _handed(actor: User, run: Run, org: Org) -> Run:
    """The run, locked, after the permission was checked at the union."""
    require(actor, "run.post", org.path, db.session.get_one(ProgramYear, run.program_year_id).program)
    run = compute.locked(run.id)
    if run.form == "bank":
        raise Refused(_("This run is paid by the bank; what came of it is in the return file."))
    if run.state not in ("posted", "settled"):
        raise Refused(_("A list is handed out once the run is posted."))
    return run


def _absent(run: Run, org: Org, said: str) -> list[int]:
    """The payee ids of the references. Raises :class:`ZhijiaError` naming the first that is not on the list."""
    named = {text: parse_reference(text) for text in _BETWEEN.split(said) if text}
    ids = {found[1] for found in named.values() if found and found[0] == run.id}
    on_list = set(
        db.session.scalars(
            select(Payment.payee_id).where(
                Payment.run_id == run.id, Payment.chunk_org_id == org.id, Payment.payee_id.in_(ids)
            )
        )
    )
    for text, found in named.items():
        if found is None or found[0] != run.id or found[1] not in on_list:
            raise ZhijiaError(_("“%(text)s” is not on the list of this union.", text=text[:40]), field="absent")
    return sorted(on_list)


def _write_results(run: Run, one: HandOut) -> None:
    missed = Payment.payee_id.in_(one.absent)
    rows = select(
        Payment.run_id,
        Payment.payee_id,
        case((missed, "failed"), else_="paid"),
        case((missed, ABSENT), else_=""),
        literal(one.on_day),
        null(),
    ).where(Payment.run_id == run.id, Payment.chunk_org_id == one.org_id)
    columns = ["run_id", "payee_id", "state", "reason", "on_day", "return_id"]
    db.session.execute(insert(PaymentResult).from_select(columns, rows))
