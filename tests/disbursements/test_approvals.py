"""Approval in stages: which rule holds, who decides in a stage, what is pinned, and that nobody decides twice."""

import pytest
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.disbursements import services
from core.disbursements.approval_rules import add_rule, change_rule
from core.disbursements.approvals import ALL, ANY, SOME, Stage, could_decide, may_decide
from core.disbursements.models import ApprovalRule, Run
from core.disbursements.progress import Progress, progress_of
from core.disbursements.queries import approvals_of
from core.errors import Forbidden, Refused, ZhijiaError
from core.extensions import db
from core.tasks.models import Message
from core.users.models import User
from core.users.services import set_active, take_grant
from core.users.testing import MakeUser, hold
from tests.disbursements.conftest import YEAR, Campaign
from tests.disbursements.test_decisions import with_settings

pytestmark = pytest.mark.services
CITIES = ("6101", "6102", "6111")
#: What a run of the campaign comes to.
TOTAL = 10_000
OWN = Stage(title="本级审核", level="run", policy=ANY)
CITY = Stage(title="市总复核", level="city", policy=ANY)
PROVINCE = Stage(title="省总审批", level="province", policy=ANY)


@pytest.fixture
def funded(campaign: Campaign) -> Campaign:
    """The campaign with enough money in each city."""
    campaign.fund(TOTAL, *CITIES)
    return campaign


def rule(
    campaign: Campaign, *stages: Stage, from_fen: int = 0, org: str = "61", program: str | None = None
) -> ApprovalRule:
    """A rule of the campaign's year."""
    return add_rule(SYSTEM, year=YEAR, org=campaign.orgs[org], program=program, from_fen=from_fen, stages=stages)


def sent(campaign: Campaign, org: str = "61") -> Run:
    """A run that was submitted."""
    run = campaign.computed(org=org)
    services.submit(campaign.clerk, run)
    return run


def approve(user: User, run: Run) -> None:
    services.decide(user, run, approve=True, comment="")


def waits_for(user: User, run: Run) -> bool:
    return may_decide(user, run, "aid")


def shown(run: Run) -> Progress:
    progress = progress_of(run, "aid", approvals_of(run))
    assert progress
    return progress


def titles(run: Run) -> list[str]:
    return [stage["title"] for stage in run.stages]


@pytest.mark.parametrize(("from_fen", "expected"), [(TOTAL - 1, "大额"), (TOTAL, "大额"), (TOTAL + 1, "小额")])
def test_the_band_is_the_largest_that_the_total_reaches(funded: Campaign, from_fen: int, expected: str) -> None:
    rule(funded, Stage(title="小额", level="run", policy=ANY))
    rule(funded, Stage(title="大额", level="run", policy=ANY), from_fen=from_fen)
    run = sent(funded)
    assert titles(run) == [expected]
    assert run.band_fen == (from_fen if expected == "大额" else 0)


def test_the_programs_own_rule_comes_before_the_general_one(funded: Campaign) -> None:
    run = funded.computed()
    next_year = Stage(title="别的年度", level="run", policy=ANY)
    add_rule(SYSTEM, year=YEAR + 1, org=funded.orgs["61"], program="aid", from_fen=0, stages=[next_year])
    rule(funded, Stage(title="通用", level="run", policy=ANY))
    services.submit(funded.clerk, run)
    assert titles(run) == ["通用"]
    services.withdraw(funded.clerk, run)
    rule(funded, Stage(title="本项目", level="run", policy=ANY), program="aid")
    services.submit(funded.clerk, run)
    assert titles(run) == ["本项目"]


def test_the_rule_of_the_nearest_sponsor_holds_for_what_it_sponsors(funded: Campaign) -> None:
    run = funded.computed()
    funded.year.org_id, funded.year.org_path = funded.orgs["6101"].id, funded.orgs["6101"].path
    rule(funded, Stage(title="省通用", level="run", policy=ANY))
    rule(funded, Stage(title="市通用", level="run", policy=ANY), org="6101")
    rule(funded, Stage(title="别市", level="run", policy=ANY), org="6102")
    services.submit(funded.clerk, run)
    assert titles(run) == ["市通用"]


def test_without_a_rule_as_many_approve_as_the_settings_say(funded: Campaign) -> None:
    with_settings(funded, approvals_needed=2)
    run = sent(funded)
    assert run.stages == [{"title": "", "level": "run", "policy": "n", "n": 2}]
    assert (run.stage, run.band_fen) == (1, None)


def test_stages_are_decided_one_after_the_other_by_grants_of_their_level(funded: Campaign, make_user: MakeUser) -> None:
    city, other_city, county = (make_user("reviewer", code) for code in ("6101", "6102", "610102"))
    rule(funded, CITY, PROVINCE)
    run = sent(funded, "610102")
    assert [waits_for(user, run) for user in (city, other_city, county, funded.reviewer)] == [True, False, False, False]
    with pytest.raises(Refused, match=r"市总复核"):
        approve(funded.reviewer, run)
    with pytest.raises(Forbidden):
        approve(other_city, run)
    approve(city, run)
    assert (run.state, run.stage) == ("submitted", 2)
    assert [waits_for(user, run) for user in (city, other_city, county, funded.reviewer)] == [False, False, False, True]
    approve(funded.reviewer, run)
    assert (run.state, run.approved_at is not None) == ("approved", True)


def test_a_grant_for_another_program_does_not_decide(funded: Campaign, make_user: MakeUser) -> None:
    rule(funded, PROVINCE)
    run = sent(funded)
    other = make_user("reviewer", program="aid")
    assert waits_for(other, run)
    other.grants[0].program = "job_fairs"
    db.session.commit()
    assert not waits_for(other, run)
    with pytest.raises(Forbidden):
        approve(other, run)


def test_a_number_of_a_stage_is_needed(funded: Campaign, make_user: MakeUser) -> None:
    second, third = make_user("reviewer"), make_user("reviewer")
    rule(funded, Stage(title="会签", level="province", policy=SOME, n=2))
    run = sent(funded)
    approve(funded.reviewer, run)
    assert run.state == "submitted"
    approve(second, run)
    assert run.state == "approved"
    with pytest.raises(Refused):
        approve(third, run)


def test_all_are_those_who_held_the_grant_when_it_was_sent(funded: Campaign, make_user: MakeUser) -> None:
    second = make_user("reviewer")
    rule(funded, Stage(title="会签", level="province", policy=ALL))
    run = sent(funded)
    assert run.stages[0]["deciders"] == sorted([funded.reviewer.id, second.id])
    late = make_user("reviewer")
    assert not waits_for(late, run)
    with pytest.raises(Refused, match=r"会签"):
        approve(late, run)
    approve(funded.reviewer, run)
    assert run.state == "submitted"
    approve(second, run)
    assert run.state == "approved"


def test_who_made_or_sent_the_run_is_not_among_all(funded: Campaign, make_user: MakeUser) -> None:
    hold(funded.clerk, "reviewer", funded.orgs["61"])
    rule(funded, Stage(title="会签", level="province", policy=ALL))
    run = sent(funded)
    assert run.stages[0]["deciders"] == [funded.reviewer.id]
    assert not waits_for(funded.clerk, run)


def test_who_decided_in_a_stage_is_barred_in_the_next(funded: Campaign, make_user: MakeUser) -> None:
    second = make_user("reviewer")
    rule(funded, OWN, PROVINCE)
    run = sent(funded)
    approve(funded.reviewer, run)
    assert run.stage == 2
    assert not waits_for(funded.reviewer, run)
    with pytest.raises(Refused, match=r"已对该批次|decided"):
        approve(funded.reviewer, run)
    approve(second, run)
    assert run.state == "approved"


def test_who_must_decide_in_a_later_stage_does_not_use_up_the_vote(funded: Campaign, make_user: MakeUser) -> None:
    city = make_user("reviewer", "6101")
    rule(funded, OWN, Stage(title="会签", level="province", policy=ALL))
    run = sent(funded, "6101")
    assert not waits_for(funded.reviewer, run)
    with pytest.raises(Refused, match=r"本级审核"):
        approve(funded.reviewer, run)
    approve(city, run)
    approve(funded.reviewer, run)
    assert run.state == "approved"


@pytest.mark.parametrize(
    "stages",
    [
        (OWN, PROVINCE),  # one reviewer cannot be two
        (CITY,),  # a run of the province has no city above it
        (Stage(title="会签", level="city", policy=ALL),),
        (Stage(title="一", level="run", policy=ALL), Stage(title="二", level="run", policy=ALL)),
        (Stage(title="双签", level="run", policy=SOME, n=2),),
    ],
)
def test_a_run_is_not_sent_where_too_few_could_decide(funded: Campaign, stages: tuple[Stage, ...]) -> None:
    rule(funded, *stages)
    run = funded.computed()
    with pytest.raises(Refused, match=r"Too few|不足"):
        services.submit(funded.clerk, run)
    db.session.rollback()
    assert (run.state, run.round, run.stages) == ("computed", 0, [])


def test_people_are_shared_out_so_that_every_stage_finds_its_own(funded: Campaign, make_user: MakeUser) -> None:
    """The one of the province could decide in the first stage too, but is needed in the second."""
    make_user("reviewer", "6101")
    kept = rule(funded, OWN, PROVINCE)
    run = sent(funded, "6101")
    assert run.state == "submitted"
    services.withdraw(funded.clerk, run)
    change_rule(SYSTEM, kept, from_fen=0, stages=[OWN, CITY, PROVINCE])
    with pytest.raises(Refused, match=r"Too few|不足"):
        services.submit(funded.clerk, run)


def test_a_changed_rule_does_not_touch_what_was_sent(funded: Campaign, make_user: MakeUser) -> None:
    make_user("reviewer")
    kept = rule(funded, OWN)
    run = sent(funded)
    change_rule(SYSTEM, kept, from_fen=0, stages=[Stage(title="双签", level="run", policy=SOME, n=2)])
    approve(funded.reviewer, run)
    assert (titles(run), run.state) == (["本级审核"], "approved")


def test_a_run_that_is_sent_anew_takes_the_changed_rule(funded: Campaign, make_user: MakeUser) -> None:
    make_user("reviewer")
    kept = rule(funded, OWN)
    run = sent(funded)
    change_rule(SYSTEM, kept, from_fen=0, stages=[Stage(title="双签", level="run", policy=SOME, n=2)])
    services.withdraw(funded.clerk, run)
    services.submit(funded.clerk, run)
    assert titles(run) == ["双签"]


def test_a_return_at_any_stage_begins_a_new_round_at_the_first(funded: Campaign, make_user: MakeUser) -> None:
    city = make_user("reviewer", "6101")
    rule(funded, CITY, PROVINCE)
    run = sent(funded, "6101")
    approve(city, run)
    with pytest.raises(ZhijiaError) as refusal:
        services.decide(funded.reviewer, run, approve=False, comment=" ")
    assert refusal.value.field == "comment"
    services.decide(funded.reviewer, run, approve=False, comment="名单有误")
    assert run.state == "computed"
    services.submit(funded.clerk, run)
    assert (run.round, run.stage) == (2, 1)
    approve(city, run)
    approve(funded.reviewer, run)
    assert run.state == "approved"
    decisions = [(one.round, one.stage, one.approved) for one, _name in approvals_of(run)]
    assert decisions == [(1, 1, True), (1, 2, False), (2, 1, True), (2, 2, True)]


def test_a_run_is_taken_back_and_what_was_decided_counts_no_more(funded: Campaign, make_user: MakeUser) -> None:
    second = make_user("reviewer")
    rule(funded, OWN, PROVINCE)
    run = sent(funded)
    approve(funded.reviewer, run)
    with pytest.raises(Forbidden):
        services.withdraw(second, run)
    services.withdraw(funded.clerk, run)
    assert run.state == "computed"
    with pytest.raises(Refused):
        services.withdraw(funded.clerk, run)
    services.submit(funded.clerk, run)
    assert (run.round, run.stage, waits_for(funded.reviewer, run)) == (2, 1, True)
    assert db.session.scalars(select(AuditLine.action).where(AuditLine.action == "run.withdraw")).all()


def test_what_was_not_seen_is_not_decided(funded: Campaign) -> None:
    run = sent(funded)
    services.withdraw(funded.clerk, run)
    services.submit(funded.clerk, run)
    with pytest.raises(Refused, match=r"moved on|已"):
        services.decide(funded.reviewer, run, approve=True, comment="", seen=(1, 1))
    services.decide(funded.reviewer, run, approve=True, comment="", seen=(2, 1))
    assert run.state == "approved"


@pytest.mark.parametrize("how", ["role", "account"])
def test_one_of_all_who_can_no_longer_decide_is_named(funded: Campaign, make_user: MakeUser, how: str) -> None:
    second, admin = make_user("reviewer"), make_user("admin")
    rule(funded, Stage(title="会签", level="province", policy=ALL))
    run = sent(funded)
    approve(funded.reviewer, run)
    assert (shown(run).short, list(shown(run).stages[0].missing)) == (None, [second.name])
    if how == "role":
        take_grant(admin, second, second.grants[0].id)
    else:
        set_active(admin, second, active=False)
    progress = shown(run)
    assert progress.short is not None
    assert list(progress.stages[0].lost) == [second.name]
    assert not waits_for(second, run)
    services.withdraw(funded.clerk, run)
    make_user("reviewer")
    services.submit(funded.clerk, run)
    assert shown(run).short is None


def test_an_enterprise_is_approved_by_its_industry_union_too(funded: Campaign, make_user: MakeUser) -> None:
    run = funded.draft(org="610102-bus")
    industry = make_user("reviewer", "61-transport")
    assert could_decide(OWN, run, "aid") == {funded.reviewer.id, industry.id}
    assert could_decide(CITY, run, "aid") == set()
    elsewhere = make_user("reviewer", "6102")
    assert elsewhere.id not in could_decide(OWN, run, "aid")


def test_who_sent_the_run_is_told_what_became_of_it(funded: Campaign) -> None:
    run = sent(funded)
    services.decide(funded.reviewer, run, approve=False, comment="名单有误")
    services.submit(funded.clerk, run)
    approve(funded.reviewer, run)
    told = db.session.execute(select(Message.user_id, Message.kind).order_by(Message.id)).all()
    assert [tuple(one) for one in told] == [(funded.clerk.id, "runs.returned"), (funded.clerk.id, "runs.approved")]
