"""Money for a winter campaign: from the sponsor to the unions that pay, and what those raise themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from core.api import (
    Allotment,
    NotFound,
    Org,
    ProgramYear,
    Refused,
    SchemeContext,
    Scope,
    Share,
    User,
    allot,
    allotments_of,
    budgets_of,
    db,
    fund_from_own,
    paid_before,
    require,
    share_out,
    subtree,
)
from plugins.four_seasons.winter.models import Hardship, Target
from plugins.four_seasons.winter.schemes import WINTER_WARMTH, winter

SPONSOR_KEY = "four_seasons:sponsor"
CITIES_KEY = "four_seasons:cities"
OWN_KEY = "four_seasons:own"


@dataclass(frozen=True)
class UnionShare:
    """One paying union: its number on file, what it weighs, its part of the sponsor's money and its own funds. Fen.

    ``need_fen`` is what a run would pay now to those who are in no run yet; ``missing_fen`` what the budget lacks.
    """

    org: Org
    on_file: int
    weight: int
    given_fen: int
    own_fen: int
    need_fen: int
    missing_fen: int


@dataclass(frozen=True)
class Plan:
    """The shares of every paying union, in the order of their codes, and what was booked already."""

    shares: list[UnionShare]
    amount_fen: int
    is_allotted: bool

    @property
    def on_file(self) -> int:
        """Everybody on the list."""
        return sum(share.on_file for share in self.shares)

    @property
    def given_fen(self) -> int:
        """What the sponsor gives to all of them."""
        return sum(share.given_fen for share in self.shares)

    @property
    def own_fen(self) -> int:
        """What all of them booked from their own funds."""
        return sum(share.own_fen for share in self.shares)

    @property
    def need_fen(self) -> int:
        """What is still to be paid."""
        return sum(share.need_fen for share in self.shares)

    @property
    def missing_fen(self) -> int:
        """What all of them still have to raise."""
        return sum(share.missing_fen for share in self.shares)


def plan(program_year: ProgramYear) -> Plan:
    """What each paying union gets and still lacks, computed from the list and the settings as they are now."""
    payers = _payers(program_year)
    on_file = _by_payer(payers, _numbers(program_year))
    needs = _by_payer(payers, _needs(program_year))
    everywhere = Scope((program_year.org_path,))
    free = {row.org.id: row.free_fen for row in budgets_of(program_year, everywhere, source="union")}
    given, own = _booked(program_year, everywhere)
    amount = int(program_year.settings.get("province_allotment") or 0)
    receivers = [org for org in payers if on_file.get(org.id)]
    weights = _weights(program_year, on_file)
    parts = given or _parts(program_year, receivers, weights, amount)
    shares = [
        UnionShare(
            org,
            on_file[org.id],
            weights.get(org.id, 0),
            parts.get(org.id, 0),
            own.get(org.id, 0),
            needs.get(org.id, 0),
            max(needs.get(org.id, 0) - free.get(org.id, 0), 0),
        )
        for org in sorted(receivers, key=lambda org: org.code)
    ]
    return Plan(shares, amount, bool(given))


def allot_to_unions(actor: User, program_year: ProgramYear, effective_on: date) -> list[Allotment]:
    """Pass the sponsor's money down by the number on the list or by points (``allotted_by``), exact to the fen. Once.

    The sponsor's own money is booked first. Raises :class:`Refused` the second time, and when there is nothing to give
    or nobody to give it to.
    """
    require(actor, "ledger.allot", program_year.org_path, program_year.program)
    current = plan(program_year)
    if current.is_allotted:
        raise Refused(_("The sponsor's money has been allotted already."))
    if not current.amount_fen:
        raise Refused(_("The settings of this year name no amount to allot."))
    sponsor = _sponsor(program_year)
    receivers = [Share(share.org.id, share.weight) for share in current.shares if share.org.id != sponsor.id]
    if not receivers:
        raise Refused(_("There is nobody on the hardship list, so there is no union to allot to."))
    if not any(share.weight for share in current.shares if share.org.id != sponsor.id):
        raise Refused(_("No union has points yet; set them among the targets, or allot by the number on the list."))
    description = _("Winter warmth %(year)s", year=program_year.year)
    if not allotments_of(program_year, Scope((sponsor.path,)), key=SPONSOR_KEY):
        fund_from_own(
            actor,
            program_year,
            key=SPONSOR_KEY,
            amounts={sponsor.id: current.amount_fen},
            effective_on=effective_on,
            description=description,
        )
    return allot(
        actor,
        program_year,
        key=CITIES_KEY,
        giver=sponsor,
        shares=receivers,
        amount_fen=current.amount_fen,
        effective_on=effective_on,
        description=description,
    )


def book_own_funds(actor: User, program_year: ProgramYear, effective_on: date) -> list[Allotment]:
    """Book what each paying union raises itself, so that its budget line covers its list.

    Raises :class:`Refused` while the sponsor has money to allot first, and when nothing is missing.
    """
    require(actor, "ledger.allot", program_year.org_path, program_year.program)
    current = plan(program_year)
    if current.amount_fen and not current.is_allotted:
        raise Refused(_("Allot the sponsor's money first; the unions raise what is then still missing."))
    amounts = {share.org.id: share.missing_fen for share in current.shares if share.missing_fen}
    if not amounts:
        raise Refused(_("The budgets cover the whole list; nothing is missing."))
    given = allotments_of(program_year, Scope((program_year.org_path,)))
    booked = {one.allotment.key for one in given if one.allotment.key.startswith(OWN_KEY)}
    return fund_from_own(
        actor,
        program_year,
        key=f"{OWN_KEY}:{len(booked) + 1}",
        amounts=amounts,
        effective_on=effective_on,
        description=_("Own funds for winter warmth %(year)s", year=program_year.year),
    )


def _booked(program_year: ProgramYear, scope: Scope) -> tuple[dict[int, int], dict[int, int]]:
    """Org id -> fen that came from the sponsor, and org id -> fen of own funds; without what was taken back."""
    given: dict[int, int] = {}
    own: dict[int, int] = {}
    for one in allotments_of(program_year, scope):
        if one.allotment.key == CITIES_KEY:
            given[one.org.id] = one.left_fen
        elif one.allotment.key.startswith(OWN_KEY):
            own[one.org.id] = own.get(one.org.id, 0) + one.left_fen
    return given, own


def _sponsor(program_year: ProgramYear) -> Org:
    sponsor = db.session.get(Org, program_year.org_id)
    if sponsor is None:
        raise NotFound(_("The sponsor of this year is gone."))
    return sponsor


def _payers(program_year: ProgramYear) -> list[Org]:
    """The unions of the paying level below the sponsor, and the sponsor itself for those below none of them."""
    level = program_year.settings.get("paying_level", "city")
    below = db.session.scalars(select(Org).where(Org.level == level, subtree(Org.path, program_year.org_path)))
    found = {org.id: org for org in below}
    return [*found.values(), *([] if program_year.org_id in found else [_sponsor(program_year)])]


def _numbers(program_year: ProgramYear) -> Select[str, int]:
    return (
        select(Hardship.org_path, func.count())
        .where(Hardship.program_year_id == program_year.id)
        .group_by(Hardship.org_path)
    )


def _needs(program_year: ProgramYear) -> Select[str, int]:
    """What the scheme pays by union, as a run over the whole tree would."""
    context = SchemeContext(
        run_id=0,
        item=WINTER_WARMTH.item,
        program_year_id=program_year.id,
        year=program_year.year,
        sponsor_path=program_year.org_path,
        org_path=program_year.org_path,
        settings=program_year.settings,
    )
    named, paid = winter(context).subquery("named"), paid_before(context)
    return (
        select(named.c.org_path, func.sum(named.c.amount_fen))
        .outerjoin(paid, paid.c.payee_id == named.c.payee_id)
        .where(named.c.exclude_reason.is_(None), paid.c.payee_id.is_(None))
        .group_by(named.c.org_path)
    )


def _by_payer(payers: Iterable[Org], sums: Select[str, int]) -> dict[int, int]:
    """Sums by org path, added up to the nearest paying union at or above each. Loops over unions, not people."""
    by_path = {org.path: org.id for org in payers}
    added: dict[int, int] = {}
    for path, number in db.session.execute(sums):
        while path not in by_path and path != "/":
            path = path.rstrip("/").rpartition("/")[0] + "/"
        if path in by_path:
            added[by_path[path]] = added.get(by_path[path], 0) + int(number or 0)
    return added


def _weights(program_year: ProgramYear, on_file: dict[int, int]) -> dict[int, int]:
    """Org id -> what the sponsor's money is shared out by."""
    if program_year.settings.get("allotted_by", "list") == "list":
        return on_file
    rows = db.session.execute(select(Target.org_id, Target.points).where(Target.program_year_id == program_year.id))
    return dict(rows.all())


def _parts(program_year: ProgramYear, receivers: list[Org], weights: dict[int, int], amount: int) -> dict[int, int]:
    shares = [Share(org.id, weights.get(org.id, 0)) for org in receivers if org.id != program_year.org_id]
    return share_out(amount, shares) if amount and any(share.weight for share in shares) else {}
