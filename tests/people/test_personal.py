"""What is kept about a person: shown to few and on record, erased so that nothing leads back."""

import pytest
from flask import Flask
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.cli import zhijia
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db
from core.org.scope import Scope
from core.people.listing import PEOPLE
from core.people.merging import merge
from core.people.models import Person
from core.people.personal import ERASED_NAME, erase, show_data
from core.people.queries import by_id, by_id_number
from core.people.secrets import decrypt, digest
from core.people.services import PersonRow, Registered, register_people
from core.users.testing import PASSWORD, AsUser
from tests.lists.reading import lines
from tests.people.conftest import number

pytestmark = pytest.mark.services
EVERYWHERE, XINCHENG = Scope.of(["/61/"]), Scope.of(["/61/6101/610102/"])
Pair = tuple[Person, Person]


def actions(action: str) -> list[AuditLine]:
    return list(db.session.scalars(select(AuditLine).where(AuditLine.action == action)))


def test_a_person_out_of_scope_is_neither_shown_nor_erased(pair: Pair) -> None:
    for person_id in (pair[1].id, 999):
        with pytest.raises(NotFound):
            show_data(SYSTEM, XINCHENG, person_id)
        with pytest.raises(NotFound):
            erase(SYSTEM, XINCHENG, person_id, "本人申请")
    assert actions("people.data_shown") == actions("people.erase") == []


def test_a_merged_file_is_asked_for_under_the_kept_one(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    with pytest.raises(Refused, match=f"file {kept.id}"):
        show_data(SYSTEM, EVERYWHERE, dropped.id)
    with pytest.raises(Refused, match=f"file {kept.id}"):
        erase(SYSTEM, EVERYWHERE, dropped.id, "本人申请")


def test_the_file_and_those_merged_into_it_are_shown_masked_and_on_record(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    first, second = show_data(SYSTEM, EVERYWHERE, kept.id)
    said = " ".join([*first.values.values(), *second.values.values()])
    assert (str(first.title), str(second.title)) == ("Personal data", "Merged file")
    assert number(1)[-4:] in said and number(3)[-4:] in said and "1990-01-01" in said
    assert number(1) not in said and "13900001234" not in said
    assert [(line.object, line.data) for line in actions("people.data_shown")] == [(f"person:{kept.id}", {})]


def test_only_administrators_and_auditors_open_the_page(as_user: AsUser, pair: Pair) -> None:
    address = f"/people/{pair[0].id}/data"
    for role in ("clerk", "reviewer", "finance", "leader"):
        browser = as_user(role)
        assert browser.get(address).status_code == 403
        assert address not in browser.get(f"/people/{pair[0].id}").text
    for role in ("admin", "auditor"):
        browser = as_user(role, "6101")
        assert number(1)[-4:] not in browser.get(address).text
        page = browser.post(address, data={"password": PASSWORD})
        assert (page.status_code, number(1)[-4:] in page.text, number(1) in page.text) == (200, True, False)
        assert address in browser.get(f"/people/{pair[0].id}").text
    assert as_user("auditor", "6102").get(address).status_code == 404
    assert len(actions("people.data_shown")) == 2


def test_erasing_needs_a_reason(pair: Pair) -> None:
    with pytest.raises(ZhijiaError) as refusal:
        erase(SYSTEM, EVERYWHERE, pair[0].id, " ")
    assert refusal.value.field == "reason"


def test_nothing_personal_is_left_and_nothing_leads_back(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    erase(SYSTEM, EVERYWHERE, kept.id, "本人申请")
    digests = {kept.id_number_digest, dropped.id_number_digest}
    assert len(digests) == 2 and not digests & {digest("id_number", text) for text in (number(1), number(3), "")}
    for file in pair:
        assert (file.name, file.pinyin, file.initials, file.id_number_tail) == (ERASED_NAME, "", "", "")
        assert (file.gender, file.born_on.isoformat(), file.active) == ("M", "1900-01-01", False)
        assert decrypt("id_number", file.id_number) == ""
        assert {file.phone, file.phone_digest, file.phone_tail, file.bank_account} == {None}
        assert {file.bank_account_digest, file.bank_account_tail, file.bank_name} == {None}
        assert file.erased_at is not None
    assert lines(PEOPLE, EVERYWHERE) == []
    assert by_id_number(EVERYWHERE, number(1)) is by_id_number(EVERYWHERE, number(3)) is None
    view = by_id(EVERYWHERE, kept.id)
    assert view is not None and view.erased
    (line,) = actions("people.erase")
    assert (line.object, line.data) == (f"person:{kept.id}", {"reason": "本人申请", "files": 2})


def test_an_erased_person_is_not_erased_again_but_may_come_anew(pair: Pair) -> None:
    kept, _dropped = pair
    erase(SYSTEM, EVERYWHERE, kept.id, "本人申请")
    with pytest.raises(Refused, match="before"):
        erase(SYSTEM, EVERYWHERE, kept.id, "本人申请")
    anew = [PersonRow("610102001", "单小芳", number(1))]
    assert register_people(SYSTEM, anew, EVERYWHERE) == Registered(added=1, known=0, elsewhere=0)


def test_an_erased_file_shows_nothing_of_a_person(as_user: AsUser, pair: Pair) -> None:
    kept, _dropped = pair
    erase(SYSTEM, EVERYWHERE, kept.id, "本人申请")
    browser = as_user("admin")
    page = browser.get(f"/people/{kept.id}")
    assert page.status_code == 200
    assert "1900" not in page.text and "<dl" not in page.text
    shown = browser.post(f"/people/{kept.id}/data", data={"password": PASSWORD})
    assert (shown.status_code, "1900" in shown.text) == (200, False)


def test_the_command_erases_after_asking(app: Flask, pair: Pair) -> None:
    kept, dropped = pair
    command = app.test_cli_runner()

    def erase_by(*arguments: str, said: str = "") -> tuple[int, str]:
        result = command.invoke(zhijia, ["people", "erase", *arguments, "--reason", "本人申请"], input=said)
        return result.exit_code, result.output

    assert erase_by(number(1), said="n\n")[0] == 1
    assert kept.erased_at is None
    assert erase_by(number(1), "--id", str(kept.id), "--yes")[0] == 2
    code, output = erase_by(said=f"{number(1)}\ny\n")
    assert (code, f"erased file {kept.id}" in output) == (0, True)
    assert "单*芳" in output and number(1) not in output and "单小芳" not in output
    assert erase_by("--id", str(dropped.id), "--yes")[0] == 0
    db.session.expire_all()
    assert kept.erased_at is not None and dropped.erased_at is not None


@pytest.mark.parametrize("arguments", [["--id", "999"], [number(9)], ["1"]])
def test_the_command_says_whom_it_does_not_find(app: Flask, pair: Pair, arguments: list[str]) -> None:
    result = app.test_cli_runner().invoke(zhijia, ["people", "erase", *arguments, "--reason", "x", "--yes"])
    assert isinstance(result.exception, ZhijiaError)
