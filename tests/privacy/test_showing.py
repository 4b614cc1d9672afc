"""Numbers in full: for a purpose that stays on record, and not for too many people a day unseen."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from core.audit.models import AuditLine
from core.audit.queries import looks_at
from core.errors import NotFound, ZhijiaError
from core.extensions import db
from core.org.scope import Scope
from core.people.models import Person
from core.people.purposes import PURPOSES, Purpose
from core.privacy.models import PrivacyRule
from core.privacy.queries import SHOWN, count_shown_today, rule_of
from core.privacy.services import MANY_SHOWN, show_numbers
from core.tasks.models import Message
from core.users.testing import AsUser, MakeUser
from tests.people.conftest import number
from tests.people.conftest import pair as pair

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]
Pair = tuple[Person, Person]
EVERYWHERE, XINCHENG = Scope.of(["/61/"]), Scope.of(["/61/6101/610102/"])
CHECK = Purpose("identity")


def looks() -> list[AuditLine]:
    return list(db.session.scalars(select(AuditLine).where(AuditLine.action == SHOWN).order_by(AuditLine.id)))


def test_the_page_asks_what_for_and_keeps_what_was_typed(as_user: AsUser, pair: Pair) -> None:
    clerk = as_user("clerk", "6101")
    address = f"/people/{pair[1].id}"
    assert f'action="{address}/numbers"' in clerk.get(address).text
    refused = clerk.post(f"{address}/numbers", data={"purpose": "", "note": "核对名单"})
    assert refused.status_code == 400
    assert "Choose what it is for." in refused.text and "核对名单" in refused.text and number(3) not in refused.text
    assert looks() == []
    shown = clerk.post(f"{address}/numbers", data={"purpose": "contact", "note": "核对名单"})
    assert number(3) in shown.text and "13900001234" in shown.text
    [line] = looks()
    assert (line.object, line.data) == (f"person:{pair[1].id}", {"purpose": "contact", "note": "核对名单"})


def test_who_looked_is_told_to_who_may_see_all_data(as_user: AsUser, pair: Pair) -> None:
    clerk, address = as_user("clerk", "6101"), f"/people/{pair[1].id}"
    clerk.post(f"{address}/numbers", data={"purpose": "other", "note": "家属来访"})
    assert "Something else: 家属来访" in as_user("auditor", "6101").get(address).text
    assert "家属来访" not in clerk.get(address).text
    assert [line.actor for line in looks_at(EVERYWHERE, pair[1].id, [SHOWN])] == ["测试clerk"]
    assert looks_at(XINCHENG, pair[1].id, [SHOWN]) == []


@pytest.mark.parametrize(
    ("purpose", "field"),
    [
        (Purpose("fun"), "purpose"), (Purpose(""), "purpose"),
        (Purpose("other"), "note"), (Purpose("other", " "), "note"),
        (Purpose("identity", "手机13900001234"), "note"), (Purpose("identity", "1234567"), "note"),
    ],
)  # fmt: skip
def test_a_purpose_that_says_nothing_or_too_much_is_refused(
    pair: Pair, make_user: MakeUser, purpose: Purpose, field: str
) -> None:
    with pytest.raises(ZhijiaError) as refusal:
        show_numbers(make_user("clerk"), EVERYWHERE, pair[0].id, purpose)
    assert refusal.value.field == field
    db.session.rollback()
    assert looks() == []


def test_every_purpose_is_taken_and_six_digits_are_no_number(pair: Pair, make_user: MakeUser) -> None:
    clerk = make_user("clerk")
    for code in PURPOSES:
        show_numbers(clerk, EVERYWHERE, pair[0].id, Purpose(code, "第123456号"))
    assert [line.data["purpose"] for line in looks()] == list(PURPOSES)


def test_out_of_scope_and_unknown_look_the_same(pair: Pair, make_user: MakeUser) -> None:
    for person_id in (pair[1].id, 999):
        with pytest.raises(NotFound):
            show_numbers(make_user("clerk"), XINCHENG, person_id, CHECK)


def test_auditors_are_told_once_when_it_is_one_more_than_the_setting(pair: Pair, make_user: MakeUser) -> None:
    clerk = make_user("clerk", "6101")
    here, above, beside = make_user("auditor", "6101"), make_user("auditor", "61"), make_user("auditor", "6102")
    db.session.execute(update(PrivacyRule).values(shown_a_day=1))
    told = select(Message.user_id).where(Message.kind == MANY_SHOWN.code)
    for person in (pair[0], pair[0]):  # the same person twice is one
        show_numbers(clerk, EVERYWHERE, person.id, CHECK)
    assert list(db.session.scalars(told)) == []
    for _again in range(2):
        show_numbers(clerk, EVERYWHERE, pair[1].id, CHECK)
    assert sorted(db.session.scalars(told)) == sorted([here.id, above.id])
    assert beside.id not in set(db.session.scalars(told))
    [data] = set(map(str, db.session.scalars(select(Message.data))))
    assert clerk.username in data and clerk.name not in data


def test_a_day_ends_at_midnight_of_the_wall(pair: Pair, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = make_user("clerk")
    show_numbers(clerk, EVERYWHERE, pair[0].id, CHECK)
    assert count_shown_today(clerk.id) == 1
    tomorrow = (datetime.now(UTC) + timedelta(hours=8)).date() + timedelta(days=1)
    monkeypatch.setattr("core.privacy.queries.today", lambda: tomorrow)
    assert count_shown_today(clerk.id) == 0


def test_a_rule_holds_from_its_first_year(app: Flask) -> None:
    first = rule_of(2026)
    db.session.add(
        PrivacyRule(first_year=2027, shown_a_day=9, import_days=1, export_days=1, message_days=1, quiet_years=1)
    )
    db.session.flush()
    assert (rule_of(2026).shown_a_day, rule_of(2027).shown_a_day, rule_of(2030).shown_a_day) == (50, 9, 9)
    assert first.first_year == 2000
    assert rule_of().shown_a_day == (50 if date.today() < date(2027, 1, 1) else 9)
