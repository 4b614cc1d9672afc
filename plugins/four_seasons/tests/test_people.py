"""The hardship list when two files become one person, and when a person is looked up or erased."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select

from core.api import SYSTEM, Org, Person, ProgramYear, Refused, ReportContext, Scope, User, db
from core.disbursements import payout
from core.disbursements import services as runs
from core.disbursements.models import Exclusion
from core.imports import services as imports
from core.people.merging import merge
from core.people.personal import erase, show_data
from core.programs.services import enable
from core.registers import services as registers
from core.users.testing import MakeUser
from plugins.four_seasons.tests.conftest import SETTINGS, MakePeople, computed_run, good_row, id_number, upload
from plugins.four_seasons.tests.test_list import WORKER
from plugins.four_seasons.winter import allotting
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.winter.registers import HARDSHIP
from plugins.four_seasons.winter.reports import on_file

pytestmark = pytest.mark.services
EVERYWHERE = Scope(("/61/",))


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


def list_in(program_year: ProgramYear, person: Person, category: str = "deep", cause: str = "重病") -> None:
    db.session.add(
        Hardship(
            program_year_id=program_year.id, person_id=person.id, org_id=person.org_id, org_path=person.org_path,
            category=category, cause=cause,
        )
    )  # fmt: skip
    db.session.commit()


def listed() -> list[tuple[int, int, str]]:
    """Year's id, person's id and cause of every row."""
    rows = db.session.query(Hardship).order_by(Hardship.program_year_id, Hardship.person_id)
    return [(row.program_year_id, row.person_id, row.cause) for row in rows]


def pay(clerk: User, make_user: MakeUser, program_year: ProgramYear, run_jobs: Callable[[], int]) -> None:
    """Pay everybody on the list."""
    finance = make_user("finance")
    allotting.allot_to_unions(finance, program_year, date(2014, 1, 10))
    allotting.book_own_funds(finance, program_year, date(2014, 1, 10))
    run = computed_run(clerk, program_year, run_jobs)
    runs.submit(clerk, run)
    runs.decide(make_user("reviewer"), run, approve=True, comment="")
    payout.post(finance, run, date(2014, 1, 20))


def test_each_year_lists_the_kept_file_once(
    program_year: ProgramYear, small_tree: dict[str, Org], make_people: MakePeople
) -> None:
    later = enable(SYSTEM, "winter_warmth", 2015, small_tree["61"], opens_on=date(2015, 1, 1), settings=SETTINGS)
    kept, dropped, other = make_people(3)
    list_in(program_year, kept, cause="失业")
    list_in(program_year, dropped)
    list_in(program_year, other)
    list_in(later, dropped)
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert listed() == [
        (program_year.id, kept.id, "失业"),
        (program_year.id, other.id, "重病"),
        (later.id, kept.id, "重病"),
    ]


def test_a_row_that_was_paid_stays_beside_the_kept_one(
    clerk: User, make_user: MakeUser, program_year: ProgramYear, make_people: MakePeople, run_jobs: Callable[[], int]
) -> None:
    kept, dropped = make_people(2)
    list_in(program_year, dropped)
    pay(clerk, make_user, program_year, run_jobs)
    list_in(program_year, kept, cause="失业")
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert listed() == [(program_year.id, kept.id, "失业"), (program_year.id, dropped.id, "重病")]


def test_a_paid_row_that_moves_is_not_taken_off_the_list_nor_paid_again(
    clerk: User, make_user: MakeUser, program_year: ProgramYear, make_people: MakePeople, run_jobs: Callable[[], int]
) -> None:
    kept, dropped, other = make_people(3)
    list_in(program_year, dropped)
    pay(clerk, make_user, program_year, run_jobs)
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert listed() == [(program_year.id, kept.id, "重病")]
    with pytest.raises(Refused, match="A run pays this worker"):
        registers.remove(clerk, HARDSHIP, program_year, db.session.query(Hardship).one())
    list_in(program_year, other)
    again = computed_run(clerk, program_year, run_jobs)
    reasons = select(Exclusion.payee_id, Exclusion.reason).where(Exclusion.run_id == again.id)
    # The whole pool went to the first run, so that the other one is left with nothing.
    assert dict(db.session.execute(reasons).all()) == {kept.id: "already_paid", other.id: "no_amount"}


def test_a_merged_file_counts_as_paid_in_the_report(
    clerk: User, make_user: MakeUser, program_year: ProgramYear, make_people: MakePeople, run_jobs: Callable[[], int]
) -> None:
    kept, dropped = make_people(2)
    list_in(program_year, dropped)
    pay(clerk, make_user, program_year, run_jobs)
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    facts = on_file(ReportContext(program_year=program_year, scope=EVERYWHERE)).subquery().c
    counted = db.session.execute(select(facts.people, facts.paid, facts.paid_fen)).all()
    assert counted == [(1, 1, SETTINGS["pool"])]


def test_the_number_of_a_merged_file_puts_the_kept_one_on_the_list(
    clerk: User, program_year: ProgramYear, make_people: MakePeople, run_jobs: Callable[[], int]
) -> None:
    kept, dropped = make_people(2)
    kept.name = dropped.name = "王芳"
    db.session.commit()
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    row = registers.add(clerk, HARDSHIP, program_year, WORKER | {"id_number": id_number(1)})
    assert row.person_id == kept.id
    with pytest.raises(Refused, match="in the register already"):
        registers.add(clerk, HARDSHIP, program_year, WORKER | {"id_number": id_number(0)})
    twice = upload(clerk, program_year, [good_row(1, name="王芳")])
    assert (twice.good, twice.there) == (0, 1)
    imports.cancel(clerk, twice)
    registers.remove(clerk, HARDSHIP, program_year, row)
    again = upload(clerk, program_year, [good_row(1, name="王芳")])
    imports.start_merge(clerk, again, HARDSHIP, program_year, only_good=False)
    run_jobs()
    assert [person_id for _year, person_id, _cause in listed()] == [kept.id]


def test_the_list_is_shown_and_erasing_blanks_its_causes(program_year: ProgramYear, make_people: MakePeople) -> None:
    (person,) = make_people(1)
    list_in(program_year, person, cause="本人重病")
    _own, row = show_data(SYSTEM, EVERYWHERE, person.id)
    assert dict(row.values) == {"Year": "2014", "Category": "Deep hardship", "Cause": "本人重病"}
    records = erase(SYSTEM, EVERYWHERE, person.id, "本人申请")
    assert [str(record.title) for record in records] == ["Hardship list"]
    assert listed()[0] == (program_year.id, person.id, "")
