"""Two files that are one person: what is refused, what is taken over, and whom the numbers lead to."""

from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import NotFound, Refused
from core.extensions import db
from core.org.scope import Scope
from core.people.listing import PEOPLE
from core.people.merging import compare, merge
from core.people.models import Person
from core.people.personal import erase
from core.people.queries import by_id, by_id_number, person_id_of
from core.people.secrets import decrypt, digest
from core.people.services import PersonRow, Registered, register_people
from core.users.testing import AsUser
from core.wall import beyond_scope
from tests.lists.reading import lines
from tests.people.conftest import number

pytestmark = pytest.mark.services
EVERYWHERE, XINCHENG = Scope.of(["/61/"]), Scope.of(["/61/6101/610102/"])
Pair = tuple[Person, Person]


def third(org_code: str = "610103") -> Person:
    """One more file of the same woman."""
    register_people(SYSTEM, [PersonRow(org_code, "单小芳", number(5), "13900005678")], EVERYWHERE)
    return db.session.query(Person).order_by(Person.id.desc()).first()  # type: ignore[return-value]


def test_a_file_is_not_merged_into_itself(pair: Pair) -> None:
    kept, _dropped = pair
    with pytest.raises(Refused, match="this very file"):
        merge(SYSTEM, EVERYWHERE, kept.id, kept.id)
    with pytest.raises(Refused, match="this very file"):
        compare(EVERYWHERE, kept.id, number(1))


def test_a_file_of_others_and_one_that_is_not_there_are_refused_alike(pair: Pair) -> None:
    kept, dropped = pair
    said = set()
    for scope, kept_id, dropped_id in [
        (XINCHENG, kept.id, dropped.id),
        (XINCHENG, dropped.id, kept.id),
        (EVERYWHERE, kept.id, 999),
        (EVERYWHERE, 999, kept.id),
        (Scope(), kept.id, dropped.id),
    ]:
        with pytest.raises(NotFound) as refusal:
            merge(SYSTEM, scope, kept_id, dropped_id)
        said.add((str(refusal.value), refusal.value.field))
    for scope, wanted in [(XINCHENG, number(3)), (EVERYWHERE, number(9))]:
        with pytest.raises(NotFound) as refusal:
            compare(scope, kept.id, wanted)
        said.add((str(refusal.value), refusal.value.field))
    assert said == {("There is no file with this identity number that you may change.", "id_number")}


def test_a_merged_file_is_neither_kept_nor_merged_again(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    other = third()
    for kept_id, dropped_id in [(other.id, dropped.id), (dropped.id, other.id), (dropped.id, kept.id)]:
        with pytest.raises(Refused, match="merged into another already"):
            merge(SYSTEM, EVERYWHERE, kept_id, dropped_id)


def test_an_inactive_file_is_merged_but_not_kept(pair: Pair) -> None:
    kept, dropped = pair
    dropped.active = False
    db.session.commit()
    with pytest.raises(Refused, match="not active"):
        merge(SYSTEM, EVERYWHERE, dropped.id, kept.id)
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)


def test_an_erased_file_is_not_merged(pair: Pair) -> None:
    kept, dropped = pair
    erase(SYSTEM, EVERYWHERE, dropped.id, "本人申请")
    for kept_id, dropped_id in [(kept.id, dropped.id), (dropped.id, kept.id)]:
        with pytest.raises(Refused, match="erased"):
            merge(SYSTEM, EVERYWHERE, kept_id, dropped_id)


def test_what_is_missing_is_taken_over_and_still_opens(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert (kept.active, kept.merged_into_id) == (True, None)
    assert (dropped.active, dropped.merged_into_id) == (False, kept.id)
    assert decrypt("phone", kept.phone or b"") == "13900001234"
    assert decrypt("bank_account", kept.bank_account or b"") == "6222021234567890123"
    assert kept.bank_account_digest == digest("bank_account", "6222021234567890123")
    assert (kept.phone_tail, kept.bank_account_tail, kept.bank_name) == ("1234", "0123", "长安银行")
    assert decrypt("id_number", kept.id_number) == number(1)
    assert dropped.bank_account_tail == "0123"  # what was posted under it is still to be sent to the bank


def test_what_is_there_stays(pair: Pair) -> None:
    first, second = pair
    merge(SYSTEM, EVERYWHERE, second.id, first.id)
    assert (second.phone_tail, second.bank_account_tail, second.org_path) == ("1234", "0123", "/61/6101/610103/")
    other = third()
    merge(SYSTEM, EVERYWHERE, second.id, other.id)
    assert second.phone_tail == "1234"


def test_whoever_was_merged_before_follows(pair: Pair) -> None:
    first, second = pair
    merge(SYSTEM, EVERYWHERE, second.id, first.id)
    other = third()
    merge(SYSTEM, EVERYWHERE, other.id, second.id)
    assert (first.merged_into_id, second.merged_into_id) == (other.id, other.id)


def test_both_numbers_lead_to_the_kept_file(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    for serial in (1, 3):
        found = by_id_number(EVERYWHERE, number(serial))
        assert found is not None and found.id == kept.id
        assert db.session.scalar(
            select(Person.id).where(Person.id == person_id_of(digest("id_number", number(serial))))
        )
    assert by_id_number(Scope.of(["/61/6101/610103/"]), number(3)) is None  # the kept file is not theirs
    assert [line.id for line in lines(PEOPLE, EVERYWHERE)] == [kept.id]
    assert [line.id for line in lines(PEOPLE, EVERYWHERE, text="sxf")] == [kept.id]
    view = by_id(EVERYWHERE, dropped.id)
    assert view is not None and view.merged_into == kept.id


def test_a_number_joins_to_the_kept_file_from_a_column(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    numbers = select(Person.id, Person.id_number_digest).subquery()
    joined = select(numbers.c.id, Person.id).join(Person, Person.id == person_id_of(numbers.c.id_number_digest))
    assert dict(db.session.execute(joined).all()) == {kept.id: kept.id, dropped.id: kept.id}


def test_the_number_of_a_merged_file_is_known(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    again = [PersonRow("610103", "单小芳", number(3)), PersonRow("610102001", "单小芳", number(1))]
    assert register_people(SYSTEM, again, EVERYWHERE) == Registered(added=0, known=2, elsewhere=0)
    assert db.session.scalar(select(func.count()).select_from(Person)) == 2


def test_each_file_has_its_line_in_the_audit_without_anything_personal(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "people.merge").order_by(AuditLine.id)).all()
    assert [(line.object, line.org_path, line.data) for line in lines] == [
        (f"person:{kept.id}", kept.org_path, {"dropped": dropped.id, "taken": ["phone", "bank_account"]}),
        (f"person:{dropped.id}", dropped.org_path, {"kept": kept.id}),
    ]


def test_the_database_keeps_merged_and_erased_files_inactive(pair: Pair) -> None:
    kept, dropped = pair
    kept_id, dropped_id = kept.id, dropped.id
    for values in (
        {"merged_into_id": kept_id},
        {"erased_at": func.now()},
        {"merged_into_id": dropped_id, "active": False},
    ):
        with pytest.raises(IntegrityError):
            db.session.execute(update(Person).where(Person.id == dropped_id).values(values))
        db.session.rollback()


def test_two_merges_at_once_take_turns(app: Flask, pair: Pair) -> None:
    kept, dropped = pair
    kept_id, dropped_id = kept.id, dropped.id
    db.session.commit()
    said: list[str] = []

    def other_way_round() -> None:
        with app.app_context(), beyond_scope("a test"):
            try:
                merge(SYSTEM, EVERYWHERE, dropped_id, kept_id)
            except Refused as refusal:
                said.append(str(refusal))

    with db.engine.connect() as first:
        first.execute(text("SELECT FROM core_person ORDER BY id FOR NO KEY UPDATE"))
        thread = Thread(target=other_way_round)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        first.execute(
            text("UPDATE core_person SET active = false, merged_into_id = :kept WHERE id = :dropped"),
            {"kept": kept_id, "dropped": dropped_id},
        )
        first.commit()
    thread.join(10)
    assert said == ["One of the two files has been merged into another already."]


def test_a_merge_keeps_its_way_on_the_pages(as_user: AsUser, pair: Pair) -> None:
    kept, dropped = pair
    kept_id, dropped_id = kept.id, dropped.id
    browser = as_user("clerk", "6101")
    assert f"/people/{kept_id}/duplicate" in browser.get(f"/people/{kept_id}").text
    page = browser.post(f"/people/{kept_id}/duplicate", data={"id_number": number(3)})
    assert page.status_code == 200
    for shown in (number(1)[-4:], number(3)[-4:], "*******1234", "**** 0123", f'name="dropped" value="{dropped_id}"'):
        assert shown in page.text
    for secret in (number(1), number(3), "13900001234", "6222021234567890123"):
        assert secret not in page.text
    assert db.session.get_one(Person, dropped_id).merged_into_id is None
    answer = browser.post(f"/people/{kept_id}/merge", data={"dropped": dropped_id}, follow_redirects=True)
    assert (answer.status_code, "*******1234" in answer.text) == (200, True)
    assert f'href="/people/{kept_id}"' in browser.get(f"/people/{dropped_id}").text
    assert browser.post("/people/view", data={"do": "find", "id_number": number(3)}).headers["Location"] == (
        f"/people?person={kept_id}"
    )
    elsewhere = as_user("clerk", "610103").get(f"/people/{dropped_id}")
    assert (elsewhere.status_code, f'href="/people/{kept_id}"' in elsewhere.text) == (200, False)


@pytest.mark.parametrize("text", ["", "1", number(1), number(9)])
def test_a_number_that_names_no_other_file_is_refused_at_its_field(as_user: AsUser, pair: Pair, text: str) -> None:
    answer = as_user("clerk").post(f"/people/{pair[0].id}/duplicate", data={"id_number": text})
    assert answer.status_code in (400, 404, 409)
    assert 'id="id_number-errors"' in answer.text
    assert number(1) not in answer.text.replace(f'value="{text}"', "")


def test_who_may_not_edit_there_merges_nothing(as_user: AsUser, pair: Pair) -> None:
    kept, dropped = pair[0].id, pair[1].id
    for browser, status in [(as_user("reviewer"), 403), (as_user("clerk", "6102"), 404)]:
        assert browser.post(f"/people/{kept}/duplicate", data={"id_number": number(3)}).status_code == status
        assert browser.post(f"/people/{kept}/merge", data={"dropped": dropped}).status_code == status
    county = as_user("clerk", "610102")  # sees the file to keep, but not the other one
    assert county.post(f"/people/{kept}/duplicate", data={"id_number": number(3)}).status_code == 404
    assert county.post(f"/people/{kept}/merge", data={"dropped": dropped}).status_code == 404
    assert f"/people/{kept}/duplicate" not in as_user("reviewer").get(f"/people/{kept}").text
    assert db.session.get_one(Person, dropped).merged_into_id is None


@pytest.mark.parametrize("dropped", ["", "x", "0", "9" * 30])
def test_a_merge_without_a_file_is_a_sentence(as_user: AsUser, pair: Pair, dropped: str) -> None:
    assert as_user("clerk").post(f"/people/{pair[0].id}/merge", data={"dropped": dropped}).status_code in (400, 404)


def test_files_that_differ_are_warned_about(as_user: AsUser, pair: Pair) -> None:
    browser = as_user("clerk")
    kept, dropped = pair
    compared = f"/people/{kept.id}/duplicate"
    assert "alert-warning" not in browser.post(compared, data={"id_number": number(3)}).text
    dropped.name = "单小方"
    db.session.commit()
    assert "alert-warning" in browser.post(compared, data={"id_number": number(3)}).text
