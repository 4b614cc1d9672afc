"""Allotting money down the tree, booking own funds, and writing the work ledger.

Money comes to a union's budget line from its own funds (:func:`fund_from_own`) or from a higher union's line
(:func:`allot`), which must have it: ``fund_from_own`` for the province first, then ``allot`` to the cities. Both are
idempotent by ``key``: a second time is refused with a sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.audit.services import Actor, record
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db
from core.ledger import budgets
from core.ledger.chart import BANK, GRANTS_TO_LOWER, HIGHER_GRANTS, OWN_FUNDS
from core.ledger.models import Activity, ActivityTemplate, Allotment
from core.ledger.posting import Posting, post_entries
from core.money import split_by_weight
from core.org.models import Org
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.users.access import require, today
from core.users.models import User


@dataclass(frozen=True)
class Share:
    """One receiver of an allotment and its weight, for example the number on file."""

    org_id: int
    weight: int


def allot(
    actor: User,
    program_year: ProgramYear,
    *,
    key: str,
    giver: Org,
    shares: Sequence[Share],
    amount_fen: int,
    effective_on: date,
    description: str,
) -> list[Allotment]:
    """Share ``amount_fen`` of the giver's budget line out by weight, exact to the fen (largest remainder).

    Posts one entry for the giver and one for each receiver, and raises the receivers' lines. Raises :class:`Refused`
    if ``key`` was used before, if the giver's line has too little free, or if a receiver is not below the giver.
    """
    require(actor, "ledger.allot", giver.path, program_year.program)
    _refuse_closed(program_year)
    _refuse_future(effective_on)
    _refuse_repeated(program_year, key)
    receivers = _receivers(giver, shares)
    amounts = _split(amount_fen, shares)
    budgets.open_lines(program_year, {org_id: org.path for org_id, org in receivers.items()})
    budgets.spend_free(program_year.id, giver.id, amount_fen)
    budgets.add(program_year.id, amounts)

    def posting(org: Org, legs: Sequence[tuple[str, int]]) -> Posting:
        return _posting(program_year, "allotment", _("Allotment"), key, org, legs, effective_on, description)

    given = [posting(giver, [(GRANTS_TO_LOWER, amount_fen), (BANK, -amount_fen)])]
    taken = [posting(receivers[i], [(BANK, fen), (HIGHER_GRANTS, -fen)]) for i, fen in amounts.items()]
    entries = post_entries(actor, given + taken)[1:]
    weights = {share.org_id: share.weight for share in shares}
    allotments = [
        Allotment(
            program_year_id=program_year.id,
            key=key,
            org_id=entry.org_id,
            org_path=entry.org_path,
            from_org_id=giver.id,
            weight=weights[entry.org_id],
            amount_fen=amounts[entry.org_id],
            entry_id=entry.id,
        )
        for entry in entries
    ]
    db.session.add_all(allotments)
    record(actor, "ledger.allot", f"program_year:{program_year.id}", giver.path, key=key, amount_fen=amount_fen)
    db.session.commit()
    return allotments


def fund_from_own(
    actor: User,
    program_year: ProgramYear,
    *,
    key: str,
    amounts: Mapping[int, int],
    effective_on: date,
    description: str,
) -> list[Allotment]:
    """Book what unions give from their own funds (org id -> fen, positive), and raise their budget lines by it.

    Raises :class:`Refused` if ``key`` was used before, :class:`core.errors.NotFound` for an unknown union.
    """
    _refuse_closed(program_year)
    _refuse_future(effective_on)
    _refuse_repeated(program_year, key)
    orgs = {org.id: org for org in db.session.scalars(select(Org).where(Org.id.in_(list(amounts))))}
    for org_id, fen in amounts.items():
        if org_id not in orgs:
            raise NotFound(_("There is no such union."))
        require(actor, "ledger.allot", orgs[org_id].path, program_year.program)
        if fen <= 0:
            raise ZhijiaError(_("The amount of %(org)s must be more than nothing.", org=orgs[org_id].name))
    budgets.open_lines(program_year, {org.id: org.path for org in orgs.values()})
    budgets.add(program_year.id, amounts)
    postings = [
        _posting(
            program_year,
            "own_funds",
            _("Own funds"),
            key,
            orgs[org_id],
            [(BANK, fen), (OWN_FUNDS, -fen)],
            effective_on,
            description,
        )
        for org_id, fen in sorted(amounts.items())
    ]
    allotments = [
        Allotment(
            program_year_id=program_year.id,
            key=key,
            org_id=entry.org_id,
            org_path=entry.org_path,
            from_org_id=None,
            weight=1,
            amount_fen=amounts[entry.org_id],
            entry_id=entry.id,
        )
        for entry in post_entries(actor, postings)
    ]
    db.session.add_all(allotments)
    total = sum(amounts.values())
    record(actor, "ledger.fund", f"program_year:{program_year.id}", program_year.org_path, key=key, amount_fen=total)
    db.session.commit()
    return allotments


def add_activity(
    actor: Actor,
    template: ActivityTemplate,
    org: Org,
    *,
    program_year_id: int | None,
    held_on: date,
    data: Mapping[str, Any],
    scope: str,
    key: str,
    entry_id: int | None = None,
) -> Activity:
    """Add a line to the work ledger, in the caller's transaction. Raises :class:`ZhijiaError` naming the column."""
    known = {column["key"]: column for column in template.columns}
    for name in data:
        if name not in known:
            raise ZhijiaError(_("This ledger has no column “%(name)s”.", name=name))
    for name, column in known.items():
        if column["required"] and not str(data.get(name, "")).strip():
            raise ZhijiaError(_("“%(column)s” must be filled in.", column=column["zh"]), field=name)
    activity = Activity(
        template=template.code,
        org_id=org.id,
        org_path=org.path,
        program_year_id=program_year_id,
        held_on=held_on,
        data=dict(data),
        scope=scope,
        key=key,
        entry_id=entry_id,
        user_id=actor.id,
    )
    db.session.add(activity)
    return activity


def record_activity(
    actor: User,
    template: ActivityTemplate,
    org: Org,
    *,
    program_year: ProgramYear | None,
    held_on: date,
    data: Mapping[str, str],
    key: str,
) -> Activity:
    """Write a line of the work ledger by hand, for what no run and no plugin writes. ``key`` is one per line.

    Raises :class:`Refused` for a day in the future, a program that is not open or not this union's, or a ``key`` that
    was used before (a form sent twice); :class:`ZhijiaError` naming the column that is wrong.
    """
    require(actor, "ledger.record", org.path, program_year.program if program_year else None)
    if held_on > today():
        raise ZhijiaError(_("The work ledger holds what was done; this day lies in the future."), field="held_on")
    if program_year is not None:
        _refuse_foreign(program_year, org)
    values = {name: text.strip() for name, text in data.items() if text.strip()}
    activity = add_activity(
        actor,
        template,
        org,
        program_year_id=program_year.id if program_year else None,
        held_on=held_on,
        data=values,
        scope="hand",
        key=f"{actor.id}:{key}",
    )
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Refused(_("This line is in the work ledger already.")) from error
    record(actor, "ledger.record", f"activity:{activity.id}", org.path, template=template.code)
    db.session.commit()
    return activity


def _refuse_foreign(program_year: ProgramYear, org: Org) -> None:
    if state_of(program_year) != "open":
        raise Refused(_("The program is not open; nothing can be added to its work ledger."), field="program_year")
    below = (org.path, org.industry_path or "")
    if not any(path.startswith(program_year.org_path) for path in below):
        raise Refused(_("The sponsor of the program has no such union."), field="org_code")


def _posting(
    program_year: ProgramYear,
    kind: str,
    title: str,
    key: str,
    org: Org,
    legs: Sequence[tuple[str, int]],
    effective_on: date,
    description: str,
) -> Posting:
    return Posting(
        scope=kind,
        key=f"{program_year.id}:{key}:{org.id}",
        kind=kind,
        title=title,
        description=description,
        org_id=org.id,
        org_path=org.path,
        program_year_id=program_year.id,
        effective_on=effective_on,
        legs=legs,
    )


def _receivers(giver: Org, shares: Sequence[Share]) -> dict[int, Org]:
    ids = [share.org_id for share in shares]
    orgs = {org.id: org for org in db.session.scalars(select(Org).where(Org.id.in_(ids)))}
    if len(orgs) != len(shares):
        raise NotFound(_("There is no such union, or one is named twice."))
    for org in orgs.values():
        if org.id == giver.id or not org.path.startswith(giver.path):
            raise Refused(_("%(org)s is not below %(giver)s.", org=org.name, giver=giver.name))
    return orgs


def _split(amount_fen: int, shares: Sequence[Share]) -> dict[int, int]:
    if amount_fen <= 0:
        raise ZhijiaError(_("The amount must be more than nothing."), field="amount")
    if not shares or sum(share.weight for share in shares) <= 0 or min(share.weight for share in shares) < 0:
        raise Refused(_("There is nobody to share the money out to."))
    ordered = sorted(shares, key=lambda share: share.org_id)
    parts = split_by_weight(amount_fen, [share.weight for share in ordered])
    return {share.org_id: part for share, part in zip(ordered, parts, strict=True) if part}


def _refuse_closed(program_year: ProgramYear) -> None:
    if state_of(program_year) != "open":
        raise Refused(_("The program is not open; no money can be booked."))


def _refuse_future(day: date) -> None:
    if day > today():
        raise Refused(_("The day of posting lies in the future."), field="effective_on")


def _refuse_repeated(program_year: ProgramYear, key: str) -> None:
    if db.session.scalar(
        select(Allotment.id).where(Allotment.program_year_id == program_year.id, Allotment.key == key).limit(1)
    ):
        raise Refused(_("This money has been booked already."))
