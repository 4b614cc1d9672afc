"""Rows of a file that could be the same as entries that are there: shown first, and merged when others are meant."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from core.errors import Refused
from core.extensions import db
from core.imports import services
from core.imports.alike import alike_of
from core.imports.models import Import, ImportRow
from core.org.scope import Scope
from core.people.models import Person
from core.plugin.registry import registry_of
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.services import add
from core.users.models import User
from core.users.testing import AsUser, MakeUser
from tests.imports.conftest import RunJobs, Upload, errors_of, good_row, xlsx
from tests.plugins_for_tests.reading_club.registers import CORNERS, MEMBERS, Corner, Member
from tests.registers.conftest import PLAIN

pytestmark = pytest.mark.services
HEADINGS = ("Code of the union", "Name", "Kind", "Volumes")
PROVINCE = Scope(("/61/",))
Fill = Callable[..., Import]


@pytest.fixture(autouse=True)
def corners(clubs: ProgramYear, monkeypatch: pytest.MonkeyPatch) -> Register:
    """Corners with as many volumes could be the same."""
    register = replace(CORNERS, similar=lambda _year, row: [select(Corner.id).where(Corner.volumes == row["volumes"])])
    monkeypatch.setitem(registry_of().registers, CORNERS.code, register)
    return register


@pytest.fixture
def fill(corners: Register, upload: Upload) -> Fill:
    """``fill((code, name, volumes), ..., user=...)``: upload a list of corners."""

    def do(*rows: tuple[str, str, str], **more: User) -> Import:
        sheet = xlsx([[code, name, "Library", volumes] for code, name, volumes in rows], HEADINGS)
        return upload(sheet, register=corners, **more)

    return do


def alike_lines(one: Import) -> list[int]:
    """The lines that are marked."""
    marked = select(ImportRow.line).where(ImportRow.import_id == one.id, ImportRow.alike)
    return list(db.session.scalars(marked.order_by(ImportRow.line)))


def test_rows_like_entries_are_marked_counted_and_merged_only_when_others_are_meant(
    clubs: ProgramYear, clerk: User, corners: Register, fill: Fill, run_jobs: RunJobs
) -> None:
    there = add(clerk, CORNERS, clubs, PLAIN | {"volumes": 7}).id
    one = fill(("610102", "甲", "7"), ("610102", "乙", "8"), ("610103", "丙", "7"), ("610103", "丁", "x"))
    assert errors_of(one).keys() == {5}
    assert (one.good, one.bad, one.alike, alike_lines(one)) == (3, 1, 2, [2, 4])
    told = alike_of(one, corners, clubs, PROVINCE, [2, 3, 4])
    found = {line: ([entry.id for entry in here], elsewhere) for line, (here, elsewhere) in told.items()}
    assert found == {2: ([there], 0), 4: ([there], 0)}
    with pytest.raises(Refused, match="2 rows could be the same as entries that are there"):
        services.start_merge(clerk, one, corners, clubs, only_good=True)
    db.session.rollback()
    assert db.session.query(Corner).count() == 1
    services.start_merge(clerk, one, corners, clubs, only_good=True, others=True)
    run_jobs()
    db.session.refresh(one)
    assert (one.state, one.added) == ("merged", 3)


def test_a_file_with_nothing_alike_asks_for_nothing(
    clubs: ProgramYear, clerk: User, corners: Register, fill: Fill, run_jobs: RunJobs
) -> None:
    add(clerk, CORNERS, clubs, PLAIN | {"volumes": 7})
    one = fill(("610102", "甲", "8"), ("610102", "乙", ""))
    assert (one.good, one.bad, one.alike) == (1, 1, 0)
    services.start_merge(clerk, one, corners, clubs, only_good=True)
    run_jobs()
    assert db.session.query(Corner).count() == 2


def test_what_comes_after_the_preview_is_looked_at_first(
    clubs: ProgramYear, clerk: User, corners: Register, fill: Fill, run_jobs: RunJobs
) -> None:
    one = fill(("610102", "甲", "7"), ("610102", "乙", "8"))
    services.start_merge(clerk, one, corners, clubs, only_good=True)
    add(clerk, CORNERS, clubs, PLAIN | {"volumes": 8})
    run_jobs()
    db.session.refresh(one)
    assert (one.state, one.alike, alike_lines(one), db.session.query(Corner).count()) == ("staged", 1, [3], 1)
    assert "look at them first" in one.error
    services.start_merge(clerk, one, corners, clubs, only_good=True, others=True)
    run_jobs()
    assert db.session.query(Corner).count() == 3


def test_entries_of_another_year_and_rows_that_are_there_already_are_not_alike(clubs: ProgramYear, fill: Fill) -> None:
    former = ProgramYear(
        program="reading_club", title={}, year=2013, org_id=clubs.org_id, org_path="/61/", opens_on=clubs.opens_on
    )
    db.session.add(former)
    db.session.flush()
    union = clubs.org_id
    for year, name, volumes in ((former, "旧", 9), (clubs, "同名", 7)):
        db.session.add(
            Corner(program_year_id=year.id, org_id=union, org_path="/61/", name=name, kind="library", volumes=volumes)
        )
    db.session.commit()
    one = fill(("610102", "甲", "9"), ("61", "同名", "7"))
    assert (one.good, one.there, one.alike) == (1, 1, 0)


def test_of_entries_at_other_unions_only_the_number_is_told(
    clubs: ProgramYear, clerk: User, corners: Register, as_user: AsUser, make_user: MakeUser, fill: Fill
) -> None:
    far = add(clerk, CORNERS, clubs, PLAIN | {"org_code": "610103", "name": "藏书处", "volumes": 7}).id
    near = add(clerk, CORNERS, clubs, PLAIN | {"org_code": "610102", "name": "近处", "volumes": 8}).id
    county = make_user("clerk", "610102")
    one = fill(("610102", "甲", "7"), ("610102", "乙", "8"), user=county)
    page = as_user(county).get(f"/2014/61/reading_club/registers/corners/imports/{one.id}").text
    assert page.count("1 at other unions, which you do not see") == 1
    assert f"/registers/corners/{near}" in page
    assert f"/registers/corners/{far}" not in page
    assert "The 2 rows below are none of those; save them." in page
    told = alike_of(one, corners, clubs, Scope(("/61/6101/610102/",)), [2, 3])
    assert ([entry.id for entry in told[3][0]], told[3][1], told[2]) == ([near], 0, ([], 1))


def test_the_box_of_the_page_lets_them_through(
    clubs: ProgramYear, clerk: User, as_user: AsUser, fill: Fill, run_jobs: RunJobs
) -> None:
    add(clerk, CORNERS, clubs, PLAIN | {"volumes": 7})
    one, browser = fill(("610102", "甲", "7")), as_user(clerk)
    address = f"/2014/61/reading_club/registers/corners/imports/{one.id}/merge"
    assert browser.post(address, data={}).status_code == 409
    assert browser.post(address, data={"others": "y"}).status_code == 302
    run_jobs()
    assert db.session.query(Corner).count() == 2


def test_where_many_rows_are_like_many_entries_the_first_are_shown(
    clubs: ProgramYear, corners: Register, fill: Fill
) -> None:
    db.session.execute(
        text(
            "INSERT INTO reading_club_corner (program_year_id, org_id, org_path, name, kind, volumes)"
            " SELECT :year, :org, '/61/', 'n' || number, 'library', 7 FROM generate_series(1, 300) number"
        ),
        {"year": clubs.id, "org": clubs.org_id},
    )
    db.session.commit()
    one = fill(*(("610102", f"甲{number}", "7") for number in range(60)))
    assert one.alike == 60
    told = alike_of(one, corners, clubs, PROVINCE, [2, 3])
    assert [(len(here), elsewhere) for here, elsewhere in told.values()] == [(20, 0), (20, 0)]


@pytest.mark.parametrize(
    ("way", "changes", "is_alike"),
    [
        ("person_name", {}, True),
        ("person_name", {"name": "李某某"}, False),
        ("person_pinyin", {}, True),
        ("person_born_on", {}, True),
        ("person_phone_digest", {}, True),
        ("person_phone_digest", {"phone": "13900000000"}, False),
        ("person_phone_digest", {"phone": ""}, False),
        ("person_bank_account_digest", {"bank_account": "6222021234567890123"}, True),
        ("person_bank_account_digest", {}, False),
    ],
)
def test_people_are_compared_by_what_was_typed_of_them(
    upload: Upload,
    clerk: User,
    clubs: ProgramYear,
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    changes: dict[str, str],
    is_alike: bool,
) -> None:
    first = upload(xlsx([good_row(1, bank_account="6222021234567890123")]))
    services.start_merge(clerk, first, MEMBERS, clubs, only_good=False)
    run_jobs()
    column = getattr(Person, way.removeprefix("person_"))
    ways = replace(
        MEMBERS,
        similar=lambda _year, row: [
            select(Member.id)
            .join(Person, Person.id == Member.person_id)
            .where(column == row[way], Person.id.is_distinct_from(row["person_id"]))
        ],
    )
    monkeypatch.setitem(registry_of().registers, MEMBERS.code, ways)
    one = upload(xlsx([good_row(6, **changes)]), register=ways)
    assert (one.good, one.alike) == (1, int(is_alike))
