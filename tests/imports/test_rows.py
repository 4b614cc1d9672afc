"""What is said of single rows, and what a row that is right comes to."""

from datetime import date

import pytest

from core.extensions import db
from core.people.models import Person
from core.programs.models import ProgramYear
from core.users.models import User
from tests.imports.conftest import RunJobs, Upload, errors_of, good_row, merge, xlsx
from tests.plugins_for_tests.reading_club.registers import Member
from tests.registers.conftest import id_number

pytestmark = pytest.mark.services
#: What is changed in a row that is right, and a part of the one sentence that must be said about it.
FAULTS: list[tuple[dict[str, object], str]] = [
    ({"name": ""}, "“Name” is missing"),
    ({"name": "王" * 61}, "“Name”: Field cannot be longer than 60"),
    ({"id_number": ""}, "“Identity number” is missing"),
    ({"id_number": "610102800101002"}, "old identity number"),
    ({"id_number": "610102198001010021"}, "check digit"),
    ({"id_number": 610102198001010020}, "lost the last digits of “Identity number”"),
    ({"org_code": ""}, "“Code of the union” is missing"),
    ({"org_code": "999999"}, "no union with the code “999999”"),
    ({"kind": ""}, "“Kind” is missing"),
    ({"kind": "Member"}, "“Kind”: “Member” is none of Full member、Guest"),
    ({"phone": "123"}, "phone number"),
    ({"bank_account": "12345678901"}, "12 to 19 digits"),
    ({"bank_account": 6222020000000000001}, "lost the last digits of “Bank account”"),
    ({"note": "病" * 21}, "“Note”: Field cannot be longer than 20"),
    ({"books": "three"}, "“Books”: Not a valid integer"),
    ({"books": "101"}, "“Books”: Number must be between 0 and 100"),
    ({"fee_fen": "free"}, "“Fee”: “free” is not an amount"),
    ({"joined_on": "2014-02-30"}, "“Joined”: Not a valid date"),
    ({"left_on": "2014-01-04"}, "“Left”: Left before joining."),
    ({"active": "perhaps"}, "“Active”: “perhaps” is neither yes nor no"),
]


def test_what_is_wrong_with_a_row_is_said_in_one_sentence(upload: Upload) -> None:
    one = upload(xlsx([good_row(number, **changes) for number, (changes, _sentence) in enumerate(FAULTS)]))
    assert (one.state, one.good, one.bad) == ("staged", 0, len(FAULTS))
    errors = errors_of(one)
    for line, (changes, sentence) in enumerate(FAULTS, start=2):
        assert len(errors[line]) == 1, (changes, errors[line])
        assert sentence in errors[line][0]


def test_a_row_that_is_wrong_in_several_ways_has_a_sentence_for_each(upload: Upload) -> None:
    one = upload(xlsx([good_row(1, name="", kind="x", phone="1")]))
    assert len(errors_of(one)[2]) == 3


#: What is typed into a column, and what the register holds then.
TAKEN: list[tuple[str, object, object]] = [
    ("kind", "full", "full"),
    ("kind", " FULL MEMBER ", "full"),
    ("books", "１２", 12),
    ("books", 12, 12),
    ("books", "", None),
    ("fee_fen", "0.25万元", 2_500_00),
    ("fee_fen", "１２．５０元", 12_50),
    ("fee_fen", 12.5, 12_50),
    ("joined_on", date(2014, 1, 5), date(2014, 1, 5)),
    ("joined_on", "2014-1-5", date(2014, 1, 5)),
    ("joined_on", "2014年1月5日", date(2014, 1, 5)),
    ("joined_on", "2014/1/5", date(2014, 1, 5)),
    ("joined_on", "2014.01.05", date(2014, 1, 5)),
    ("joined_on", "20140105", date(2014, 1, 5)),
    ("joined_on", "２０１４－１－５", date(2014, 1, 5)),
    ("active", "否", False),
    ("active", "√", True),
    ("active", "", False),
    ("note", "=1+1", "=1+1"),
    ("note", "😀 \u200f\u05e2\u05d1", "😀 \u200f\u05e2\u05d1"),
]


@pytest.mark.parametrize(("field", "typed", "held"), TAKEN)
def test_what_people_type_is_taken(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs, field: str, typed: object, held: object
) -> None:
    shown = typed.isoformat() if isinstance(typed, date) else typed
    one = merge(upload(xlsx([good_row(1, **{field: shown})])), clerk, clubs, run_jobs)
    assert (one.state, one.added) == ("merged", 1)
    assert getattr(db.session.query(Member).one(), field) == held


def test_numbers_of_people_are_taken_in_full_width(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    wide = id_number(1).translate({ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789X"})
    one = merge(upload(xlsx([good_row(1, id_number=wide)])), clerk, clubs, run_jobs)
    assert one.added == 1
    assert db.session.query(Person).one().id_number_tail == id_number(1)[-4:]
