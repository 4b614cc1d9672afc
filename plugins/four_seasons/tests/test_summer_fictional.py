"""The fictional summer comes to the figures of 2014, to the fen, however often it is made."""

from datetime import date

import pytest
from sqlalchemy import func, select

from core.api import SYSTEM, Org, ProgramYear, ReportContext, Scope, db
from core.disbursements.verify_all import verify_all
from core.programs.services import enable
from core.users.testing import MakeUser
from plugins.four_seasons.overview.reports import money
from plugins.four_seasons.summer.fictional import make_year
from plugins.four_seasons.summer.models import Post
from plugins.four_seasons.visits.models import Visit

pytestmark = pytest.mark.services


def test_the_summer_of_2014(summer: ProgramYear, make_user: MakeUser, small_tree: dict[str, Org]) -> None:
    overview = enable(SYSTEM, "four_seasons", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})
    finance = make_user("finance")
    for _again in range(2):
        made = make_year(finance, summer)
        rows = money(ReportContext(program_year=overview, scope=Scope(("/61/",)))).subquery().c
        spent = select(func.sum(rows.spent_fen)).where(rows.season == "summer_coolness")
        assert db.session.scalar(spent) == 20_000_000_00
        assert db.session.scalar(spent.where(rows.level == "province")) == 500_000_00
        counts = select(func.count(), func.count(Visit.post_id), func.count(Visit.lot_id))
        assert db.session.execute(counts).one() == (13 + 2 * made["unions"], 13, made["unions"])
        assert db.session.scalar(select(func.count()).where(Post.visits == 1)) == 13
    assert (made["enterprises"], made["unions"] > 3) == (13, True)
    assert list(verify_all()) == []
