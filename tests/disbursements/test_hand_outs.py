"""Cash and goods: the list, the two people, who did not come, and when the run is settled."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.disbursements import payout
from core.disbursements.banking import queries
from core.disbursements.banking.handing import confirm, hand_out
from core.disbursements.banking.models import HandOut, PaymentResult
from core.disbursements.banking.references import reference_of
from core.disbursements.models import Run
from core.disbursements.verify_all import checks
from core.errors import Forbidden, Refused, ZhijiaError
from core.extensions import db
from core.ledger.models import Entry
from core.plugin.hooks import year_blockers
from core.users.access import today
from core.users.models import User
from core.users.testing import AsUser, MakeUser
from tests.disbursements.banking import payments, sent
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
CITIES = ("6101", "6102", "6111")


@pytest.fixture
def run(campaign: Campaign) -> Run:
    """A posted run of cash."""
    campaign.fund(10_000, *CITIES)
    run = campaign.approved(scheme="aid.cash")
    payout.post(campaign.finance, run, today())
    return run


@pytest.fixture
def other(make_user: MakeUser) -> User:
    """Somebody else who posts."""
    return make_user("finance")


def test_no_bank_is_asked(campaign: Campaign, run: Run) -> None:
    with pytest.raises(Refused):
        payout.start_bank_files(campaign.finance, run)


def test_said_by_one_confirmed_by_another_and_settled_when_all_are(campaign: Campaign, run: Run, other: User) -> None:
    first = payments(run)[0]
    assert [item.step for item in year_blockers(campaign.year)] == ["close"]
    for code in CITIES:
        org = campaign.orgs[code]
        absent = reference_of(run.id, first.payee_id) if code == "6101" else ""
        hand_out(campaign.finance, run, org, today(), absent)
        assert db.session.scalars(select(PaymentResult).where(PaymentResult.state == "failed")).all() == [] or (
            code != "6101"
        )
        confirm(other, run, org)
    db.session.expire_all()
    assert run.state == "settled"
    assert year_blockers(campaign.year) == []
    missed = db.session.get_one(PaymentResult, (run.id, first.payee_id))
    assert (missed.state, missed.reason, missed.on_day) == ("failed", "未到场领取", today())
    assert [line.returned for line in payments(run)] == [True, *[False] * 6]
    entry = db.session.scalars(select(Entry).where(Entry.scope == "run-return")).one()
    assert [leg.amount_fen for leg in entry.legs] == [1429, -1429]
    assert [found.sentence for found in checks()] == []


@pytest.mark.as_owner
def test_nobody_confirms_their_own_word_nor_the_maker_of_the_run(
    campaign: Campaign, run: Run, other: User, make_user: MakeUser
) -> None:
    org = campaign.orgs["6101"]
    with pytest.raises(Refused):
        confirm(other, run, org)
    hand_out(campaign.finance, run, org, today(), "")
    with pytest.raises(Refused):
        confirm(campaign.finance, run, org)
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("UPDATE core_run SET created_by = :user"), {"user": other.id})
    db.session.commit()
    with pytest.raises(Refused):
        confirm(other, run, org)
    for stranger in (campaign.clerk, make_user("finance", "6102")):
        with pytest.raises(Forbidden):
            hand_out(stranger, run, org, today(), "")
        with pytest.raises(Forbidden):
            confirm(stranger, run, org)
    assert db.session.scalars(select(PaymentResult)).all() == []
    with pytest.raises(IntegrityError):
        db.session.execute(text("UPDATE core_hand_out SET confirmed_by = recorded_by, confirmed_at = now()"))
    db.session.rollback()


def test_it_can_be_said_anew_until_it_is_confirmed(campaign: Campaign, run: Run, other: User) -> None:
    org, lines = campaign.orgs["6101"], payments(run)
    hand_out(campaign.finance, run, org, today(), reference_of(run.id, lines[0].payee_id))
    both = "\n".join(reference_of(run.id, line.payee_id) for line in lines[:2])
    one = hand_out(other, run, org, today() - timedelta(days=1), both)
    assert (one.absent, one.recorded_by) == ([lines[0].payee_id, lines[1].payee_id], other.id)
    confirm(campaign.finance, run, org)
    for refused in (lambda: hand_out(other, run, org, today(), ""), lambda: confirm(other, run, org)):
        with pytest.raises(Refused):
            refused()
    db.session.expire_all()
    assert db.session.scalars(select(HandOut.absent)).one() == [lines[0].payee_id, lines[1].payee_id]


@pytest.mark.parametrize("absent", ["R{run}-{elsewhere}", "R999-{here}", "张三", "R{run}-{here}, R{run}-0"])
def test_a_reference_that_is_not_on_the_list_is_refused(campaign: Campaign, run: Run, absent: str) -> None:
    lines = payments(run)
    said = absent.format(run=run.id, here=lines[0].payee_id, elsewhere=lines[-1].payee_id)
    with pytest.raises(ZhijiaError) as refusal:
        hand_out(campaign.finance, run, campaign.orgs["6101"], today(), said)
    assert refusal.value.field == "absent"
    db.session.rollback()
    assert db.session.scalars(select(HandOut)).all() == []


def test_the_day_is_at_most_today_and_the_run_is_posted_and_not_of_a_bank(campaign: Campaign, run: Run) -> None:
    org = campaign.orgs["6101"]
    with pytest.raises(ZhijiaError):
        hand_out(campaign.finance, run, org, today() + timedelta(days=1), "")
    db.session.rollback()
    assert hand_out(campaign.finance, run, org, today(), "").on_day == today()


def test_a_run_of_a_bank_or_one_not_posted_is_not_handed_out(campaign: Campaign) -> None:
    campaign.fund(20_000, *CITIES)
    cash = campaign.approved(scheme="aid.cash", org="6101")
    with pytest.raises(Refused):
        hand_out(campaign.finance, cash, campaign.orgs["6101"], today(), "")
    bank = sent(campaign, org="6102")
    with pytest.raises(Refused):
        hand_out(campaign.finance, bank, campaign.orgs["6102"], today(), "")


def test_goods_are_listed_with_their_number(
    campaign: Campaign, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign.year.settings = {**campaign.year.settings, "pool": 0, "each": 500}
    db.session.commit()
    campaign.fund(10_000, *CITIES)
    run = campaign.approved(scheme="aid.bags")
    payout.post(campaign.finance, run, today())
    address = f"/2014/61/aid/runs/{run.id}/bank/lists"
    page = as_user("leader").get(f"{address}/6101").text
    assert "实物签领表" in page
    assert page.count("<td>　　　　　　</td><td>　　　　</td>") == 4
    assert page.count('<td class="sheet-short">2</td>') == 4
    assert "经手人二" in page
    assert reference_of(run.id, payments(run)[0].payee_id) in page
    assert as_user("leader", "6102").get(f"{address}/6101").status_code == 404
    monkeypatch.setattr(queries, "PART", 3)
    second = as_user("leader").get(f"{address}/6101?part=2").text
    assert second.count("<td>　　　　</td>") == 1
    assert '<td class="sheet-no">4</td>' in second
    for part in ("0", "3"):
        assert as_user("leader").get(f"{address}/6101?part={part}").status_code == 400


def test_the_pages_lead_from_the_list_to_the_settled_run(
    campaign: Campaign, run: Run, other: User, as_user: AsUser
) -> None:
    base = f"/2014/61/aid/runs/{run.id}/bank"
    browser, second = as_user(campaign.finance), as_user(other)
    assert base in browser.get("/").text
    assert browser.get(base.removesuffix("/bank")).text.count("step-item") == 6
    assert f"{base}/lists/6101/handed-out" in browser.get(base).text
    for code in CITIES:
        address = f"{base}/lists/{code}"
        late = {"on_day": (today() + timedelta(days=1)).isoformat(), "absent": ""}
        assert browser.post(f"{address}/handed-out", data=late).status_code == 400
        assert browser.post(f"{address}/handed-out", data={"on_day": "x"}).status_code == 400
        said = {"on_day": today().isoformat(), "absent": ""}
        assert browser.post(f"{address}/handed-out", data=said).status_code == 302
        assert f"{address}/confirm" not in browser.get(f"{address}/handed-out").text
        assert browser.post(f"{address}/confirm").status_code == 409
        assert f"{address}/confirm" in second.get(f"{address}/handed-out").text
        assert second.post(f"{address}/confirm").status_code == 302
    assert run.state == "settled"
    assert base not in browser.get("/").text
    assert f"{base}/follow-up" not in as_user(campaign.clerk).get(base).text
