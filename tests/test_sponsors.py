"""The province and an industry union run one program in one year: settings, pages, records and money stay apart."""

from datetime import date

import pytest
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.disbursements import services
from core.disbursements.models import Payment, RunChunk
from core.errors import Forbidden, NotFound
from core.extensions import db
from core.ledger.allotting import fund_from_own
from core.org.models import Org
from core.programs.models import ProgramYear
from core.programs.queries import visible_to
from core.programs.services import enable
from core.users.testing import AsUser, MakeUser
from tests.disbursements.conftest import Campaign, add_people, campaign, plugins

__all__ = ["campaign", "plugins"]
pytestmark = pytest.mark.services


@pytest.fixture
def transport(campaign: Campaign) -> ProgramYear:
    """The transport union runs the program beside the province, with twenty yuan for each of its workers."""
    add_people(campaign.orgs["610102-bus"], 3, first=40)
    add_people(campaign.orgs["61-transport"], 1, first=50)
    return enable(
        SYSTEM, "aid", 2014, campaign.orgs["61-transport"], opens_on=date(2014, 1, 1),
        settings={"each": 2_000, "notice_working_days": 0},
    )  # fmt: skip


@pytest.fixture
def of_transport(campaign: Campaign, transport: ProgramYear, make_user: MakeUser) -> Campaign:
    """Those of the transport union who act on its runs."""
    users = {role: make_user(role, "61-transport") for role in ("clerk", "reviewer", "finance")}
    return Campaign(year=transport, orgs=campaign.orgs, run_jobs=campaign.run_jobs, **users)


def test_each_has_its_own_settings(campaign: Campaign, transport: ProgramYear) -> None:
    assert (campaign.year.settings["pool"], campaign.year.settings["each"]) == (10_000, 0)
    assert (transport.settings["pool"], transport.settings["each"]) == (0, 2_000)


@pytest.mark.parametrize(
    ("where", "sponsors"),
    [
        ("61", {"61", "61-transport"}),  # the province's own grant covers the industry unions below it
        ("61-transport", {"61", "61-transport"}),
        ("610102-bus", {"61", "61-transport"}),  # its union in the region and its union in the industry
        ("610102", {"61"}),
        ("6101", {"61"}),
    ],
)
def test_who_sees_which(
    campaign: Campaign, transport: ProgramYear, make_user: MakeUser, as_user: AsUser, where: str, sponsors: set[str]
) -> None:
    user = make_user("clerk", where)
    assert {org.code for _year, org in visible_to(user)} == sponsors
    browser = as_user(user)
    for code in ("61", "61-transport"):
        assert browser.get(f"/2014/{code}/aid/").status_code == (200 if code in sponsors else 404)


def test_an_industry_union_pays_its_units_wherever_they_lie(of_transport: Campaign, small_tree: dict[str, Org]) -> None:
    fund_from_own(
        of_transport.finance, of_transport.year, key="own", amounts={small_tree["61-transport"].id: 8_000},
        effective_on=date(2014, 1, 1), description="自筹",
    )  # fmt: skip
    run = of_transport.computed(org="61-transport")
    assert (run.state, run.candidates, run.paid, run.total_fen) == ("computed", 4, 4, 8_000)
    chunks = db.session.execute(select(RunChunk.org_path, RunChunk.paid).where(RunChunk.run_id == run.id)).all()
    assert chunks == [("/61/61-transport/", 4)]
    units = select(Payment.org_path).where(Payment.run_id == run.id).distinct().order_by(Payment.org_path)
    assert list(db.session.scalars(units)) == ["/61/61-transport/", "/61/6101/610102/610102-bus/"]


def test_nobody_of_the_region_is_paid_by_the_industry_nor_the_other_way_round(
    campaign: Campaign, of_transport: Campaign, small_tree: dict[str, Org]
) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.computed(org="6101")
    paths = set(db.session.scalars(select(Payment.org_path).where(Payment.run_id == run.id)))
    assert "/61/6101/610102/610102-bus/" in paths  # it lies in the city as well: the region may pay it
    assert "/61/61-transport/" not in paths
    assert all(path.startswith("/61/6101/") for path in paths)


def test_a_run_of_one_is_not_at_the_address_of_the_other(
    campaign: Campaign, of_transport: Campaign, as_user: AsUser
) -> None:
    run = of_transport.draft(org="61-transport")
    browser = as_user("clerk")
    assert browser.get(f"/2014/61-transport/aid/runs/{run.id}").status_code == 200
    for address in (f"/2014/61/aid/runs/{run.id}", f"/2014/61/aid/runs/{run.id}/payments"):
        assert browser.get(address).status_code == 404
    assert run.title not in browser.get("/2014/61/aid/runs/").text
    assert as_user("clerk", "6101").get(f"/2014/61-transport/aid/runs/{run.id}").status_code == 404


def test_an_industry_union_makes_no_run_in_the_region(campaign: Campaign, of_transport: Campaign) -> None:
    city = of_transport.orgs["6101"]
    with pytest.raises(Forbidden):
        services.create_run(of_transport.clerk, of_transport.year, "aid.everybody", "越界", city)
    with pytest.raises(NotFound):  # nor by somebody of the province, who may make runs in both
        services.create_run(campaign.clerk, of_transport.year, "aid.everybody", "越界", city)
