"""What the form of a visit offers in a season: its posts, leaders and lots, as far as the reader may spend for them."""

from flask_babel import gettext as _
from sqlalchemy import Select, select

from core.api import Org, ProgramYear, Scope, db, options
from plugins.four_seasons.leaders.models import Leader
from plugins.four_seasons.stock.models import Lot
from plugins.four_seasons.summer.models import Post
from plugins.four_seasons.visits.forms import VisitForm
from plugins.four_seasons.visits.kinds import STOCK_KINDS, WITH_LEADERS, WITH_POSTS
from plugins.four_seasons.words import STOCK_TITLES

#: Rows that a field offers; the page of a lot leads to the form with any other.
MOST = 300


def fit(form: VisitForm, program_year: ProgramYear, scope: Scope) -> None:
    """Leave out the fields that visits of this season do not have, and give the others their choices."""
    program = program_year.program
    if program in STOCK_KINDS:
        form.kind.choices = options(STOCK_TITLES)
        form.lot.choices = _lots(program_year, scope, form.lot.data)
    else:
        _leave_out(form, "lot", "quantity")
    if program in WITH_POSTS:
        form.post.choices = _posts(program_year, scope, form.post.data)
    else:
        _leave_out(form, "post")
    if program in WITH_LEADERS:
        form.leader.choices = _leaders(program_year, scope)
    else:
        _leave_out(form, "leader")


def _leave_out(form: VisitForm, *names: str) -> None:
    for name in names:
        if name in form:
            del form[name]


def _lots(program_year: ProgramYear, scope: Scope, chosen: int | None) -> list[tuple[int | str, str]]:
    """Of which something is left, the newest first, and the one that is chosen already."""
    mine = Lot.program_year_id == program_year.id, Lot.reversal_id.is_(None), scope.covers(Lot.org_path)
    query = (
        select(Lot.id, Lot.goods, Lot.remaining, Lot.measure, Org.short_name)
        .join(Org, Org.id == Lot.org_id)
        .where(*mine, Lot.remaining > 0)
        .order_by((Lot.id == (chosen or 0)).desc(), Lot.id.desc())
        .limit(MOST)
    )
    found = [
        (number, _("%(goods)s, %(left)s %(measure)s left (%(org)s)", goods=goods, left=left, measure=measure, org=org))
        for number, goods, left, measure, org in db.session.execute(query)
    ]
    return [("", ""), *found]


def _posts(program_year: ProgramYear, scope: Scope, chosen: int | None) -> list[tuple[int | str, str]]:
    """The hottest first, those without a visit before the others."""
    query = (
        select(Post.id, Post.unit, Post.post)
        .where(Post.program_year_id == program_year.id, scope.covers(Post.org_path))
        .order_by((Post.id == (chosen or 0)).desc(), (Post.visits > 0), Post.temperature.desc(), Post.id)
    )
    return _named(query)


def _leaders(program_year: ProgramYear, scope: Scope) -> list[tuple[int | str, str]]:
    query = (
        select(Leader.id, Leader.name, Leader.position)
        .where(Leader.program_year_id == program_year.id, scope.covers(Leader.org_path))
        .order_by(Leader.org_path, Leader.id)
    )
    return _named(query)


def _named(query: Select[int, str, str]) -> list[tuple[int | str, str]]:
    rows = db.session.execute(query.limit(MOST))
    return [("", ""), *((number, f"{first} · {second}") for number, first, second in rows)]
