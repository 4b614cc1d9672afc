"""Pairs and visits: what the form, an import and the tables take."""

import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from core.api import Person, ProgramYear, User, db, today
from core.files.models import File as Attached
from core.imports import services as imports
from core.imports.models import ImportRow
from core.users.testing import AsUser, MakeUser
from plugins.hardship_aid.pairing.models import Pair, PairVisit
from plugins.hardship_aid.pairing.registers import PAIR_VISITS, PAIRS
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.paired import LEADER, PAIR, VISIT, number_of, open_file, pair, sheet, visit

MakePerson = Callable[..., Person]
NO_FILE = "This worker has no file; open one first."
NO_PAIR = "No pair of this worker with a leader of this name stands on the day of the visit."
OTHER_YEAR = "This day does not lie in the year of these pages"
FUTURE = "This day lies in the future."


@pytest.fixture
def worker(program_year: ProgramYear, make_person: MakePerson) -> Person:
    person = make_person("610102")
    open_file(program_year, person)
    return person


@pytest.fixture
def clerk(program_year: ProgramYear, as_user: AsUser) -> FlaskClient:
    return as_user("clerk", "610102")


def send(clerk: FlaskClient, register: str, person: Person, values: dict[str, str]) -> Any:
    return clerk.post(f"{PAGES}/registers/{register}/add", data={"id_number": number_of(person)} | values)


def told(clerk: User, year: ProgramYear, register: Any, headings: Sequence[str], *rows: Sequence[object]) -> list[str]:
    """What an import says of each row."""
    one = imports.upload(clerk, register, year, sheet(headings, *rows), "list.xlsx")
    found = select(ImportRow.errors).where(ImportRow.import_id == one.id).order_by(ImportRow.line)
    return [" ".join(errors) for errors in db.session.scalars(found)]


def test_a_leader_is_paired_with_several_workers_and_a_worker_with_several_leaders(
    program_year: ProgramYear, clerk: FlaskClient, worker: Person, make_person: MakePerson
) -> None:
    other = make_person("610102")
    open_file(program_year, other)
    for person, leader in ((worker, LEADER), (worker, "李卫东"), (other, LEADER)):
        assert send(clerk, "pairs", person, PAIR | {"leader": leader}).status_code == 302
    made = db.session.scalars(select(Pair).order_by(Pair.id)).all()
    assert [(one.person_id, one.leader) for one in made] == [
        (worker.id, LEADER), (worker.id, "李卫东"), (other.id, LEADER)]  # fmt: skip
    assert {(one.org_path, one.rank, one.paired_on, one.ended_on) for one in made} == {
        (worker.org_path, "division", date(2014, 1, 10), None)
    }


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"leader": " "}, "This field is required."),
        ({"post": ""}, "This field is required."),
        ({"unit": ""}, "This field is required."),
        ({"rank": "minister"}, "Not a valid choice."),
        ({"paired_on": ""}, "This field is required."),
        ({"ended_on": "2014-01-09"}, "The pair ends before it begins."),
    ],
)
def test_what_no_pair_can_say_is_told_at_its_field(
    clerk: FlaskClient, worker: Person, values: dict[str, str], sentence: str
) -> None:
    page = send(clerk, "pairs", worker, PAIR | values)
    assert page.status_code == 400
    assert sentence in page.text
    assert db.session.scalars(select(Pair)).all() == []


def test_a_pair_may_begin_today_and_end_on_its_first_day_but_not_begin_tomorrow(
    clerk: FlaskClient, worker: Person
) -> None:
    now = today()
    page = send(clerk, "pairs", worker, PAIR | {"paired_on": (now + timedelta(days=1)).isoformat()})
    assert page.status_code == 400
    assert FUTURE in page.text
    assert (
        send(clerk, "pairs", worker, PAIR | {"paired_on": now.isoformat(), "ended_on": now.isoformat()}).status_code
        == 302
    )


def test_the_same_leader_is_paired_with_a_worker_once(clerk: FlaskClient, worker: Person) -> None:
    assert send(clerk, "pairs", worker, PAIR).status_code == 302
    again = send(clerk, "pairs", worker, PAIR)
    assert again.status_code == 400
    assert "The register has an entry with this value already." in again.text
    assert send(clerk, "pairs", worker, PAIR | {"post": "局长"}).status_code == 302
    with pytest.raises(IntegrityError, match="uq_hardship_aid_pair_person_id_leader_post_unit"):
        db.session.execute(text("UPDATE hardship_aid_pair SET post = '局长'"))


def test_a_worker_without_a_file_is_paired_nowhere(
    program_year: ProgramYear, clerk: FlaskClient, make_user: MakeUser, worker: Person, make_person: MakePerson
) -> None:
    stranger = make_person("610102")
    for register, values in (("pairs", PAIR), ("pair_visits", VISIT)):
        page = send(clerk, register, stranger, values)
        assert page.status_code == 400
        assert NO_FILE in page.text
    headings = ["身份证号", *PAIR]
    rows = [[number_of(person), *PAIR.values()] for person in (stranger, worker)]
    assert told(make_user("clerk"), program_year, PAIRS, headings, *rows) == [NO_FILE, ""]
    with pytest.raises(IntegrityError, match="fk_hardship_aid_pair_person_id"):
        pair(program_year, stranger)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("rank = 'minister'", "rank"),
        ("leader = ''", "leader"),
        ("ended_on = '2014-01-09'", "ended_on"),
        ("paired_on = (created_at AT TIME ZONE 'Asia/Shanghai')::date + 1, ended_on = NULL", "paired_on"),
    ],
)
def test_the_table_of_pairs_keeps_the_rules_itself(
    program_year: ProgramYear, worker: Person, change: str, rule: str
) -> None:
    pair(program_year, worker)
    with pytest.raises(IntegrityError, match=f"ck_hardship_aid_pair_{rule}"):
        db.session.execute(text(f"UPDATE hardship_aid_pair SET {change}"))  # noqa: S608  # of the list above


def test_a_visit_is_written_down_with_what_was_said_and_brought(
    program_year: ProgramYear, clerk: FlaskClient, worker: Person
) -> None:
    pair(program_year, worker)
    assert send(clerk, "pair_visits", worker, VISIT).status_code == 302
    assert send(clerk, "pair_visits", worker, VISIT | {"visited_on": "2014-04-05", "gift_fen": ""}).status_code == 302
    first, second = db.session.scalars(select(PairVisit).order_by(PairVisit.id))
    assert (first.person_id, first.program_year_id, first.visited_on) == (worker.id, program_year.id, date(2014, 3, 5))
    assert (first.note, first.gift_fen, second.gift_fen) == (VISIT["note"], 500_00, 0)
    again = send(clerk, "pair_visits", worker, VISIT)
    assert "The register has an entry with this value already." in again.text


#: A pair from 10 January to 30 June, by leader and day: whether a visit fits.
DAYS = [
    (LEADER, "2014-01-10", ""),
    (LEADER, "2014-06-30", ""),
    (LEADER, "2014-01-09", NO_PAIR),
    (LEADER, "2014-07-01", NO_PAIR),
    ("李卫东", "2014-03-05", NO_PAIR),
    (LEADER, "2013-12-31", OTHER_YEAR),
    (LEADER, "2015-01-01", OTHER_YEAR),
]


@pytest.mark.parametrize(("leader", "day", "sentence"), DAYS)
def test_a_visit_needs_a_pair_that_stands_on_its_day_and_its_own_year(
    program_year: ProgramYear,
    clerk: FlaskClient,
    make_user: MakeUser,
    worker: Person,
    leader: str,
    day: str,
    sentence: str,
) -> None:
    pair(program_year, worker, ended_on=date(2014, 6, 30))
    values = VISIT | {"leader": leader, "visited_on": day}
    (said,) = told(
        make_user("clerk"), program_year, PAIR_VISITS, ["身份证号", *values], [number_of(worker), *values.values()]
    )
    page = send(clerk, "pair_visits", worker, values)
    assert page.status_code == (400 if sentence else 302)
    assert sentence in page.text
    assert sentence in said
    assert bool(sentence) == bool(said)


def test_a_pair_that_stands_takes_visits_to_the_end_of_the_year(
    program_year: ProgramYear, clerk: FlaskClient, worker: Person
) -> None:
    pair(program_year, worker)
    assert send(clerk, "pair_visits", worker, VISIT | {"visited_on": "2014-12-31"}).status_code == 302


def test_a_visit_does_not_lie_ahead(
    program_year: ProgramYear, clerk: FlaskClient, make_user: MakeUser, worker: Person
) -> None:
    pair(program_year, worker)
    values = VISIT | {"visited_on": (today() + timedelta(days=1)).isoformat()}
    page = send(clerk, "pair_visits", worker, values)
    assert page.status_code == 400
    assert FUTURE in page.text
    row = [number_of(worker), *values.values()]
    (said,) = told(make_user("clerk"), program_year, PAIR_VISITS, ["身份证号", *values], row)
    assert FUTURE in said
    assert send(clerk, "pair_visits", worker, VISIT | {"gift_fen": "-1"}).status_code == 400


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("gift_fen = -1", "ck_hardship_aid_pair_visit_gift"),
        ("visited_on = '2014-01-09'", "hardship_aid_pair_visit_pair"),
        ("leader = '李卫东'", "hardship_aid_pair_visit_pair"),
        ("visited_on = '2015-01-01'", "hardship_aid_pair_visit_year"),
        ("person_id = person_id + 1000000", "fk_hardship_aid_pair_visit_person_id"),
    ],
)
def test_the_table_of_visits_keeps_the_rules_itself(
    program_year: ProgramYear, worker: Person, change: str, rule: str
) -> None:
    visit(program_year, pair(program_year, worker))
    with pytest.raises(IntegrityError) as refusal:
        db.session.execute(text(f"UPDATE hardship_aid_pair_visit SET {change}"))  # noqa: S608  # of the list above
    assert refusal.value.orig is not None
    diag = refusal.value.orig.diag  # type: ignore[attr-defined]
    assert diag.constraint_name == rule


def test_the_table_knows_the_day_of_entry_in_china(program_year: ProgramYear, worker: Person) -> None:
    """At 17:00 UTC on 4 March it is 5 March there; an hour and a minute before it is not."""
    standing = pair(program_year, worker)
    visit(program_year, standing, created_at=datetime(2014, 3, 4, 17, tzinfo=UTC))
    db.session.execute(text("DELETE FROM hardship_aid_pair_visit"))
    with pytest.raises(IntegrityError, match="ck_hardship_aid_pair_visit_visited_on"):
        visit(program_year, standing, created_at=datetime(2014, 3, 4, 15, 59, tzinfo=UTC))


def test_a_pair_with_visits_stays_and_is_not_changed_away_from_them(
    program_year: ProgramYear, clerk: FlaskClient, worker: Person
) -> None:
    send(clerk, "pairs", worker, PAIR)
    made = db.session.scalars(select(Pair)).one()
    visit(program_year, made)
    page = clerk.post(f"{PAGES}/registers/pairs/{made.id}/remove", follow_redirects=True)
    assert "Visits tell of this pair" in page.text
    seen = json.dumps(PAIR | {"ended_on": None})
    for values, sentence in (
        ({"ended_on": "2014-03-04"}, "Visits by this leader lie outside"),
        ({"leader": "李卫东"}, "Visits by this leader lie outside"),
        ({"paired_on": "2014-03-06"}, "Visits by this leader lie outside"),
        ({"ended_on": "2014-03-05", "post": "局长"}, ""),
    ):
        page = clerk.post(f"{PAGES}/registers/pairs/{made.id}/change", data=PAIR | values | {"seen": seen})
        assert sentence in page.text
        assert page.status_code == (400 if sentence else 302)
    assert db.session.scalars(select(Pair.ended_on)).one() == date(2014, 3, 5)


def test_an_import_puts_thousands_in_and_may_be_sent_twice(
    program_year: ProgramYear, make_user: MakeUser, worker: Person, run_jobs: Callable[[], int]
) -> None:
    user = make_user("clerk")
    for register, values, model in ((PAIRS, PAIR, Pair), (PAIR_VISITS, VISIT, PairVisit)):
        rows = sheet(["身份证号", *values], [number_of(worker), *values.values()])
        one = imports.upload(user, register, program_year, rows, "list.xlsx")
        imports.start_merge(user, one, register, program_year, only_good=False)
        run_jobs()
        assert db.session.scalars(select(func.count()).select_from(model)).one() == 1
        rows = sheet(["身份证号", *values, "remark"], [number_of(worker), *values.values(), ""])
        again = imports.upload(user, register, program_year, rows, "again.xlsx")
        imports.choose_columns(user, again, register, program_year, ["id_number", *values, ""])
        assert (again.good, again.bad, again.there) == (0, 0, 1)


def test_a_photo_is_attached_to_a_visit(program_year: ProgramYear, clerk: FlaskClient, worker: Person) -> None:
    made = visit(program_year, pair(program_year, worker))
    content = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
    upload = {"file": (io.BytesIO(content), "走访记录.pdf")}
    answer = clerk.post(
        f"{PAGES}/registers/pair_visits/{made.id}/files/", data=upload, content_type="multipart/form-data"
    )
    assert answer.status_code == 302
    assert db.session.scalars(select(Attached.subject)).one() == f"hardship_aid.pair_visits:{made.id}"
