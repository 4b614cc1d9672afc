"""The follow-up run: whom it pays, by which amounts and accounts, and that no line is in two."""

import pytest
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.disbursements import payout, services
from core.disbursements.banking.following import LEFT, NO_ACCOUNT, follow_up, to_follow
from core.disbursements.models import Exclusion, Payment, Run
from core.disbursements.preview import preview
from core.disbursements.verify_all import checks
from core.errors import Forbidden, Refused
from core.extensions import db
from core.org.scope import Scope
from core.people.merging import merge
from core.people.models import Person
from core.people.secrets import keys
from core.programs.services import change_settings
from core.users.access import today
from core.users.testing import AsUser
from tests.disbursements.banking import as_csv, in_files, payments, row, send_in, sent
from tests.disbursements.conftest import Campaign, add_people

pytestmark = pytest.mark.services


@pytest.fixture
def run(campaign: Campaign) -> Run:
    """Seven payments, of which the first three came back."""
    campaign.fund(10_000, "6101", "6102", "6111")
    run = sent(campaign)
    lines = payments(run)
    send_in(campaign, run, as_csv([*(row(line, "failed") for line in lines[:3]), *map(row, lines[3:])]))
    assert run.state == "settled"
    return run


def computed(campaign: Campaign, draft: Run) -> Run:
    services.start_computing(campaign.clerk, draft)
    campaign.run_jobs()
    db.session.expire_all()
    assert draft.state == "computed", draft.error
    return draft


def assert_sound() -> None:
    found = list(checks())
    assert [finding.sentence for finding in found] == []


def test_it_pays_the_lines_that_came_back_with_the_accounts_of_now(campaign: Campaign, run: Run) -> None:
    failed = payments(run)[:3]
    assert to_follow(run) == 3
    person = db.session.get_one(Person, failed[0].payee_id)
    sealed = keys().seal("bank_account", "6299000000000000001")
    person.bank_account, person.bank_account_digest, person.bank_account_tail = sealed
    other = db.session.get_one(Person, failed[1].payee_id)
    other.bank_account = other.bank_account_digest = other.bank_account_tail = None
    db.session.commit()
    settings = {**campaign.year.settings, "pool": 999}  # the scheme is not asked anew
    change_settings(SYSTEM, campaign.year, settings, version=campaign.year.settings_version)
    draft = follow_up(campaign.clerk, run)
    assert preview(campaign.clerk, draft).paid == 2
    assert (draft.state, draft.follows, draft.item, draft.scheme) == ("draft", run.id, run.item, run.scheme)
    computed(campaign, draft)
    assert {line.payee_id: line.amount_fen for line in payments(draft)} == {
        failed[0].payee_id: failed[0].amount_fen,
        failed[2].payee_id: failed[2].amount_fen,
    }
    assert payments(draft)[0].account_tail == "0001"
    excluded = db.session.scalars(select(Exclusion).where(Exclusion.run_id == draft.id)).one()
    assert (excluded.payee_id, excluded.reason) == (failed[1].payee_id, NO_ACCOUNT)
    services.submit(campaign.clerk, draft)
    services.decide(campaign.reviewer, draft, approve=True, comment="")
    payout.post(campaign.finance, draft, today())
    assert to_follow(run) == 1
    assert_sound()


def test_a_payment_that_came_back_is_paid_to_the_account_that_a_clerk_corrects(
    campaign: Campaign, run: Run, as_user: AsUser
) -> None:
    """By the pages: from the list of what came back to the file of the payee, and on to the follow-up run."""
    line, number = payments(run)[0], "6299000000000000001"
    here, payee = f"/2014/61/aid/runs/{run.id}/bank", f"/people/{line.payee_id}"
    clerk = as_user(campaign.clerk)
    assert f'href="{payee}"' in clerk.get(f"{here}/failed").text
    version = clerk.get(payee).text.partition('name="version" value="')[2].partition('"')[0]
    said = {"version": version, "bank_account": number, "bank_name": "灞桥银行"}
    assert clerk.post(f"{payee}/correct", data=said).status_code == 302
    draft = computed(campaign, follow_up(campaign.clerk, run))
    services.submit(campaign.clerk, draft)
    services.decide(campaign.reviewer, draft, approve=True, comment="")
    payout.post(campaign.finance, draft, today())
    payout.start_bank_files(campaign.finance, draft)
    campaign.run_jobs()
    paid = [text for text in in_files().splitlines() if number in text]
    assert len(paid) == 1
    assert line.payee_name in paid[0]
    assert "灞桥银行" in paid[0]
    send_in(campaign, draft, as_csv(map(row, payments(draft))))
    assert (draft.state, to_follow(run)) == ("settled", 0)
    assert_sound()


def test_only_who_may_open_a_file_is_led_to_it(campaign: Campaign, run: Run, as_user: AsUser) -> None:
    """Of three lines one payee has moved to Tongchuan since; and whoever sees runs of one program sees no files."""
    moved, *others = payments(run)[:3]
    person = db.session.get_one(Person, moved.payee_id)
    person.org_id, person.org_path = campaign.orgs["610202"].id, "/61/6102/610202/"
    db.session.commit()
    here = f"/2014/61/aid/runs/{run.id}/bank/failed"
    page = as_user("clerk", "6101").get(here).text
    assert [f'/people/{line.payee_id}"' in page for line in (moved, *others)] == [False, True, True]
    assert moved.payee_name in page
    page = as_user("clerk", "61", "aid").get(here).text
    assert moved.payee_name in page
    assert "/people/" not in page


def test_a_line_whose_file_was_merged_is_paid_to_the_file_that_counts(campaign: Campaign, run: Run) -> None:
    """Of the three people two turn out to be one, and are paid once."""
    first, second, third = db.session.scalars(
        select(Payment.payee_id).where(Payment.run_id == run.id, Payment.returned).order_by(Payment.payee_id)
    )
    add_people(campaign.orgs["610103"], 1, first=70)
    kept_id = db.session.scalars(select(Person.id).order_by(Person.id.desc()).limit(1)).one()
    for dropped_id in (first, second):
        merge(campaign.clerk, Scope(("/61/",)), kept_id, dropped_id)
    draft = computed(campaign, follow_up(campaign.clerk, run))
    assert sorted(line.payee_id for line in payments(draft)) == [third, kept_id]
    assert to_follow(run) == 0
    assert_sound()


def test_a_line_is_in_one_follow_up_at_a_time(campaign: Campaign, run: Run) -> None:
    draft = follow_up(campaign.clerk, run)
    with pytest.raises(Refused):
        follow_up(campaign.clerk, run)
    computed(campaign, draft)
    assert to_follow(run) == 0
    with pytest.raises(Refused):
        follow_up(campaign.clerk, run)
    services.cancel(campaign.clerk, draft)
    assert to_follow(run) == 3
    assert follow_up(campaign.clerk, run).id != draft.id


def test_what_another_run_has_paid_meanwhile_is_excluded(campaign: Campaign, run: Run) -> None:
    draft = follow_up(campaign.clerk, run)
    campaign.fund(10_000, "6101", key="more")
    assert campaign.computed(org="6101").paid == 3
    assert computed(campaign, draft).paid == 0
    reasons = set(db.session.scalars(select(Exclusion.reason).where(Exclusion.run_id == draft.id)))
    assert reasons == {"already_paid"}


@pytest.mark.usefixtures("english")
def test_whose_union_has_left_the_part_of_the_tree_is_excluded_and_seen(campaign: Campaign, as_user: AsUser) -> None:
    """Three lines of Xi'an came back; of one the county belongs to Tongchuan by now, and nobody is dropped."""
    campaign.fund(10_000, "6101")
    run = sent(campaign, org="6101")
    lines = payments(run)
    send_in(campaign, run, as_csv([row(lines[0]), *(row(line, "failed") for line in lines[1:])]))
    moved = campaign.orgs["610103"]
    moved.path, moved.parent_id = "/61/6102/610103/", campaign.orgs["6102"].id
    db.session.commit()
    draft = follow_up(campaign.clerk, run)
    assert dict(preview(campaign.clerk, draft).reasons) == {LEFT: 1}
    computed(campaign, draft)
    assert (draft.candidates, draft.paid, draft.excluded) == (3, 2, 1)
    excluded = db.session.scalars(select(Exclusion).where(Exclusion.run_id == draft.id)).one()
    assert (excluded.payee_id, excluded.reason, excluded.org_path) == (lines[3].payee_id, LEFT, "/61/6101/")
    page = as_user(campaign.clerk).get(f"/2014/61/aid/runs/{draft.id}/exclusions").text
    assert "秦安10" in page
    assert LEFT not in page  # but its words
    assert_sound()


def test_a_unit_of_the_industry_union_is_paid_again_wherever_it_lies(campaign: Campaign) -> None:
    bus = campaign.orgs["610102-bus"]
    add_people(bus, 1, first=50)
    campaign.fund(10_000, "61-transport")
    run = sent(campaign, org="61-transport")
    send_in(campaign, run, as_csv([row(line, "failed") for line in payments(run)]))
    draft = computed(campaign, follow_up(campaign.clerk, run))
    assert (draft.paid, draft.excluded) == (1, 0)
    bus.industry_path = None
    db.session.commit()
    computed(campaign, draft)
    assert (draft.paid, draft.excluded) == (0, 1)


def test_there_is_none_where_nothing_came_back_or_for_a_stranger(campaign: Campaign, run: Run) -> None:
    with pytest.raises(Forbidden):
        follow_up(campaign.finance, run)
    campaign.year.enabled = False
    db.session.commit()
    with pytest.raises(Refused):
        follow_up(campaign.clerk, run)


def test_a_run_of_which_all_arrived_has_no_follow_up(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = sent(campaign)
    send_in(campaign, run, as_csv(map(row, payments(run))))
    with pytest.raises(Refused):
        follow_up(campaign.clerk, run)
    assert db.session.scalars(select(Payment.payee_id).where(Payment.returned)).all() == []
