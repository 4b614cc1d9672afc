"""Both books joined: money that moves writes the work ledger, an entry shows its line, a line its entry."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.disbursements import payout
from core.errors import NotFound
from core.extensions import db
from core.ledger.booking import post
from core.ledger.models import Activity, Entry
from core.ledger.posting import Posting
from core.ledger.services import tell_of_entry
from core.org.models import Org
from core.users.access import today
from core.users.testing import AsUser
from tests.disbursements.conftest import Campaign
from tests.ledger.money import fund, give, take

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]


def told(scope: str) -> dict[str, tuple[str, str]]:
    """Union -> what its line says of the method and the result."""
    rows = db.session.execute(
        select(Org.code, Activity.data, Activity.entry_id, Entry.org_id, Activity.org_id)
        .join(Entry, Entry.id == Activity.entry_id)
        .join(Org, Org.id == Activity.org_id)
        .where(Activity.scope == scope)
    ).all()
    assert all(entry_org == org for *_rest, entry_org, org in rows)
    return {code: (data["method"], data["result"]) for code, data, *_rest in rows}


def test_money_that_is_booked_writes_a_line_for_each_union(campaign: Campaign) -> None:
    fund(campaign, 10_000, "61")
    given = give(campaign, "61", 3_000, "6101", "6102")
    take(campaign, given[0], 500)
    assert told("own_funds") == {"61": ("经费自筹", "自筹 100.00 元")}
    assert told("allotment") == {
        "61": ("经费下拨", "下拨下级工会 2 家，30.00 元"),
        "6101": ("经费下拨", "陕西省总工会下拨 15.00 元"),
        "6102": ("经费下拨", "陕西省总工会下拨 15.00 元"),
    }
    assert told("taken_back") == {
        "61": ("经费收回", "收回下级工会 1 家，5.00 元"),
        "6101": ("经费收回", "陕西省总工会收回 5.00 元"),
    }
    give(campaign, "61", 3_000, "6101", "6102")  # the same once more
    assert len(db.session.scalars(select(Activity)).all()) == len(db.session.scalars(select(Entry)).all())


def test_an_entry_leads_to_its_line_and_its_booking_and_back(campaign: Campaign, as_user: AsUser) -> None:
    fund(campaign, 10_000, "61")
    given = give(campaign, "61", 3_000, "6101", "6102")
    taken = take(campaign, given[1], 500)
    browser = as_user("auditor")
    for entry_id in (given[0].entry_id, given[1].entry_id, taken[0].entry_id):
        line = db.session.scalars(select(Activity).where(Activity.entry_id == entry_id)).one()
        page = browser.get(f"/ledger/entries/{entry_id}").text
        assert f'href="/ledger/activities/{line.id}"' in page
        booking = page.partition("/2014/61/aid/budget/bookings/")[2].partition('"')[0]
        assert browser.get(f"/2014/61/aid/budget/bookings/{booking}").status_code == 200
        assert int(booking) in {row.id for row in given}
        page = browser.get(f"/ledger/activities/{line.id}").text
        assert f'href="/ledger/entries/{entry_id}"' in page
        assert f"/2014/61/aid/budget/bookings/{booking}" in page
    assert f"/ledger/activities/{line.id}" in browser.get("/ledger/activities").text


def test_an_entry_of_a_run_leads_to_the_run(campaign: Campaign, as_user: AsUser) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, today())
    entry = db.session.scalars(select(Entry).where(Entry.scope == "run").limit(1)).one()
    line = db.session.scalars(select(Activity).where(Activity.entry_id == entry.id)).one()
    assert line.data["method"] == "实名制发放，银行转账"
    browser = as_user("auditor")
    for page in (f"/ledger/entries/{entry.id}", f"/ledger/activities/{line.id}"):
        assert f'href="/2014/61/aid/runs/{run.id}"' in browser.get(page).text


def test_a_line_of_another_city_is_not_there(campaign: Campaign, as_user: AsUser) -> None:
    fund(campaign, 10_000, "6101", "6102")
    lines = {line.org_path: line.id for line in db.session.scalars(select(Activity))}
    browser = as_user("finance", "6101")
    assert browser.get(f"/ledger/activities/{lines['/61/6101/']}").status_code == 200
    assert browser.get(f"/ledger/activities/{lines['/61/6102/']}").status_code == 404
    assert browser.get("/ledger/activities/999999").status_code == 404


def test_an_entry_is_told_of_once(posting: Posting, small_tree: dict[str, Org]) -> None:
    entry = post(SYSTEM, posting).entry
    first = tell_of_entry(SYSTEM, entry, small_tree["61"], method="走访", result="走访 3 户")
    db.session.commit()
    assert tell_of_entry(SYSTEM, entry, small_tree["61"], method="走访", result="走访 4 户").id == first.id
    assert first.data["result"] == "走访 3 户"
    assert first.template == "three_services"
    old = post(SYSTEM, replace(posting, key="2", effective_on=date(2012, 5, 1))).entry
    line = tell_of_entry(SYSTEM, old, small_tree["61"], method="走访", result="走访 3 户")
    assert line.template == "field_service"
    assert line.data["matters"] == posting.title
    older = post(SYSTEM, replace(posting, key="3", effective_on=date(2011, 12, 31))).entry
    with pytest.raises(NotFound, match="2011"):
        tell_of_entry(SYSTEM, older, small_tree["61"], method="走访", result="走访 3 户")
