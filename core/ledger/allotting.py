"""Money on its way down the tree: own funds, allotments, and what is taken back of either.

Money comes to a union's budget line from its own funds (:func:`fund_from_own`) or from a higher union's line of the
same source (:func:`allot`), which must have it. :func:`take_back` undoes either, wholly or in part. All are idempotent
by ``key``: the same once more gives what was booked, anything else under the key is refused.

Locks are taken in one order: the key, budget lines by id, then what posting locks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import func, select

from core.audit.services import record
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db
from core.ledger import budgets
from core.ledger.chart import BANK, GRANTS_TO_LOWER, HIGHER_GRANTS, INCOME
from core.ledger.models import UNION_FUNDS, Allotment, Entry
from core.ledger.posting import Posting, post_entries
from core.ledger.services import Telling, tell_of_entries
from core.money import split_by_weight, yuan
from core.org.models import Org
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.users.access import require, today
from core.users.models import User
from core.wall import beyond_scope

ALLOT = "ledger.allot"
#: Receivers of one booking; each is an entry of its own, which takes a moment.
MOST_RECEIVERS = 3_000


@dataclass(frozen=True)
class Share:
    """One receiver of an allotment and its weight: the number on file, points, or its fen where all are given."""

    org_id: int
    weight: int


@dataclass(frozen=True, kw_only=True)
class _Booking:
    """What all rows and entries of one booking have in common. ``amounts`` is receiver -> fen.

    ``takes_back`` is receiver -> the allotment of which it gives back.
    """

    program_year: ProgramYear
    kind: str
    title: str
    key: str
    source: str
    effective_on: date
    description: str
    giver: Org | None
    receivers: Mapping[int, Org]
    amounts: Mapping[int, int]
    weights: Mapping[int, int]
    takes_back: Mapping[int, int] = field(default_factory=dict)


def share_out(amount_fen: int, shares: Sequence[Share]) -> dict[int, int]:
    """What each receiver (org id) gets of a sum in fen, exact by the largest remainder; who gets nothing is left out.

    Ties go to the smaller org id. Raises :class:`ZhijiaError` for no sum, :class:`Refused` for weights without one.
    """
    if amount_fen <= 0:
        raise ZhijiaError(_("The amount must be more than nothing."), field="amount")
    if not shares or sum(share.weight for share in shares) <= 0 or min(share.weight for share in shares) < 0:
        raise Refused(_("There is nobody to share the money out to."))
    ordered = sorted(shares, key=lambda share: share.org_id)
    parts = split_by_weight(amount_fen, [share.weight for share in ordered])
    return {share.org_id: part for share, part in zip(ordered, parts, strict=True) if part}


@beyond_scope("ledger.allot")
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
    source: str = UNION_FUNDS,
) -> list[Allotment]:
    """Share ``amount_fen`` of the giver's budget line out by weight, exact to the fen (largest remainder).

    Receivers are unions of any level below the giver. Posts one entry for the giver and one for each receiver, and
    raises the receivers' lines of the same ``source``. Raises :class:`Refused` if ``key`` was used for something else,
    if the giver's line has too little free, or if a receiver is not below the giver.
    """
    require(actor, ALLOT, giver.path, program_year.program)
    booking = _Booking(
        program_year=program_year,
        kind="allotment",
        title=_("Allotment"),
        key=key,
        source=known_source(source),
        effective_on=effective_on,
        description=description,
        giver=giver,
        receivers=_receivers(giver, shares),
        amounts=share_out(amount_fen, shares),
        weights={share.org_id: share.weight for share in shares},
    )
    return _give(actor, booking, "ledger.allot")


@beyond_scope("ledger.allot")
def fund_from_own(
    actor: User,
    program_year: ProgramYear,
    *,
    key: str,
    amounts: Mapping[int, int],
    effective_on: date,
    description: str,
    source: str = UNION_FUNDS,
) -> list[Allotment]:
    """Book what unions bring in themselves (org id -> fen, positive) of a source, and raise their budget lines by it.

    Raises :class:`Refused` if ``key`` was used for something else, :class:`core.errors.NotFound` for an unknown union.
    """
    orgs = {org.id: org for org in db.session.scalars(select(Org).where(Org.id.in_(list(amounts))))}
    for org_id, fen in amounts.items():
        if org_id not in orgs:
            raise NotFound(_("There is no such union."))
        require(actor, ALLOT, orgs[org_id].path, program_year.program)
        if fen <= 0:
            raise ZhijiaError(_("The amount of %(org)s must be more than nothing.", org=orgs[org_id].name))
    booking = _Booking(
        program_year=program_year,
        kind="own_funds",
        title=_("Own funds"),
        key=key,
        source=known_source(source),
        effective_on=effective_on,
        description=description,
        giver=None,
        receivers=orgs,
        amounts=dict(sorted(amounts.items())),
        weights=dict.fromkeys(amounts, 1),
    )
    return _give(actor, booking, "ledger.fund")


@beyond_scope("ledger.allot")
def take_back(
    actor: User,
    program_year: ProgramYear,
    *,
    key: str,
    amounts: Mapping[int, int],
    effective_on: date,
    description: str,
) -> list[Allotment]:
    """Take back (收回) part or all of what one booking gave: allotment id -> fen, out of what is free there.

    For who may allot from the giver's line; own funds are withdrawn by who may book them. Posts entries of both unions
    with debit and credit swapped. Raises :class:`Refused` where more is asked for than was given or is free, or if
    ``key`` was used for something else; :class:`core.errors.NotFound` for an unknown allotment.
    """
    given = _given(program_year, amounts)
    first = given[0]
    receivers = {org.id: org for org in db.session.scalars(select(Org).where(Org.id.in_([a.org_id for a in given])))}
    giver = db.session.get_one(Org, first.from_org_id) if first.from_org_id else None
    for path in [giver.path] if giver else [org.path for org in receivers.values()]:
        require(actor, ALLOT, path, program_year.program)
    if min(amounts.values()) <= 0:
        raise ZhijiaError(_("The amount must be more than nothing."), field="amount")
    booking = _Booking(
        program_year=program_year,
        kind="taken_back",
        title=_("Money taken back"),
        key=key,
        source=first.source,
        effective_on=effective_on,
        description=description,
        giver=giver,
        receivers=receivers,
        amounts={allotment.org_id: amounts[allotment.id] for allotment in given},
        weights=dict.fromkeys(receivers, 1),
        takes_back={allotment.org_id: allotment.id for allotment in given},
    )
    if stored := _stored(booking):
        return stored
    _refuse_day(booking)
    budgets.locked_lines(program_year.id, [*receivers, *([giver.id] if giver else [])], first.source)
    _refuse_more_than_given(booking, given)
    budgets.take_back(program_year.id, giver.id if giver else None, booking.amounts, first.source)
    return _book(actor, booking, "ledger.take_back")


def known_source(source: str) -> str:
    """The source, if there is one of this name. Raises :class:`ZhijiaError`."""
    if source not in INCOME:
        raise ZhijiaError(_("There is no source of money “%(source)s”.", source=source), field="source")
    return source


def _receivers(giver: Org, shares: Sequence[Share]) -> dict[int, Org]:
    if len(shares) > MOST_RECEIVERS:
        raise Refused(
            _("These are more than %(most)s unions; allot to a higher level, which passes it on.", most=MOST_RECEIVERS)
        )
    ids = [share.org_id for share in shares]
    orgs = {org.id: org for org in db.session.scalars(select(Org).where(Org.id.in_(ids)))}
    if len(orgs) != len(shares):
        raise NotFound(_("There is no such union, or one is named twice."))
    for org in orgs.values():
        if org.id == giver.id or not org.path.startswith(giver.path):
            raise Refused(_("%(org)s is not below %(giver)s.", org=org.name, giver=giver.name))
        if not org.active:
            raise Refused(_("%(org)s is no longer active.", org=org.name))
    return orgs


def _given(program_year: ProgramYear, amounts: Mapping[int, int]) -> list[Allotment]:
    """The allotments, by union; all of one booking."""
    found = db.session.scalars(
        select(Allotment)
        .where(
            Allotment.id.in_(list(amounts)),
            Allotment.program_year_id == program_year.id,
            Allotment.takes_back.is_(None),
        )
        .order_by(Allotment.org_id)
    ).all()
    if not found or len(found) != len(amounts):
        raise NotFound(_("There is no such booking."))
    if len({allotment.key for allotment in found}) > 1:
        raise Refused(_("Take back of one booking at a time."))
    return list(found)


def _refuse_more_than_given(booking: _Booking, given: Sequence[Allotment]) -> None:
    ids = [allotment.id for allotment in given]
    sums = select(Allotment.takes_back, func.sum(Allotment.amount_fen)).where(Allotment.takes_back.in_(ids))
    taken = dict(db.session.execute(sums.group_by(Allotment.takes_back)).all())
    for allotment in given:
        left = allotment.amount_fen - int(taken.get(allotment.id, 0))
        if booking.amounts[allotment.org_id] > left:
            org = booking.receivers[allotment.org_id].name
            raise Refused(
                _("Of what %(org)s was given only %(left)s yuan can still be taken back.", org=org, left=yuan(left))
            )
    begun = db.session.scalar(select(func.max(Entry.effective_on)).where(Entry.id.in_([a.entry_id for a in given])))
    if begun is not None and booking.effective_on < begun:
        raise Refused(_("The money was given on %(day)s, not before.", day=begun.isoformat()), field="effective_on")


def _give(actor: User, booking: _Booking, action: str) -> list[Allotment]:
    """Raise the receivers' lines, out of what is free on the giver's if there is one, unless the key did so before."""
    if stored := _stored(booking):
        return stored
    _refuse_day(booking)
    program_year, giver_id = booking.program_year, booking.giver.id if booking.giver else None
    budgets.open_lines(program_year, {i: booking.receivers[i].path for i in booking.amounts}, booking.source)
    budgets.give(program_year.id, giver_id, booking.amounts, booking.source)
    return _book(actor, booking, action)


def _stored(booking: _Booking) -> list[Allotment]:
    """What the key booked before, by union; nothing for a new key. Raises :class:`Refused` if it was something else.

    Until the end of the transaction nobody else books under this key.
    """
    year_id, key = booking.program_year.id, booking.key
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"allotment:{year_id}:{key}", 0))))
    rows = db.session.execute(
        select(Allotment, Entry.effective_on, Entry.description)
        .join(Entry, Entry.id == Allotment.entry_id)
        .where(Allotment.program_year_id == year_id, Allotment.key == key)
        .order_by(Allotment.org_id)
    ).all()
    if not rows:
        return []
    giver_id = booking.giver.id if booking.giver else None
    about = booking.effective_on, booking.description
    said = {
        (org_id, giver_id, booking.source, fen, booking.takes_back.get(org_id), *about)
        for org_id, fen in booking.amounts.items()
    }
    known = {(a.org_id, a.from_org_id, a.source, a.amount_fen, a.takes_back, day, text) for a, day, text in rows}
    if said != known:
        raise Refused(_("Another booking has been made under this key already; look at the bookings."))
    return [row[0] for row in rows]


def _refuse_day(booking: _Booking) -> None:
    if state_of(booking.program_year) != "open":
        raise Refused(_("The program is not open; no money can be booked."))
    if booking.effective_on > today():
        raise Refused(_("The day of posting lies in the future."), field="effective_on")


def _book(actor: User, booking: _Booking, action: str) -> list[Allotment]:
    """Post the entries, add the rows and the audit line, and commit."""
    posted = post_entries(actor, _postings(booking))
    entries = posted[1 if booking.giver else 0 :]
    allotments = [
        Allotment(
            program_year_id=booking.program_year.id,
            key=booking.key,
            org_id=entry.org_id,
            org_path=entry.org_path,
            from_org_id=booking.giver.id if booking.giver else None,
            source=booking.source,
            weight=booking.weights[entry.org_id],
            amount_fen=booking.amounts[entry.org_id],
            entry_id=entry.id,
            takes_back=booking.takes_back.get(entry.org_id),
        )
        for entry in entries
    ]
    db.session.add_all(allotments)
    _tell(actor, booking, posted)
    path = booking.giver.path if booking.giver else booking.program_year.org_path
    about = {"key": booking.key, "source": booking.source, "amount_fen": sum(booking.amounts.values())}
    record(actor, action, f"program_year:{booking.program_year.id}", path, **about)
    db.session.commit()
    return allotments


def _tell(actor: User, booking: _Booking, entries: Sequence[Entry]) -> None:
    """A line of the work ledger for each union's entry."""
    deed = {"allotment": "下拨", "own_funds": "自筹", "taken_back": "收回"}[booking.kind]
    whole, count = sum(booking.amounts.values()), len(booking.amounts)
    tellings = []
    for entry in entries:
        if booking.giver and entry.org_id == booking.giver.id:
            org, result = booking.giver, f"{deed}下级工会 {count} 家，{yuan(whole)} 元"
        else:
            org, result = booking.receivers[entry.org_id], f"{deed} {yuan(booking.amounts[entry.org_id])} 元"
            if booking.giver:
                result = f"{booking.giver.name}{result}"
        tellings.append(Telling(entry, org, f"经费{deed}", result))
    tell_of_entries(actor, tellings)


def _postings(booking: _Booking) -> list[Posting]:
    """The giver's entry, if there is a giver, then one for each receiver; swapped where money is taken back."""
    income = HIGHER_GRANTS if booking.giver else INCOME[booking.source]
    found = [_posting(booking, booking.receivers[i], BANK, income, fen) for i, fen in booking.amounts.items()]
    if booking.giver:
        found.insert(0, _posting(booking, booking.giver, GRANTS_TO_LOWER, BANK, sum(booking.amounts.values())))
    return found


def _posting(booking: _Booking, org: Org, debit: str, credit: str, fen: int) -> Posting:
    if booking.takes_back:
        debit, credit = credit, debit
    return Posting(
        scope=booking.kind,
        key=f"{booking.program_year.id}:{booking.key}:{org.id}",
        kind=booking.kind,
        title=booking.title,
        description=booking.description,
        org_id=org.id,
        org_path=org.path,
        program_year_id=booking.program_year.id,
        effective_on=booking.effective_on,
        legs=[(debit, fen), (credit, -fen)],
    )
