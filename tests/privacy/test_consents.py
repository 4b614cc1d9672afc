"""Consents: recorded with their evidence, withdrawn once, counted where they are missing."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.org.scope import Scope
from core.people.merging import merge
from core.people.models import Person
from core.people.personal import erase, show_data
from core.privacy.consents import Missing, consents_of, give, missing, withdraw
from core.privacy.models import Consent
from core.users.access import today
from core.users.testing import AsUser, MakeUser
from tests.people.conftest import pair as pair

pytestmark = pytest.mark.services
Pair = tuple[Person, Person]
EVERYWHERE = Scope.of(["/61/"])
DAY = date(2014, 3, 1)
GIVEN = {"processing": "payment", "given_on": "2014-03-01", "evidence": "档案盒 12"}


def test_a_consent_is_recorded_shown_and_withdrawn(as_user: AsUser, pair: Pair) -> None:
    clerk, address = as_user("clerk"), f"/people/{pair[0].id}/consents"
    assert clerk.post(address, data=GIVEN).status_code == 302
    [(consent, processing)] = consents_of(pair[0].id)
    assert (consent.given_on, consent.evidence, processing.sensitive) == (DAY, "档案盒 12", True)
    assert "档案盒 12" in as_user("auditor").get(address).text
    assert clerk.post(f"{address}/{consent.id}/withdraw").status_code == 302
    db.session.expire_all()
    assert consent.withdrawn_on == today()
    assert clerk.post(f"{address}/{consent.id}/withdraw").status_code == 409
    trail = select(AuditLine.action, AuditLine.data).where(AuditLine.action.startswith("people.consent"))
    assert [tuple(line) for line in db.session.execute(trail.order_by(AuditLine.id))] == [
        ("people.consent", {"processing": "payment"}),
        ("people.consent_withdrawn", {"processing": "payment"}),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"processing": "none"}, "processing"),
        ({"given_on": today() + timedelta(days=1)}, "given_on"),
        ({"evidence": " "}, "evidence"),
        ({"evidence": "13900001234"}, "evidence"),
    ],
)
def test_what_is_no_consent_is_refused(pair: Pair, make_user: MakeUser, change: dict[str, object], field: str) -> None:
    values: dict[str, object] = {"processing": "payment", "given_on": today(), "evidence": "档案盒"}
    with pytest.raises(ZhijiaError) as refusal:
        give(make_user("clerk"), pair[0].id, **(values | change))  # type: ignore[arg-type]  # wrong on purpose
    assert refusal.value.field == field


def test_the_same_consent_is_given_once_while_it_holds(pair: Pair, make_user: MakeUser) -> None:
    clerk = make_user("clerk")
    give(clerk, pair[0].id, "payment", DAY, "一")
    with pytest.raises(Refused, match="on record already"):
        give(clerk, pair[0].id, "payment", DAY, "二")
    db.session.rollback()
    withdraw(clerk, pair[0].id, consents_of(pair[0].id)[0][0].id)
    give(clerk, pair[0].id, "payment", DAY, "二")
    assert len(consents_of(pair[0].id)) == 2


def test_whoever_may_not_edit_records_nothing(pair: Pair, make_user: MakeUser, as_user: AsUser) -> None:
    for user in (make_user("auditor"), make_user("clerk", "6102")):
        with pytest.raises(Forbidden):
            give(user, pair[0].id, "payment", DAY, "一")
        db.session.rollback()
    give(make_user("clerk", username="third"), pair[0].id, "payment", DAY, "一")
    with pytest.raises(NotFound):  # of somebody else
        withdraw(make_user("clerk", username="fourth"), pair[1].id, consents_of(pair[0].id)[0][0].id)
    assert as_user("clerk", "6102").get(f"/people/{pair[0].id}/consents").status_code == 404


def test_missing_consents_are_counted_by_union_and_not_where_a_law_has_us_do_it(
    pair: Pair, make_user: MakeUser
) -> None:
    clerk = make_user("clerk")
    here = {(one.org, one.people) for one in missing(EVERYWHERE)}
    assert len(missing(EVERYWHERE)) == 4 and {count for _org, count in here} == {1}  # two unions, two purposes
    assert "会员登记和管理" not in {one.processing for one in missing(EVERYWHERE)}
    give(clerk, pair[0].id, "payment", DAY, "一")
    give(clerk, pair[0].id, "hardship", DAY, "一")
    left = missing(EVERYWHERE)
    assert [one.people for one in left] == [1, 1]
    assert all(isinstance(one, Missing) for one in left)
    withdraw(clerk, pair[0].id, consents_of(pair[0].id)[0][0].id)
    assert len(missing(EVERYWHERE)) == 3
    assert missing(Scope.of(["/61/6102/"])) == []


def test_consents_follow_a_merge_and_go_with_the_person(pair: Pair, make_user: MakeUser) -> None:
    kept, dropped = pair
    give(make_user("clerk"), dropped.id, "payment", DAY, "档案盒")
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert len(consents_of(kept.id)) == 1
    assert any("档案盒" in record.values.values() for record in show_data(SYSTEM, EVERYWHERE, kept.id))
    erase(SYSTEM, EVERYWHERE, kept.id, "本人申请")
    assert db.session.query(Consent).count() == 0
