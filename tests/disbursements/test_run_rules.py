"""Rules between runs: one purpose in a period, caps, unions as payees, goods; previews and what has changed."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from core.audit.services import SYSTEM
from core.disbursements import payout, sealing, services
from core.disbursements.differences import Change, changed_lines, changes_of
from core.disbursements.models import Candidate, Exclusion, OrgAccount, Payment, Run, RunChunk, Seal
from core.disbursements.preview import preview
from core.errors import Forbidden
from core.extensions import db
from core.ledger.allotting import fund_from_own
from core.org.scope import Scope
from core.people.models import Person
from core.people.secrets import keys
from core.programs.models import ProgramYear
from core.programs.services import enable
from tests.disbursements.conftest import YEAR, Campaign, add_people
from tests.disbursements.test_compute import CITIES, amounts, held, settle

pytestmark = pytest.mark.services
EVERYWHERE = Scope(("/61/",))
DAY = date(2014, 1, 24)


@pytest.fixture
def again(campaign: Campaign) -> ProgramYear:
    """The other program of the same year, with money of its own; 100 yuan to each."""
    campaign.fund(500_000, *CITIES)
    settings = {"each": 10_000, "notice_working_days": 0}
    year = enable(SYSTEM, "aid_again", YEAR, campaign.orgs["61"], opens_on=date(2014, 1, 1), settings=settings)
    amounts = {campaign.orgs[code].id: 500_000 for code in CITIES}
    fund_from_own(campaign.finance, year, key="own", amounts=amounts, effective_on=date(2014, 1, 1), description="")
    return year


def computed(campaign: Campaign, year: ProgramYear, scheme: str, org: str = "61") -> Run:
    """A run of another year than the campaign's, computed."""
    run = services.create_run(campaign.clerk, year, scheme, "助学", campaign.orgs[org])
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    return run


def excluded(run: Run) -> list[tuple[str, str]]:
    """Why people are not paid, with the note, in order of payee."""
    query = select(Exclusion.reason, Exclusion.note).where(Exclusion.run_id == run.id).order_by(Exclusion.payee_id)
    return [(reason, note) for reason, note in db.session.execute(query)]


def test_who_gets_a_purpose_from_one_program_does_not_get_it_from_another(
    campaign: Campaign, again: ProgramYear
) -> None:
    first = computed(campaign, again, "aid.study_again", "6101")
    second = campaign.computed(scheme="aid.study", title="金秋助学")
    assert (first.paid, first.purpose, first.period) == (4, "study", "2014-autumn")
    assert (second.paid, second.excluded) == (3, 4)
    assert excluded(second) == [("conflict", "助学")] * 4


@pytest.mark.as_owner
def test_another_period_is_no_conflict(campaign: Campaign, again: ProgramYear) -> None:
    computed(campaign, again, "aid.study_again")
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("UPDATE core_payment SET period = '2014-spring'"))
    db.session.commit()
    assert campaign.computed(scheme="aid.study").paid == 7


def test_the_database_refuses_a_purpose_twice_in_a_period(campaign: Campaign, again: ProgramYear) -> None:
    computed(campaign, again, "aid.study_again", "6102")
    second = campaign.computed(scheme="aid.study", org="6101")
    db.session.execute(text("UPDATE core_run SET state = 'computing' WHERE id = :id"), {"id": second.id})
    with pytest.raises(IntegrityError, match="uq_core_payment_payee_purpose"):
        db.session.execute(text(
            "INSERT INTO core_payment (run_id, payee_id, program_year_id, item, chunk_org_id, org_id, org_path,"
            " amount_fen, basis, payee_name, account_tail, purpose, period)"
            " SELECT :run, payee_id, :year, 'study', :chunk, org_id, org_path, 1, '', '', '', purpose, period"
            " FROM core_payment WHERE run_id <> :run LIMIT 1"),
            {"run": second.id, "year": campaign.year.id, "chunk": campaign.orgs["6101"].id})  # fmt: skip
    db.session.rollback()


def test_whoever_was_paid_under_a_merged_file_has_the_purpose_too(campaign: Campaign, again: ProgramYear) -> None:
    first = computed(campaign, again, "aid.study_again", "6111")
    dropped = db.session.scalars(select(Payment.payee_id).where(Payment.run_id == first.id)).one()
    kept = db.session.scalars(select(Person).where(Person.org_path.startswith("/61/6102/")).order_by(Person.id)).first()
    file = db.session.get_one(Person, dropped)
    file.merged_into_id, file.active = kept.id if kept else 0, False
    db.session.commit()
    second = campaign.computed(scheme="aid.study")
    assert sorted(reason for reason, _note in excluded(second)) == ["conflict", "merged"]


@pytest.mark.as_owner
def test_a_returned_line_makes_room_for_another_program(campaign: Campaign, again: ProgramYear) -> None:
    computed(campaign, again, "aid.study_again")
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("UPDATE core_payment SET returned = true"))
    db.session.commit()
    assert campaign.computed(scheme="aid.study").paid == 7


@pytest.mark.parametrize(("cap", "paid"), [(1_999, [999] * 7), (2_000, [1_000] * 7), (2_001, [1_000] * 7)])
def test_what_goes_beyond_the_cap_of_the_program_is_cut(campaign: Campaign, cap: int, paid: list[int]) -> None:
    campaign.fund(100_000, *CITIES)
    settle(campaign, pool=0, each=1_000, cap_program=cap)
    assert amounts(campaign.computed()) == [1_000] * 7
    assert amounts(campaign.computed(scheme="aid.study")) == paid


def test_who_has_reached_the_cap_gets_nothing_and_is_named(campaign: Campaign) -> None:
    campaign.fund(100_000, *CITIES)
    settle(campaign, pool=0, each=1_000, cap_program=1_000)
    campaign.computed(org="6101")
    second = campaign.computed(scheme="aid.study")
    assert (second.paid, excluded(second)) == (3, [("capped", "")] * 4)


def test_the_cap_of_the_year_counts_all_programs_and_no_other_year(campaign: Campaign, again: ProgramYear) -> None:
    computed(campaign, again, "aid.study_again", "6101")
    settle(campaign, pool=0, each=15_000, cap_year=20_000)
    run = campaign.computed()
    assert amounts(run) == [10_000] * 4 + [15_000] * 3
    again.year = 2013
    db.session.commit()
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    assert amounts(run) == [15_000] * 7


def test_unions_are_paid_like_people_from_the_account_kept_for_them(campaign: Campaign) -> None:
    campaign.fund(100_000, *CITIES)
    settle(campaign, pool=0, each=1_000)
    county = campaign.orgs["610103"]
    account = keys().seal("bank_account", "6200000000000123")
    row = OrgAccount(org_id=county.id, org_path=county.path, bank_name="秦川银行", bank_account=account.ciphertext,
                     bank_account_digest=account.digest, bank_account_tail=account.tail)  # fmt: skip
    db.session.add(row)
    db.session.commit()
    run = campaign.computed(scheme="aid.unions")
    lines = db.session.scalars(select(Payment).where(Payment.run_id == run.id)).all()
    counties = {org.id: org.name for org in campaign.orgs.values() if org.level == "county"}
    assert {line.payee_id: line.payee_name for line in lines} == counties
    assert [line.account_tail for line in lines if line.payee_id == county.id] == ["0123"]
    services.submit(campaign.clerk, run)
    services.decide(campaign.reviewer, run, approve=True, comment="")
    payout.post(campaign.finance, run, DAY)
    assert run.state == "posted"


def test_a_union_and_a_person_of_one_number_are_two_payees(campaign: Campaign, again: ProgramYear) -> None:
    settle(campaign, pool=0, each=1_000, cap_year=1_500)
    people = campaign.computed(scheme="aid.everybody")
    unions = campaign.computed(scheme="aid.unions")
    both = select(Payment.payee_id).where(Payment.run_id == people.id)
    assert db.session.scalar(select(Payment.payee_id).where(Payment.run_id == unions.id, Payment.payee_id.in_(both)))
    assert set(amounts(unions)) == {1_000}


def test_goods_have_a_quantity_and_a_worth(campaign: Campaign) -> None:
    campaign.fund(100_000, *CITIES)
    settle(campaign, pool=0, each=1_000)
    add_people(campaign.orgs["610202"], 1, first=40, account=False)
    run = campaign.computed(scheme="aid.bags")
    assert (run.form, run.paid) == ("goods", 8)
    assert set(db.session.execute(select(Payment.quantity, Payment.amount_fen))) == {(2, 1_000)}


def test_a_scheme_that_names_somebody_twice_is_refused_with_a_sentence(campaign: Campaign, english: None) -> None:
    campaign.fund(100_000, *CITIES)
    run = campaign.computed(scheme="aid.twice")
    assert (run.state, held()) == ("failed", 0)
    assert "names somebody twice" in (run.error or "")


def test_a_preview_is_what_computing_comes_to_and_writes_nothing(campaign: Campaign) -> None:
    campaign.fund(5_716, "6101", "6102")
    draft = campaign.draft()
    add_people(campaign.orgs["610202"], 1, first=40, account=False)
    seen = preview(campaign.clerk, draft)
    assert (seen.candidates, seen.paid, seen.total_fen, seen.reasons) == (8, 7, 10_000, [("no_account", 1)])
    rows = {row.org.code: (row.candidates, row.paid, row.total_fen, row.free_fen, row.lacking_fen) for row in seen.rows}
    assert rows == {"6101": (4, 4, 5_716, 5_716, 0), "6102": (3, 2, 2_856, 5_716, 0), "6111": (1, 1, 1_428, 0, 1_428)}
    db.session.rollback()
    for model in (Candidate, Payment, Exclusion, RunChunk):
        assert db.session.scalars(select(func.count()).select_from(model)).one() == 0
    assert (draft.state, held(), seen.lacking_fen) == ("draft", 0, 1_428)


def test_a_preview_follows_the_settings_as_they_are_now(campaign: Campaign) -> None:
    draft = campaign.draft()
    settle(campaign, pool=0, each=7, cap_program=5)
    assert preview(campaign.clerk, draft).total_fen == 35


def test_who_makes_no_runs_sees_no_preview(campaign: Campaign) -> None:
    with pytest.raises(Forbidden):
        preview(campaign.reviewer, campaign.draft())


def test_computing_again_says_what_has_changed(campaign: Campaign, again: ProgramYear) -> None:
    settle(campaign, pool=0, each=1_000)
    add_people(campaign.orgs["610202"], 1, first=40, account=False)
    run = campaign.computed()
    assert changes_of(run, EVERYWHERE) is None
    people = db.session.scalars(select(Person).order_by(Person.id)).all()
    people[0].bank_account = None
    people[-1].bank_account = b"x"
    db.session.commit()
    add_people(campaign.orgs["6111"], 1, first=50)
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    changes = [Change("new", 1, 1_000), Change("paid_now", 1, 1_000), Change("not_paid_now", 1, -1_000)]
    assert changes_of(run, EVERYWHERE) == changes
    assert changes_of(run, Scope(("/61/6102/",))) == [Change("paid_now", 1, 1_000)]
    lines = [(line.kind, line.former_fen, line.fen) for line in changed_lines(run, EVERYWHERE)]
    assert sorted(lines) == [("new", None, 1_000), ("not_paid_now", 1_000, None), ("paid_now", None, 1_000)]
    settle(campaign, each=1_001)
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    assert changes_of(run, EVERYWHERE) == [Change("more", 8, 8)]
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    assert changes_of(run, EVERYWHERE) == []


def test_a_cancelled_run_keeps_no_former_result(campaign: Campaign, again: ProgramYear) -> None:
    run = campaign.computed()
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    services.cancel(campaign.clerk, run)
    assert changes_of(run, EVERYWHERE) is None


def test_the_pages_of_preview_difference_and_conflicts_show_it(
    campaign: Campaign, again: ProgramYear, as_user: Callable[..., FlaskClient], english: Any
) -> None:
    computed(campaign, again, "aid.study_again", "6101")
    run = campaign.computed(scheme="aid.study")
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    browser, base = as_user(campaign.clerk), f"/2014/61/aid/runs/{run.id}"
    shown = browser.get(f"{base}/preview").text
    assert "Would be paid" in shown
    assert "Nothing has changed" in browser.get(base).text
    assert "Nothing has changed" in browser.get(f"{base}/difference").text
    listed = browser.get(f"{base}/exclusions?reason=conflict").text
    assert listed.count("助学") >= 4
    assert "Everybody on the list is paid" in browser.get(f"{base}/exclusions?reason=capped").text


def test_each_chunk_is_sealed_in_blocks(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BLOCK", 2)
    campaign.fund(10_000, *CITIES)
    run = campaign.computed()
    blocks = select(Seal.chunk_org_id, Seal.no, Seal.lines, Seal.total_fen).order_by(Seal.chunk_org_id, Seal.no)
    ids = [campaign.orgs[code].id for code in CITIES]
    sealed = [(ids[0], 0, 2, 2858), (ids[0], 1, 2, 2858), (ids[1], 0, 2, 2856), (ids[2], 0, 1, 1428)]
    assert sorted(db.session.execute(blocks)) == sorted(sealed)
    assert run.state == "computed"


def test_the_lines_of_a_run_move_with_their_union(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    campaign.computed()
    place = campaign.orgs["610103"]
    db.session.execute(text("UPDATE core_org SET path = '/61/6102/610103/' WHERE id = :id"), {"id": place.id})
    db.session.commit()
    paths = select(Payment.org_path).where(Payment.org_id == place.id)
    assert db.session.scalars(paths).all() == ["/61/6102/610103/"]
    assert db.session.scalars(select(Payment.org_path).where(Payment.org_id != place.id)).all().count(place.path) == 0


@pytest.mark.parametrize("table", ["core_person", "core_org"])
def test_who_stands_in_a_run_cannot_be_removed(campaign: Campaign, again: ProgramYear, table: str) -> None:
    settle(campaign, pool=0, each=1_000)
    campaign.computed(scheme="aid.unions" if table == "core_org" else "aid.everybody")
    named = text(f"DELETE FROM {table} WHERE id = (SELECT min(payee_id) FROM core_payment)")  # noqa: S608  # a name of ours
    with pytest.raises(IntegrityError):
        db.session.execute(named)
    db.session.rollback()


@pytest.mark.parametrize(
    "values",
    [
        "run_id, payee_id + 100000, program_year_id, item, chunk_org_id, org_id, org_path",
        "run_id, payee_id, program_year_id, item, chunk_org_id, org_id, '/61/'",
        "run_id, payee_id, program_year_id, item, org_id, org_id, org_path",
        "run_id, payee_id, program_year_id, 'other', chunk_org_id, org_id, org_path",
        "run_id, payee_id, program_year_id + 1, item, chunk_org_id, org_id, org_path",
        "run_id + 1000, payee_id, program_year_id, item, chunk_org_id, org_id, org_path",
    ],
)
def test_a_line_that_names_what_there_is_not_is_refused_by_the_database(
    campaign: Campaign, again: ProgramYear, values: str
) -> None:
    run = campaign.computed()
    db.session.execute(text("UPDATE core_run SET state = 'computing' WHERE id = :id"), {"id": run.id})
    db.session.execute(text("CREATE TEMP TABLE line AS SELECT * FROM core_payment WHERE payee_id = 1"))
    db.session.execute(text("DELETE FROM core_payment WHERE payee_id = 1"))
    columns = "run_id, payee_id, program_year_id, item, chunk_org_id, org_id, org_path"
    added = f"INSERT INTO core_payment ({columns}, amount_fen, basis, payee_name, account_tail) SELECT {values}"
    with pytest.raises(IntegrityError):
        db.session.execute(text(f"{added}, 1, '', '', '' FROM line"))
    db.session.rollback()
