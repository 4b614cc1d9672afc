"""What is written down of a visit, and whom it concerns: found for the paying union, or refused at the field."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, or_, select, update

from core.api import (
    NotFound,
    Org,
    Payment,
    Person,
    ProgramYear,
    Refused,
    Scope,
    User,
    budgets_of,
    by_code,
    db,
    digest,
    parse_id_number,
    person_id_of,
    scope_of,
    today,
    yuan,
)
from plugins.four_seasons.leaders.models import Leader
from plugins.four_seasons.summer.models import Post
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.words import SPEND


@dataclass(frozen=True, kw_only=True)
class Visited:
    """What is written down of a visit: ``id_number`` of a worker, or the name of a ``unit`` or a ``post_id`` of it.

    It brings ``amount_fen`` of a ``source``, in money or goods, or ``quantity`` from the lot ``lot_id``, which says the
    rest itself. ``again`` says that the worker may have been given something in this year. ``effective_on`` is the day
    of the visit unless given.
    """

    key: str
    org_code: str
    visited_on: date
    party: str
    kind: str = "goods"
    amount_fen: int = 0
    source: str = ""
    id_number: str = ""
    unit: str = ""
    post_id: int | None = None
    leader_id: int | None = None
    gift: str = ""
    lot_id: int | None = None
    quantity: int = 0
    effective_on: date | None = None
    again: bool = False


@dataclass(frozen=True)
class Whom:
    """The paying union, and whom it visits: a worker, or a unit with or without a post; and the leader who went."""

    org: Org
    person: Person | None
    unit: str
    post: Post | None
    leader: Leader | None

    @property
    def described(self) -> str:
        """As both ledgers have it, which name no worker: a name could not be erased there."""
        if self.person:
            return "职工 1 人"
        return f"{self.unit}（{self.post.post}）" if self.post else self.unit


def paying(actor: User, program_year: ProgramYear, code: str) -> Org:
    """The union with this code. Raises :class:`NotFound` unless the actor may spend for it and the sponsor has it."""
    org, scope = by_code(code), scope_of(actor, SPEND, program_year.program)
    if org is None or not scope.includes(org.path) or not org.path.startswith(program_year.org_path):
        raise NotFound(_("The sponsor has no union with this code for which you may spend."), field="org_code")
    return org


def line_of(program_year: ProgramYear, org: Org, source: str) -> int:
    """The number of the union's budget line of this source. Raises :class:`Refused` where it has none."""
    rows = budgets_of(program_year, Scope((org.path,)), source=source)
    line = next((row.line_id for row in rows if row.org.id == org.id), None)
    if line is None:
        raise Refused(_("%(org)s has no budget of this source in this year.", org=org.name), field="source")
    return line


def found(actor: User, program_year: ProgramYear, visited: Visited) -> Whom:
    """Everybody whom a visit concerns. Raises :class:`NotFound` at the field of whoever is not there."""
    if visited.visited_on > today():
        raise Refused(
            _("This day lies in the future; a visit is written down when it was paid."), field="visited_on"
        )  # fmt: skip
    org = paying(actor, program_year, visited.org_code)
    person = _worker(org, visited.id_number) if visited.id_number else None
    post = _post(program_year, org, visited.post_id) if visited.post_id is not None else None
    leader = _leader(program_year, org, visited.leader_id) if visited.leader_id is not None else None
    return Whom(org, person, post.unit if post else visited.unit, post, leader)


def write(program_year: ProgramYear, whom: Whom, visited: Visited, **how: Any) -> Visit:
    """The row of a visit, and its post visited once more, in the caller's transaction; ``how`` says what it was paid
    with.
    """
    visit = Visit(
        program_year_id=program_year.id,
        org_id=whom.org.id,
        org_path=whom.org.path,
        person_id=whom.person.id if whom.person else None,
        unit=whom.unit,
        post_id=whom.post.id if whom.post else None,
        leader_id=whom.leader.id if whom.leader else None,
        visited_on=visited.visited_on,
        party=visited.party,
        **how,
    )
    db.session.add(visit)
    db.session.flush()
    count_post(visit, 1)
    return visit


def count_post(visit: Visit, number: int) -> None:
    """Add to the visits of the post that a visit went to, if it went to one."""
    if visit.post_id is not None:
        db.session.execute(
            update(Post)
            .where(Post.id == visit.post_id)
            .values(visits=Post.visits + number)
            .execution_options(synchronize_session=False)
        )


def refuse_repeated(program_year: ProgramYear, person: Person) -> None:
    """Names the visits of the year that stand, and what runs paid. Whoever asks at the same moment waits."""
    lock = func.hashtextextended(f"four_seasons_visit:{program_year.id}:{person.id}", 0)
    db.session.execute(select(func.pg_advisory_xact_lock(lock)))
    count, fen, last = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Visit.amount_fen), 0), func.max(Visit.visited_on)).where(
            Visit.program_year_id == program_year.id, Visit.person_id == person.id, Visit.undone_on.is_(None)
        )
    ).one()
    files = select(Person.id).where(or_(Person.id == person.id, Person.merged_into_id == person.id))
    paid = db.session.scalars(
        select(func.coalesce(func.sum(Payment.amount_fen), 0)).where(
            Payment.program_year_id == program_year.id, Payment.payee_id.in_(files), ~Payment.returned
        )
    ).one()
    said = []
    if count:
        about = {"count": count, "amount": yuan(int(fen)), "day": last}
        said.append(_("%(count)s visits, %(amount)s yuan, the last on %(day)s", **about))
    if paid:
        said.append(_("%(amount)s yuan by runs", amount=yuan(int(paid))))
    if said:
        raise Refused(
            _("This worker was given something this year already: %(what)s.", what=_("; ").join(said)), field="again"
        )


def _worker(org: Org, typed: str) -> Person:
    """Who is on file with this number at the union or below it."""
    number = digest("id_number", parse_id_number(typed).number)
    person = db.session.scalars(select(Person).where(Person.id == person_id_of(number), Person.active)).one_or_none()
    if person is None or not person.org_path.startswith(org.path):
        sentence = _("Nobody with this identity number is on file at %(org)s or a union below it.", org=org.name)
        raise NotFound(sentence, field="id_number")
    return person


def _post(program_year: ProgramYear, org: Org, post_id: int) -> Post:
    """A post of the year at the union or below it."""
    post = db.session.get(Post, post_id)
    if post is None or post.program_year_id != program_year.id or not post.org_path.startswith(org.path):
        raise NotFound(_("%(org)s and the unions below it have no such post.", org=org.name), field="post")
    return post


def _leader(program_year: ProgramYear, org: Org, leader_id: int) -> Leader:
    """A leader of the union itself: who sees the leader sees the visits that they paid."""
    leader = db.session.get(Leader, leader_id)
    if leader is None or (leader.program_year_id, leader.org_id) != (program_year.id, org.id):
        raise NotFound(_("%(org)s has no such leader in the register.", org=org.name), field="leader")
    return leader
