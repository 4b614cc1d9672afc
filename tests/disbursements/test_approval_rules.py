"""Keeping the rules of approval: bands without gap or overlap, stages that can be decided, and their pages."""

from typing import Any

import pytest
from sqlalchemy import delete, select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.disbursements.approval_rules import add_rule, change_rule, copy_rules, remove_rule, rule_of, rules_for
from core.disbursements.approvals import ALL, ANY, SOME, Stage
from core.disbursements.models import ApprovalRule
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.money import LARGEST_FEN
from core.org.models import Org
from core.users.testing import AsUser, MakeUser
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
YEAR = 2014
PAGE = "/admin/approvals/"
OWN = Stage(title="本级审核", level="run", policy=ANY)


def add(campaign: Campaign, from_fen: int = 0, *stages: Stage, **more: Any) -> ApprovalRule:
    values: dict[str, Any] = {"year": YEAR, "org": campaign.orgs["61"], "program": None, **more}
    return add_rule(SYSTEM, from_fen=from_fen, stages=stages or (OWN,), **values)


def bands() -> list[int]:
    return list(db.session.scalars(select(ApprovalRule.from_fen).order_by(ApprovalRule.from_fen)))


def sent_form(**more: str) -> dict[str, str]:
    """A form with one stage, the others left empty."""
    form = {"year": "2014", "org_code": "61", "program": "", "from_fen": "0"}
    for number in range(5):
        form |= {f"stages-{number}-{name}": "" for name in ("title", "level", "n")} | {f"stages-{number}-policy": "any"}
    return form | {"stages-0-title": "本级审核", "stages-0-level": "run"} | more


def test_no_amount_is_without_a_rule_and_none_has_two(campaign: Campaign) -> None:
    with pytest.raises(Refused, match=r"begin at 0|0 元") as gap:
        add(campaign, 1)
    assert gap.value.field == "from_fen"
    first, second = add(campaign, 0), add(campaign, 1)
    with pytest.raises(Refused, match=r"already|已") as overlap:
        add(campaign, 1)
    assert overlap.value.field == "from_fen"
    with pytest.raises(Refused):
        change_rule(SYSTEM, second, from_fen=0, stages=[OWN])
    with pytest.raises(Refused):
        change_rule(SYSTEM, first, from_fen=2, stages=[OWN])
    with pytest.raises(Refused, match=r"larger amounts|较大"):
        remove_rule(SYSTEM, first)
    db.session.rollback()
    assert bands() == [0, 1]
    change_rule(SYSTEM, second, from_fen=LARGEST_FEN, stages=[OWN])
    remove_rule(SYSTEM, second)
    remove_rule(SYSTEM, first)
    assert bands() == []


@pytest.mark.parametrize("from_fen", [-1, LARGEST_FEN + 1])
def test_an_amount_beyond_all_sense_is_refused(campaign: Campaign, from_fen: int) -> None:
    add(campaign)
    with pytest.raises(ZhijiaError) as refusal:
        add(campaign, from_fen)
    assert refusal.value.field == "from_fen"


def test_other_years_sponsors_and_programs_have_bands_of_their_own(campaign: Campaign) -> None:
    for more in ({}, {"year": YEAR + 1}, {"program": "aid"}, {"org": campaign.orgs["6101"]}):
        add(campaign, 0, **more)
    assert bands() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("stage", "sentence"),
    [
        (Stage(title=" ", level="run", policy=ANY), "title"),
        (Stage(title="长" * 41, level="run", policy=ANY), "title"),
        (Stage(title="一", level="moon", policy=ANY), "union"),
        (Stage(title="一", level="run", policy="most"), "who must"),
        (Stage(title="一", level="run", policy=SOME, n=0), "between 1"),
        (Stage(title="一", level="run", policy=SOME, n=21), "between 1"),
        (Stage(title="一", level="province", policy=SOME, n=2), "fewer"),
    ],
)
def test_a_stage_that_cannot_work_is_refused_in_a_sentence(campaign: Campaign, stage: Stage, sentence: str) -> None:
    with pytest.raises(ZhijiaError, match=rf"2.*{sentence}|第2"):
        add(campaign, 0, OWN, stage)
    db.session.rollback()
    assert bands() == []


def test_the_people_of_a_stage_are_counted_for_the_program(campaign: Campaign, make_user: MakeUser) -> None:
    make_user("reviewer", program="aid")
    two = Stage(title="双签", level="province", policy=SOME, n=2)
    add(campaign, 0, two)
    add(campaign, 0, two, program="aid")
    only_one = db.session.scalars(select(ApprovalRule).where(ApprovalRule.program == "aid")).one()
    campaign.reviewer.active = False
    db.session.commit()
    with pytest.raises(Refused, match=r"fewer|少于"):
        change_rule(SYSTEM, only_one, from_fen=0, stages=[two])


@pytest.mark.parametrize("policy", [ANY, ALL])
def test_a_stage_of_a_union_above_needs_somebody_there(campaign: Campaign, policy: str) -> None:
    campaign.reviewer.active = False
    db.session.commit()
    with pytest.raises(Refused, match=r"fewer|少于"):
        add(campaign, 0, Stage(title="省总审批", level="province", policy=policy), org=campaign.orgs["6101"])


@pytest.mark.parametrize("count", [0, 6])
def test_a_rule_has_one_to_five_stages(campaign: Campaign, count: int) -> None:
    with pytest.raises(ZhijiaError, match="5"):
        add_rule(SYSTEM, year=YEAR, org=campaign.orgs["61"], program=None, from_fen=0, stages=[OWN] * count)


@pytest.mark.parametrize("more", [{"year": 1948}, {"year": 2200}, {"program": "nothing"}])
def test_a_year_or_program_that_is_none_is_refused(campaign: Campaign, more: dict[str, Any]) -> None:
    with pytest.raises(ZhijiaError) as refusal:
        add(campaign, 0, **more)
    assert refusal.value.field == next(iter(more))


def test_only_who_manages_the_sponsor_keeps_its_rules(campaign: Campaign, make_user: MakeUser) -> None:
    kept, admin, city = add(campaign), make_user("admin"), make_user("admin", "6101")
    for user in (campaign.clerk, city, make_user("admin", program="aid")):
        assert rule_of(user, kept.id) is None
        with pytest.raises(Forbidden):
            change_rule(user, kept, from_fen=0, stages=[OWN])
        with pytest.raises(Forbidden):
            remove_rule(user, kept)
        with pytest.raises(Forbidden):
            add_rule(user, year=YEAR + 1, org=campaign.orgs["61"], program=None, from_fen=0, stages=[OWN])
    assert rule_of(admin, kept.id) is kept
    own = add(campaign, 0, program="aid", org=campaign.orgs["6101"])
    assert [rule.id for rule, _org in rules_for(city, YEAR)] == [own.id]
    remove_rule(admin, kept)


def test_a_rule_that_is_gone_meanwhile_is_not_changed(campaign: Campaign) -> None:
    kept = add(campaign)
    db.session.refresh(kept)
    db.session.expunge(kept)
    db.session.execute(delete(ApprovalRule))
    with pytest.raises(NotFound):
        change_rule(SYSTEM, kept, from_fen=0, stages=[OWN])


def test_a_year_is_copied_once_and_only_what_one_keeps(campaign: Campaign, make_user: MakeUser) -> None:
    admin, city = make_user("admin"), make_user("admin", "6101")
    add(campaign)
    add(campaign, 5)
    add(campaign, 0, org=campaign.orgs["6101"])
    assert copy_rules(city, YEAR) == 1
    with pytest.raises(Refused, match=str(YEAR + 1)):
        copy_rules(admin, YEAR)
    assert len(rules_for(admin, YEAR + 1)) == 1
    remove_rule(admin, rules_for(admin, YEAR + 1)[0][0])
    assert copy_rules(admin, YEAR) == 3
    assert [rule.stages for rule, _org in rules_for(admin, YEAR + 1)] == [[OWN.to_json()]] * 3
    with pytest.raises(Refused, match="2030"):
        copy_rules(admin, 2030)
    with pytest.raises(ZhijiaError, match="2199"):
        copy_rules(admin, 2199)


def test_every_change_is_on_record(campaign: Campaign, make_user: MakeUser) -> None:
    admin = make_user("admin")
    kept = add_rule(admin, year=YEAR, org=campaign.orgs["61"], program=None, from_fen=0, stages=[OWN])
    change_rule(admin, kept, from_fen=0, stages=[OWN, OWN])
    copy_rules(admin, YEAR)
    remove_rule(admin, kept)
    lines = db.session.scalars(
        select(AuditLine).where(AuditLine.action.startswith("approval_rule.")).order_by(AuditLine.id)
    ).all()
    assert [line.action.partition(".")[2] for line in lines] == ["add", "change", "copy", "remove"]
    assert [len(line.data["stages"]) for line in lines] == [1, 2, 2, 2]
    assert {line.user_id for line in lines} == {admin.id}


def test_the_pages_keep_copy_and_remove_a_rule(campaign: Campaign, as_user: AsUser) -> None:
    browser = as_user("admin")
    assert browser.get(f"{PAGE}new?year=2014").status_code == 200
    made = browser.post(
        f"{PAGE}new",
        data=sent_form(**{"stages-1-title": "省总审批", "stages-1-level": "province", "stages-1-policy": "all"}),
    )
    assert made.headers["Location"] == f"{PAGE}?year=2014"
    kept = db.session.scalars(select(ApprovalRule)).one()
    assert [stage["policy"] for stage in kept.stages] == [ANY, ALL]
    text = browser.get(f"{PAGE}?year=2014").text
    assert "省总审批" in text
    assert f"{PAGE}{kept.id}" in text
    assert 'value="本级审核"' in browser.get(f"{PAGE}{kept.id}").text
    changed = sent_form(**{"stages-0-policy": "n", "stages-0-n": "2"})
    assert browser.post(f"{PAGE}{kept.id}", data=changed).status_code == 302
    assert [(stage["policy"], stage["n"]) for stage in kept.stages] == [(SOME, 2)]
    assert browser.post(f"{PAGE}copy", data={"year": "2014"}).headers["Location"] == f"{PAGE}?year=2015"
    assert "本级审核" in browser.get(f"{PAGE}?year=2015").text
    assert browser.post(f"{PAGE}{kept.id}/remove").status_code == 302
    assert "本级审核" not in browser.get(f"{PAGE}?year=2014").text


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"from_fen": "1.005"}, 400),
        ({"from_fen": ""}, 400),
        ({"from_fen": "5"}, 409),
        ({"org_code": "99"}, 404),
        ({"program": "nothing"}, 400),
        ({"year": "1"}, 400),
        ({"stages-0-level": ""}, 400),
        ({"stages-0-title": "", "stages-0-level": ""}, 400),
        ({"stages-0-policy": "n"}, 400),
        ({"stages-0-policy": "n", "stages-0-n": "0"}, 400),
        ({"stages-0-level": "province", "stages-0-policy": "n", "stages-0-n": "9"}, 409),
    ],
)
def test_a_refused_rule_keeps_what_was_typed(
    campaign: Campaign, as_user: AsUser, wrong: dict[str, str], status: int
) -> None:
    response = as_user("admin").post(f"{PAGE}new", data=sent_form(**{"stages-1-title": "", **wrong}))
    assert response.status_code == status
    assert "alert-danger" in response.text or "invalid-feedback" in response.text
    assert bands() == []


def test_a_rule_of_another_sponsor_is_not_there(
    campaign: Campaign, as_user: AsUser, small_tree: dict[str, Org]
) -> None:
    kept, browser = add(campaign), as_user("admin", "6101")
    assert browser.get(f"{PAGE}{kept.id}").status_code == 404
    assert browser.post(f"{PAGE}{kept.id}", data=sent_form()).status_code == 404
    assert browser.post(f"{PAGE}{kept.id}/remove").status_code == 404
    assert browser.post(f"{PAGE}new", data=sent_form()).status_code == 404
    assert browser.get(f"{PAGE}{2**70}").status_code == 404
    assert browser.get(f"{PAGE}?year=99999").status_code == 404
    assert bands() == [0]
