"""Computing a run: shares to the fen, exclusions, budgets, recomputing, and what is refused."""

import pytest
from sqlalchemy import Text, delete, func, select

from core.audit.services import SYSTEM
from core.disbursements import compute, services
from core.disbursements.models import Candidate, Exclusion, FormerLine, Payment, Run, RunChunk
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.jobs.models import Job
from core.jobs.runner import run as run_job
from core.ledger.models import BudgetLine
from core.plugin.registry import registry_of
from core.programs.services import change_settings, disable
from tests.disbursements.conftest import Campaign, add_people

pytestmark = pytest.mark.services
CITIES = ("6101", "6102", "6111")


def settle(campaign: Campaign, **settings: object) -> None:
    """Change the settings of the year."""
    change_settings(
        SYSTEM, campaign.year, {**campaign.year.settings, **settings}, version=campaign.year.settings_version
    )


def amounts(run: Run) -> list[int]:
    """What each payee gets, in order of person."""
    query = select(Payment.amount_fen).where(Payment.run_id == run.id).order_by(Payment.payee_id)
    return list(db.session.scalars(query))


def held() -> int:
    """Everything that is held on budget lines."""
    return int(db.session.scalars(select(func.coalesce(func.sum(BudgetLine.held_fen), 0))).one())


def test_a_pool_is_shared_to_the_fen(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    run = campaign.computed()
    assert (run.state, run.candidates, run.paid, run.excluded, run.total_fen) == ("computed", 7, 7, 0, 10_000)
    assert amounts(run) == [1429, 1429, 1429, 1429, 1428, 1428, 1428]
    assert held() == 10_000


def test_each_city_pays_its_own(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    run = campaign.computed()
    chunks = {chunk.org_path: chunk for chunk in db.session.scalars(select(RunChunk).where(RunChunk.run_id == run.id))}
    assert {path: (chunk.paid, chunk.total_fen) for path, chunk in chunks.items()} == {
        "/61/6101/": (4, 5716),
        "/61/6102/": (2, 2856),
        "/61/6111/": (1, 1428),
    }


def test_nothing_is_left_over_from_computing(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    campaign.computed()
    assert db.session.scalars(select(func.count()).select_from(Candidate)).one() == 0


def forget_candidates(run: Run) -> None:
    """What a crash of the database does to a table that is not logged."""
    db.session.execute(delete(Candidate).where(Candidate.run_id == run.id))
    db.session.commit()


def test_candidates_that_a_crash_took_are_asked_for_again(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    run = campaign.draft()
    services.start_computing(campaign.clerk, run)
    scheme = registry_of().schemes[run.scheme]
    first, *others = chunks = compute.reserve(run.id, scheme)
    assert compute.fill(run.id, first)
    assert compute.reserve(run.id, scheme) == chunks
    assert db.session.scalars(select(RunChunk.state).order_by(RunChunk.org_id)).all()[0] == "filled"
    forget_candidates(run)
    assert not compute.fill(run.id, others[0])
    assert compute.reserve(run.id, scheme) == chunks
    assert all(compute.fill(run.id, org_id) for org_id in chunks)
    assert compute.reserve(run.id, scheme) == chunks  # all are filled: none is needed any more
    compute.seal(run.id)
    assert (run.state, amounts(run), held()) == ("computed", [1429, 1429, 1429, 1429, 1428, 1428, 1428], 10_000)
    assert db.session.scalars(select(FormerLine.payee_id)).all() == []


def test_a_worker_that_finds_no_candidates_asks_for_the_run_again(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    run = campaign.draft()
    services.start_computing(campaign.clerk, run)
    run_job(db.session.scalars(select(Job.id)).one())
    assert db.session.scalars(select(Job.name).where(Job.state == "queued")).all() == ["disbursements.fill"] * 3
    forget_candidates(run)
    campaign.run_jobs()
    assert (run.state, run.total_fen, held()) == ("computed", 10_000, 10_000)
    assert db.session.scalars(select(func.count()).where(Job.name == "disbursements.compute")).one() == 2


def test_a_fixed_amount_is_paid_to_each(campaign: Campaign) -> None:
    settle(campaign, pool=0, each=50_000)
    campaign.fund(200_000, *CITIES)
    assert amounts(campaign.computed()) == [50_000] * 7


def test_who_is_excluded_takes_no_share_and_is_accounted_for(campaign: Campaign) -> None:
    add_people(campaign.orgs["610202"], 1, first=40, account=False)
    campaign.fund(10_000, *CITIES)
    run = campaign.computed()
    assert (run.candidates, run.paid, run.excluded, run.total_fen) == (8, 7, 1, 10_000)
    assert db.session.scalars(select(Exclusion.reason)).all() == ["no_account"]


def test_a_pool_smaller_than_the_people_pays_the_first_and_says_why_not_the_rest(campaign: Campaign) -> None:
    settle(campaign, pool=5)
    campaign.fund(10, *CITIES)
    run = campaign.computed()
    assert (run.paid, run.excluded, run.total_fen) == (5, 2, 5)
    assert set(db.session.scalars(select(Exclusion.reason))) == {"no_amount"}


def test_the_largest_part_is_filled_first(campaign: Campaign) -> None:
    add_people(campaign.orgs["610202"], 9, first=40)
    campaign.fund(10_000, *CITIES)
    run = campaign.draft()
    services.start_computing(campaign.clerk, run)
    parts = compute.reserve(run.id, registry_of().schemes[run.scheme])
    sizes = dict(db.session.execute(select(RunChunk.org_id, RunChunk.candidates)).all())
    assert parts[0] == campaign.orgs["6102"].id
    assert [sizes[org_id] for org_id in parts] == sorted(sizes.values(), reverse=True)


def test_a_part_in_which_nobody_is_paid_is_filled_as_well(campaign: Campaign) -> None:
    settle(campaign, pool=1)
    campaign.fund(10, *CITIES)
    run = campaign.computed()
    assert (run.paid, run.excluded, run.total_fen) == (1, 6, 1)
    parts = db.session.execute(select(RunChunk.state, RunChunk.paid > 0).where(RunChunk.run_id == run.id)).all()
    assert sorted(parts) == [("filled", False), ("filled", False), ("filled", True)]


def test_a_higher_paying_level_makes_one_part(campaign: Campaign) -> None:
    settle(campaign, paying_level="province")
    campaign.fund(10_000, "61")
    run = campaign.computed()
    assert db.session.scalars(select(RunChunk.org_path).where(RunChunk.run_id == run.id)).all() == ["/61/"]


def test_a_run_of_a_county_is_paid_by_its_city(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101")
    run = campaign.computed(org="610102")
    assert (run.paid, run.total_fen) == (3, 10_000)
    assert db.session.scalars(select(RunChunk.org_path).where(RunChunk.run_id == run.id)).all() == ["/61/6101/"]


def test_an_industry_union_of_city_rank_pays_for_its_own(campaign: Campaign) -> None:
    add_people(campaign.orgs["61-transport"], 2, first=50)
    campaign.fund(10_000, *CITIES, "61-transport")
    run = campaign.computed()
    paths = db.session.scalars(select(RunChunk.org_path).where(RunChunk.run_id == run.id)).all()
    assert "/61/61-transport/" in paths
    assert run.total_fen == 10_000


def test_the_same_run_computed_twice_gives_the_same_and_holds_the_money_once(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    run = campaign.computed()
    before = amounts(run)
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    assert (run.state, amounts(run), held()) == ("computed", before, 10_000)


def test_computing_anew_follows_the_settings_as_they_are_now(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    run = campaign.computed()
    settle(campaign, pool=7_000)
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    assert (run.total_fen, run.settings_version, held()) == (7_000, 2, 7_000)


def test_a_run_that_is_being_computed_is_not_computed_again(campaign: Campaign) -> None:
    run = campaign.draft()
    services.start_computing(campaign.clerk, run)
    with pytest.raises(Refused, match=r"正在计算|being computed already"):
        services.start_computing(campaign.clerk, run)


def test_every_step_may_run_again(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    run = campaign.draft()
    run.state = "computing"
    db.session.commit()
    scheme = registry_of().schemes[run.scheme]
    org_ids = compute.reserve(run.id, scheme)
    assert compute.reserve(run.id, scheme) == org_ids
    compute.seal(run.id)
    assert run.state == "computing"  # nothing is filled yet
    for org_id in [*org_ids, *org_ids]:
        compute.fill(run.id, org_id)
    compute.seal(run.id)
    compute.seal(run.id)
    assert (run.state, run.paid, run.total_fen, held()) == ("computed", 7, 10_000, 10_000)


def test_who_was_paid_by_another_run_is_not_paid_again(campaign: Campaign) -> None:
    campaign.fund(20_000, *CITIES)
    campaign.computed(org="610102", title="先发")
    run = campaign.computed()
    assert (run.candidates, run.paid, run.excluded, run.total_fen) == (7, 4, 3, 10_000)
    assert set(db.session.scalars(select(Exclusion.reason))) == {"already_paid"}


def test_two_runs_at_once_cannot_pay_one_person_twice(campaign: Campaign) -> None:
    campaign.fund(20_000, *CITIES)
    first, second = campaign.draft(), campaign.draft()
    first.state = second.state = "computing"
    db.session.commit()
    scheme = registry_of().schemes[first.scheme]
    parts = [(run, org_id) for run in (first, second) for org_id in compute.reserve(run.id, scheme)]
    for run, org_id in parts[:3]:
        compute.fill(run.id, org_id)
    with pytest.raises(Refused, match=r"另一发放批次|another run"):
        compute.fill(*[(run.id, org_id) for run, org_id in parts][3])


def test_a_budget_that_is_too_small_is_refused_and_names_who_lacks_what(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6111")
    run = campaign.computed()
    assert (run.state, run.paid, held()) == ("failed", 0, 0)
    assert "铜川市总工会" in (run.error or "")
    assert "28.56" in (run.error or "")
    campaign.fund(2_856, "6102", key="more")
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    assert (run.state, run.error, held()) == ("computed", None, 10_000)


def test_one_fen_too_little_is_too_little(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6111")
    campaign.fund(2_855, "6102", key="more")
    assert campaign.computed().state == "failed"


def test_a_run_for_nobody_fails_with_a_sentence(campaign: Campaign) -> None:
    run = campaign.computed(org="61-transport")
    assert run.state == "failed"
    assert run.error


def test_a_program_that_is_off_makes_and_computes_no_run(campaign: Campaign) -> None:
    run = campaign.draft()
    disable(SYSTEM, campaign.year)
    with pytest.raises(Refused, match=r"未开放|not open"):
        campaign.draft()
    with pytest.raises(Refused, match=r"未开放|not open"):
        services.start_computing(campaign.clerk, run)


def test_only_who_may_make_runs_there_makes_them(campaign: Campaign) -> None:
    with pytest.raises(Forbidden):
        services.create_run(campaign.reviewer, campaign.year, "aid.everybody", "x", campaign.orgs["61"])


@pytest.mark.parametrize(
    ("scheme", "title", "refusal"), [("aid.nothing", "x", NotFound), ("aid.everybody", " ", ZhijiaError)]
)
def test_an_unknown_scheme_and_a_run_without_title_are_refused(
    campaign: Campaign, scheme: str, title: str, refusal: type[ZhijiaError]
) -> None:
    with pytest.raises(refusal):
        campaign.draft(scheme=scheme, title=title)


def test_a_run_whose_plugin_is_gone_says_so(campaign: Campaign) -> None:
    run = campaign.draft()
    services.start_computing(campaign.clerk, run)
    del registry_of().schemes["aid.everybody"]
    campaign.run_jobs()
    assert run.state == "failed"
    assert "aid.everybody" in (run.error or "")


def test_the_scheme_asks_for_whole_numbers_only(campaign: Campaign) -> None:
    scheme = registry_of().schemes["aid.everybody"]
    answer = scheme.select(compute.context_of(campaign.draft())).subquery()
    types = db.session.scalars(select(func.pg_typeof(answer.c.amount_fen).cast(Text)).distinct())
    assert types.all() == ["bigint"]
