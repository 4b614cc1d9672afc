import pytest
from sqlalchemy import func, select, update
from stdnum.cn.ric import calc_check_digit

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.people.secrets import decrypt, digest
from core.people.services import PersonRow, Registered, register_people

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("tree")]

EVERYWHERE = Scope.of(["/99/"])


def row(serial: int, org_code: str = "990101001", name: str = "单小芳", **more: str) -> PersonRow:
    first = f"99010119900101{serial:03d}"
    return PersonRow(org_code, name, first + calc_check_digit(first + "0"), **more)


def on_file() -> int:
    return db.session.scalars(select(func.count()).select_from(Person)).one()


@pytest.mark.parametrize("code", ["nowhere", "990201100"])
def test_an_org_out_of_scope_looks_like_none_at_all(code: str) -> None:
    with pytest.raises(Refused, match=code):
        register_people(SYSTEM, [row(1), row(2, code)], Scope.of(["/99/9901/"]))
    assert on_file() == 0
    assert register_people(SYSTEM, [row(1)], Scope.of(["/99/9901/"])).added == 1  # nothing is left of the refused try


def test_nobody_is_taken_on_file_without_a_scope_or_for_an_org_given_up() -> None:
    with pytest.raises(Refused):
        register_people(SYSTEM, [row(1)], Scope())
    db.session.execute(update(Org).where(Org.code == "990101001").values(active=False))
    db.session.commit()
    with pytest.raises(Refused):
        register_people(SYSTEM, [row(1)], EVERYWHERE)


def test_a_person_is_kept_sealed_with_all_that_the_number_tells() -> None:
    given = row(1, phone="13900001234", bank_account="6222021234567890123", bank_name="长安银行")
    assert register_people(SYSTEM, [given], EVERYWHERE) == Registered(added=1, known=0, elsewhere=0)
    person = db.session.scalars(select(Person)).one()
    assert (person.name, person.pinyin, person.initials) == ("单小芳", "shanxiaofang", "sxf")
    assert (person.gender, person.born_on.isoformat()) == ("M", "1990-01-01")
    assert person.org_path == "/99/9901/990101/990101001/"
    assert decrypt("id_number", person.id_number) == given.id_number
    assert person.id_number_digest == digest("id_number", given.id_number)
    assert person.phone is not None and person.bank_account is not None
    assert decrypt("phone", person.phone) == "13900001234"
    assert decrypt("bank_account", person.bank_account) == "6222021234567890123"
    assert (person.id_number_tail, person.phone_tail, person.bank_account_tail) == (
        given.id_number[-4:],
        "1234",
        "0123",
    )


def test_what_is_not_known_stays_empty() -> None:
    register_people(SYSTEM, [row(1)], EVERYWHERE)
    person = db.session.scalars(select(Person)).one()
    assert person.phone is person.phone_digest is person.bank_account is person.bank_account_digest is None
    assert person.phone_tail is person.bank_account_tail is person.bank_name is None


def test_a_known_person_keeps_name_and_org() -> None:
    register_people(SYSTEM, [row(1)], EVERYWHERE)
    again = [row(1, "990201100", "别小芳"), row(1), row(2), row(2, "990101100")]
    assert register_people(SYSTEM, again, EVERYWHERE) == Registered(added=1, known=3, elsewhere=2)
    people = db.session.execute(select(Person.name, Person.org_path).order_by(Person.id)).all()
    assert people == [("单小芳", "/99/9901/990101/990101001/")] * 2


def test_a_line_is_written_for_those_added_at_the_org_above_them_all() -> None:
    register_people(SYSTEM, [row(1), row(2, "990101100")], EVERYWHERE)
    register_people(SYSTEM, [row(1)], EVERYWHERE)
    assert register_people(SYSTEM, [], EVERYWHERE) == Registered(0, 0, 0)
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "people.register")).all()
    assert [(line.org_path, line.data) for line in lines] == [("/99/9901/990101/", {"added": 2, "known": 0})]
