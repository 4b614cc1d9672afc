"""The phone and the bank account of somebody on file, corrected: what is refused, what is kept, and who may."""

from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db
from core.org.scope import Scope
from core.people.correcting import Correction, correct_person
from core.people.merging import merge
from core.people.models import Person
from core.people.personal import erase
from core.people.queries import version_of
from core.people.secrets import decrypt, digest
from core.users.testing import AsUser
from core.wall import beyond_scope
from tests.people.conftest import number

pytestmark = pytest.mark.services
EVERYWHERE, XINCHENG = Scope.of(["/61/"]), Scope.of(["/61/6101/610102/"])
ACCOUNT, PHONE = "6299000000000000001", "13900009999"
Pair = tuple[Person, Person]


def correct(person: Person, scope: Scope = EVERYWHERE, **said: Any) -> None:
    correct_person(SYSTEM, scope, person.id, version_of(person), Correction(**said))


def trail() -> list[AuditLine]:
    return list(db.session.scalars(select(AuditLine).where(AuditLine.action == "people.correct")))


def held(person: Person) -> tuple[Any, ...]:
    db.session.expire_all()
    return person.phone, person.bank_account, person.bank_account_digest, person.bank_name, person.account_changed_at


def test_a_file_of_others_and_one_that_is_not_there_are_refused_alike(pair: Pair) -> None:
    _kept, other = pair
    before, said = held(other), set()
    for scope, person_id in ((XINCHENG, other.id), (EVERYWHERE, 999), (Scope(), other.id)):
        with pytest.raises(NotFound) as refusal:
            correct_person(SYSTEM, scope, person_id, version_of(other), Correction(phone=PHONE))
        said.add(str(refusal.value))
    assert len(said) == 1
    assert (held(other), trail()) == (before, [])


def test_a_merged_and_an_erased_file_stay_as_they_are(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    with pytest.raises(Refused, match="merged into another"):
        correct(dropped, phone=PHONE)
    erase(SYSTEM, EVERYWHERE, kept.id, "本人申请")
    with pytest.raises(Refused, match="erased"):
        correct(kept, phone=PHONE)
    assert held(kept)[:2] == (None, None)
    assert trail() == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"bank_account": ACCOUNT[:11], "bank_name": "秦川银行"}, "bank_account"),
        ({"bank_account": ACCOUNT + "9", "bank_name": "秦川银行"}, "bank_account"),
        ({"bank_account": ACCOUNT}, "bank_name"),
        ({"bank_account": ACCOUNT, "bank_name": " "}, "bank_name"),
        ({"bank_name": "秦川银行"}, "bank_account"),
        ({"bank_account": ACCOUNT, "bank_name": "秦川银行", "no_account": True}, "bank_account"),
        ({"bank_name": "秦川银行", "no_account": True}, "bank_account"),
        ({"bank_account": ACCOUNT, "bank_name": "秦川银行", "phone": "12345"}, "phone"),
        ({"phone": PHONE, "no_phone": True}, "phone"),
        ({}, None),
        ({"bank_account": "6222 0212 3456 7890 123", "bank_name": "长安银行", "phone": "139-0000-1234"}, None),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_changed(
    pair: Pair, said: dict[str, Any], field: str | None
) -> None:
    person = pair[1]
    before = held(person)
    with pytest.raises(ZhijiaError) as refusal:
        correct(person, **said)
    assert refusal.value.field == field
    assert (held(person), trail()) == (before, [])


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"bank_account": "6222029999999990123", "bank_name": "长安银行"},  # ends as the former one
        {"bank_account": "6222021234567890123", "bank_name": "秦川银行"},
        {"phone": "13911111234"},
        {"no_account": True},
    ],
)
def test_what_somebody_else_changed_meanwhile_is_not_overwritten(pair: Pair, meanwhile: dict[str, Any]) -> None:
    person = pair[1]
    seen = version_of(person)
    correct(person, **meanwhile)
    before = held(person)
    with pytest.raises(Refused, match="changed since you opened"):
        correct_person(SYSTEM, EVERYWHERE, person.id, seen, Correction(bank_account=ACCOUNT, bank_name="秦川银行"))
    assert held(person) == before
    assert len(trail()) == 1


def test_of_two_at_once_the_second_sees_what_the_first_has_done(app: Flask, pair: Pair) -> None:
    person_id, seen, said = pair[1].id, version_of(pair[1]), list[str]()
    db.session.commit()

    def second() -> None:
        with app.app_context(), beyond_scope("a test"):
            try:
                correct_person(SYSTEM, EVERYWHERE, person_id, seen, Correction(no_account=True))
            except Refused as refusal:
                said.append(str(refusal))

    with db.engine.connect() as first:
        first.execute(text("UPDATE core_person SET bank_name = '秦川银行' WHERE id = :id"), {"id": person_id})
        thread = Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        first.commit()
    thread.join(10)
    assert len(said) == 1 and "changed since you opened" in said[0]
    assert db.session.get_one(Person, person_id).bank_account_tail == "0123"


def test_another_account_is_kept_encrypted_and_the_database_writes_down_when(pair: Pair) -> None:
    person = pair[1]
    phone = person.phone
    assert person.account_changed_at is person.payee_changed_at is None
    correct(person, bank_account="６２９９ 0000-0000 0000 001", bank_name=" 秦川银行 ")
    sealed, marked = held(person)[1], person.account_changed_at
    assert sealed is not None and ACCOUNT.encode() not in sealed
    assert decrypt("bank_account", sealed) == ACCOUNT
    assert person.bank_account_digest == digest("bank_account", ACCOUNT)
    assert (person.bank_account_tail, person.bank_name, person.phone) == ("0001", "秦川银行", phone)
    assert marked is not None and person.payee_changed_at is not None
    [line] = trail()
    assert (line.object, line.org_path) == (f"person:{person.id}", person.org_path)
    assert line.data == {"changed": ["bank_account"]}
    correct(person, bank_account="6299000000000010001", bank_name="秦川银行")
    assert held(person)[4] > marked


def test_a_phone_alone_leaves_the_account(pair: Pair) -> None:
    person = pair[1]
    before = held(person)
    correct(person, phone="139 0000 9999")
    assert held(person)[1:] == before[1:]
    assert decrypt("phone", person.phone or b"") == PHONE
    assert (person.phone_digest, person.phone_tail) == (digest("phone", PHONE), "9999")
    assert trail()[0].data == {"changed": ["phone"]}


def test_what_is_there_no_more_is_emptied_with_all_that_belongs_to_it(pair: Pair) -> None:
    person = pair[1]
    correct(person, no_account=True, no_phone=True)
    assert held(person)[:4] == (None, None, None, None)
    assert person.account_changed_at is not None
    assert (person.phone_digest, person.phone_tail, person.bank_account_tail) == (None, None, None)
    with pytest.raises(ZhijiaError, match="stands in the file already"):
        correct(person, no_account=True)


def test_a_first_account_is_kept(pair: Pair) -> None:
    person = pair[0]
    person.active = False  # who has left may still be owed a payment
    db.session.commit()
    correct(person, bank_account="1" * 12, bank_name="秦川银行")
    assert (person.bank_account_tail, person.account_changed_at is None) == ("1111", False)


def test_the_way_of_a_correction(app: Flask, pair: Pair, as_user: AsUser) -> None:
    person, browser = pair[1], as_user("clerk", "6101")
    here = f"/people/{person.id}"
    page = browser.get(here).text
    assert f'action="{here}/correct"' in page
    assert "6222021234567890123" not in page
    sent = {"version": version_of(person), "bank_account": ACCOUNT, "bank_name": ""}
    answer = browser.post(f"{here}/correct", data=sent)
    assert answer.status_code == 400
    assert 'id="bank_name-errors"' in answer.text
    assert ACCOUNT in answer.text  # what was typed is not lost
    answer = browser.post(f"{here}/correct", data=sent | {"bank_name": "银" * 101})
    assert (answer.status_code, 'id="bank_name-errors"' in answer.text) == (400, True)
    answer = browser.post(f"{here}/correct", data=sent | {"bank_name": "秦川银行"}, follow_redirects=True)
    assert "**** 0001" in answer.text
    assert ACCOUNT not in answer.text
    late = browser.post(f"{here}/correct", data=sent | {"bank_name": "晚到银行"})
    assert late.status_code == 409
    assert (version_of(person) in late.text, "晚到银行" in late.text) == (True, True)
    assert browser.post(f"{here}/correct").status_code == 409


@pytest.mark.parametrize("role", ["admin", "reviewer", "finance", "auditor", "leader"])
def test_who_may_not_edit_people_is_offered_no_form(pair: Pair, as_user: AsUser, role: str) -> None:
    person, browser = pair[1], as_user(role)
    here, before = f"/people/{person.id}", held(pair[1])
    assert f"{here}/correct" not in browser.get(here).text
    sent = {"version": version_of(person), "phone": PHONE}
    assert browser.post(f"{here}/correct", data=sent).status_code == 403
    assert held(person) == before


def test_a_clerk_of_another_union_does_not_reach_the_file(pair: Pair, as_user: AsUser) -> None:
    person, before = pair[1], held(pair[1])
    sent = {"version": version_of(person), "phone": PHONE}
    for code in ("610102", "6102"):
        assert as_user("clerk", code).post(f"/people/{person.id}/correct", data=sent).status_code == 404
    assert held(person) == before
    assert as_user("clerk", "610103").post(f"/people/{person.id}/correct", data=sent).status_code == 302


def test_a_merged_file_offers_no_form(pair: Pair, as_user: AsUser) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    browser = as_user("clerk")
    assert f"/people/{dropped.id}/correct" not in browser.get(f"/people/{dropped.id}").text
    sent = {"version": version_of(dropped), "phone": PHONE}
    assert browser.post(f"/people/{dropped.id}/correct", data=sent).status_code == 409
    erase(SYSTEM, EVERYWHERE, kept.id, "本人申请")
    assert f"/people/{kept.id}/correct" not in browser.get(f"/people/{kept.id}").text
    assert number(1) not in browser.get(f"/people/{kept.id}").text
