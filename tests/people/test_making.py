from collections import Counter
from itertools import islice

import pytest
from flask import Flask
from sqlalchemy import func, select
from stdnum import luhn

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import NotFound, Refused
from core.extensions import db
from core.org.models import Org
from core.org.queries import by_code
from core.people import fictional
from core.people.cli import people as command
from core.people.fictional import fictional_people
from core.people.making import MOST_PEOPLE, Made, make_people
from core.people.models import Person
from core.people.numbers import parse_bank_account, parse_id_number, parse_phone
from core.people.secrets import digest

TOWNSHIPS = ["990101001", "990101100", "990201100"]


def org(code: str) -> Org:
    found = by_code(code)
    assert found is not None
    return found


def test_a_stream_is_reproducible_and_a_longer_one_begins_the_same() -> None:
    first = list(islice(fictional_people(7, "99", TOWNSHIPS), 100))
    assert first == list(islice(fictional_people(7, "99", TOWNSHIPS), 5000))[:100]
    assert first != list(islice(fictional_people(8, "99", TOWNSHIPS), 100))
    assert first != list(islice(fictional_people(7, "9901", TOWNSHIPS), 100))


def test_every_township_has_people_and_not_all_as_many() -> None:
    people = list(islice(fictional_people(7, "99", TOWNSHIPS), 3000))
    assert [person.org_code for person in people[:3]] == TOWNSHIPS
    sizes = {code: sum(person.org_code == code for person in people) for code in TOWNSHIPS}
    assert len(set(sizes.values())) == 3


def test_made_up_numbers_are_valid_and_of_the_place() -> None:
    people = list(islice(fictional_people(7, "99", TOWNSHIPS), 3000))
    assert len({person.id_number for person in people}) == 3000
    for person in people:
        checked = parse_id_number(person.id_number)
        assert 1955 <= checked.born_on.year <= 2005
        assert person.id_number[:6] == person.org_code[:6]
        assert parse_phone(person.phone or "") == person.phone
        assert parse_bank_account(person.bank_account or "") == luhn.validate(person.bank_account or "")
        assert person.bank_name
        assert 2 <= len(person.name) <= 3


def test_an_area_gives_each_of_its_numbers_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fictional, "NUMBERS_OF_AREA", 1000)
    people = []
    with pytest.raises(Refused, match="990101 has no fictional identity numbers left"):
        for person in fictional_people(7, "99", TOWNSHIPS[:1]):
            people.append(person)
    assert len({person.id_number for person in people}) == len(people) == 1000


@pytest.mark.services
@pytest.mark.usefixtures("tree")
class TestMaking:
    @pytest.mark.parametrize("count", [0, -1, MOST_PEOPLE + 1])
    def test_a_count_out_of_range_is_refused(self, count: int) -> None:
        with pytest.raises(Refused, match=str(MOST_PEOPLE)):
            make_people(SYSTEM, count, 1, org("99"))

    def test_an_org_without_townships_is_refused(self) -> None:
        with pytest.raises(Refused, match="辛社区工会"):
            make_people(SYSTEM, 1, 1, org("990101001001"))

    def test_the_same_seed_adds_nobody_twice(self) -> None:
        assert make_people(SYSTEM, 300, 1, org("99")) == Made(added=300, already=0)
        assert make_people(SYSTEM, 300, 1, org("99")) == Made(added=0, already=300)
        assert make_people(SYSTEM, 310, 1, org("99")) == Made(added=10, already=300)
        lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "people.make")).all()
        assert [line.data["added"] for line in lines] == [300, 10]

    def test_a_number_taken_by_another_seed_is_made_up_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fictional, "NUMBERS_OF_AREA", 1000)
        assert make_people(SYSTEM, 500, 1, org("9902")) == Made(added=500, already=0)
        assert make_people(SYSTEM, 400, 2, org("9902")) == Made(added=400, already=0)
        assert make_people(SYSTEM, 400, 2, org("9902")) == Made(added=0, already=400)
        assert db.session.scalars(select(func.count()).select_from(Person)).one() == 900

    def test_people_stay_below_the_org(self) -> None:
        make_people(SYSTEM, 50, 1, org("9901"))
        make_people(SYSTEM, 20, 1, org("990201100"))
        counts = Counter(db.session.scalars(select(Person.org_path)))
        assert counts.pop("/99/9902/990201/990201100/") == 20
        assert set(counts) == {"/99/9901/990101/990101001/", "/99/9901/990101/990101100/"}
        assert sum(counts.values()) == 50

    def test_the_command_prints_what_it_added(self, app: Flask) -> None:
        runner = app.test_cli_runner()
        arguments = ["make", "--count", "5", "--seed", "1", "--org", "99"]
        assert runner.invoke(command, arguments).output == "added 5, already there 0\n"
        assert runner.invoke(command, arguments).output == "added 0, already there 5\n"
        assert isinstance(runner.invoke(command, [*arguments[:-1], "98"]).exception, NotFound)

    def test_the_command_shows_people_who_are_on_file(self, app: Flask) -> None:
        arguments = ["make", "--count", "2", "--seed", "1", "--org", "99", "--show", "3"]
        shown = app.test_cli_runner().invoke(command, arguments).output.splitlines()[1:]
        assert len(shown) == 2  # no more than there are
        for line in shown:
            number, name, _org_code = line.split()
            person = db.session.scalars(select(Person).where(Person.id_number_digest == digest("id_number", number)))
            assert person.one().name == name
