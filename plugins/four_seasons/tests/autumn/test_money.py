"""Study aid as money: amounts by level and file, who is left out and why, once a year from all programs."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from core.api import (
    SYSTEM,
    Entry,
    Payment,
    Person,
    ProgramYear,
    Register,
    ReportContext,
    Run,
    Scope,
    User,
    by_code,
    db,
    today,
)
from core.disbursements.models import Exclusion
from core.ledger.allotting import fund_from_own
from core.notices import services as notices
from core.notices.models import NoticeLine
from core.people.merging import merge
from core.users.testing import AsUser, MakeUser
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.registers import AUTUMN_APPLICATIONS, MINE_APPLICATIONS
from plugins.four_seasons.autumn.reports import students
from plugins.four_seasons.overview.reports import money
from plugins.four_seasons.tests.autumn.students import (
    PAGES,
    Files,
    applied,
    post_notice,
    stop,
    switch_on,
)
from plugins.four_seasons.tests.conftest import computed_run

pytestmark = pytest.mark.services
MakePerson = Callable[..., Person]
PayOut = Callable[..., Run]


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


@pytest.fixture
def award(clerk: User, year: ProgramYear, make_person: MakePerson) -> Callable[..., Application]:
    """``award(level, org_code="610102001", **values)``: an approved application."""

    def make(
        level: str = "bachelor",
        org_code: str = "610102001",
        *,
        of: ProgramYear | None = None,
        register: Register = AUTUMN_APPLICATIONS,
        student: Person | None = None,
        **values: Any,
    ) -> Application:
        row = applied(clerk, of or year, student or make_person(org_code), register, level=level, **values)
        stop(row, "approved")
        return row

    return make


def paid(run: Run) -> dict[int, tuple[int, str]]:
    """Whom the run pays: fen, and what by."""
    return {
        one.payee_id: (one.amount_fen, one.basis)
        for one in db.session.scalars(select(Payment).where(Payment.run_id == run.id))
    }


def left_out(run: Run) -> dict[int, str]:
    """Whom the run does not pay, and why."""
    return {one.payee_id: one.reason for one in db.session.scalars(select(Exclusion).where(Exclusion.run_id == run.id))}


def test_the_amount_goes_by_the_level_and_the_parent_s_file(
    year: ProgramYear, award: Callable[..., Application], make_person: MakePerson, pay_out: PayOut
) -> None:
    parent = make_person("610202")
    Files.on_file = {parent.id}
    expected = {}
    for level, without, with_file in (("senior", 2_000, 3_000), ("junior", 3_000, 4_000), ("bachelor", 4_000, 5_000)):
        expected[award(level).person_id] = (without * 100, f"{level}_difficult")
        row = award(level, parent=parent, basis="on_file")
        expected[row.person_id] = (with_file * 100, f"{level}_on_file")
        # Whoever is on file is paid as such, whatever was applied for.
        expected[award(level, parent=parent).person_id] = (with_file * 100, f"{level}_on_file")
    run = pay_out(year, "four_seasons.autumn")
    assert paid(run) == expected
    entry = db.session.scalars(select(Entry).where(Entry.kind == "four_seasons.autumn_payment")).one()
    assert [(leg.account.code, leg.amount_fen) for leg in entry.legs] == [("50204", 33_000_00), ("102", -33_000_00)]


def test_who_is_not_paid_is_told_why(
    year: ProgramYear,
    award: Callable[..., Application],
    make_person: MakePerson,
    pay_out: PayOut,
    clerk: User,
) -> None:
    parent = make_person("610102001")
    Files.on_file = {parent.id}
    lapsed = award(parent=parent, basis="on_file")
    Files.on_file = set()
    reasons = {
        award(graduates_on=date(2014, 8, 11)).person_id: None,
        lapsed.person_id: "file_not_valid",
        award(student=make_person("610102001", with_account=False)).person_id: "no_account",
    }
    reasons |= {award(other_aid=code).person_id: code for code in ("military", "tuition_free", "commissioned", "aided")}
    early = award(admitted_on=date(2011, 8, 1), graduates_on=date(2014, 8, 1))
    reasons[early.person_id] = "graduated"
    gone = award()
    db.session.execute(update(Person).where(Person.id == gone.person_id).values(active=False))
    db.session.commit()
    reasons[gone.person_id] = "inactive"
    waiting = applied(clerk, year, make_person("610102001"))
    run = pay_out(year, "four_seasons.autumn")
    assert left_out(run) == {person: reason for person, reason in reasons.items() if reason}
    assert set(paid(run)) == {person for person, reason in reasons.items() if reason is None}
    assert waiting.person_id not in paid(run)


def test_an_objection_holds_the_money_back(
    year: ProgramYear, award: Callable[..., Application], clerk: User, run_jobs: Callable[[], int]
) -> None:
    row = award()
    notice = post_notice(clerk, year, row, today(), today() + timedelta(days=7))
    line = db.session.scalars(select(NoticeLine).where(NoticeLine.notice_id == notice.id)).one()
    contact = "13800000000"
    notices.object_to(clerk, notice, line, text="家庭条件不符", raised_by="", contact=contact, received_on=today())
    run = computed_run(clerk, year, run_jobs, scheme="four_seasons.autumn")
    assert left_out(run) == {row.person_id: "objection"}


def test_autumn_stands_in_the_money_of_all_seasons(year: ProgramYear, make_user: MakeUser) -> None:
    overview, province = switch_on("four_seasons"), by_code("61")
    assert province is not None
    amounts = {province.id: 3_000_000_00}
    fund_from_own(make_user("finance"), year, key="own", amounts=amounts, effective_on=today(), description="")
    rows = money(ReportContext(program_year=overview, scope=Scope(("/61/",)))).subquery().c
    found = db.session.execute(select(rows.season, rows.level, rows.raised_fen).where(rows.raised_fen > 0))
    assert [tuple(row) for row in found] == [("autumn_study_aid", "province", 3_000_000_00)]


def test_a_year_chooses_what_excludes(year: ProgramYear, award: Callable[..., Application], pay_out: PayOut) -> None:
    year.settings = year.settings | {"excludes": ["military"]}
    db.session.commit()
    soldier, teacher = award(other_aid="military"), award(other_aid="tuition_free")
    run = pay_out(year, "four_seasons.autumn")
    assert left_out(run) == {soldier.person_id: "military"}
    assert set(paid(run)) == {teacher.person_id}


def test_a_pool_is_shared_in_the_proportion_of_the_amounts_to_the_fen(
    year: ProgramYear,
    award: Callable[..., Application],
    pay_out: PayOut,
    clerk: User,
    run_jobs: Callable[[], int],
) -> None:
    year.settings = year.settings | {"rule": "pool", "pool": 1_000_00}
    db.session.commit()
    rows = [award("senior"), award("junior"), award("bachelor"), award("bachelor")]
    first = paid(pay_out(year, "four_seasons.autumn"))
    fen = [first[row.person_id][0] for row in rows]
    assert (sum(fen), fen) == (1_000_00, [153_85, 230_77, 307_69, 307_69])
    late = award("senior")
    run = computed_run(clerk, year, run_jobs, scheme="four_seasons.autumn")  # nothing is left
    assert left_out(run)[late.person_id] == "no_amount"


def test_mine_families_get_the_amount_of_their_level(
    year: ProgramYear, award: Callable[..., Application], pay_out: PayOut
) -> None:
    mine = switch_on("mine_family_aid", notice_working_days=0)
    amounts = {"senior": 2_000_00, "junior": 4_000_00, "bachelor": 5_000_00}
    rows = {level: award(level, of=mine, register=MINE_APPLICATIONS) for level in amounts}
    run = pay_out(mine, "four_seasons.mine")
    assert paid(run) == {row.person_id: (amounts[level], level) for level, row in rows.items()}


def test_nobody_gets_study_aid_twice_in_a_year_from_whatever_program(
    year: ProgramYear, award: Callable[..., Application], pay_out: PayOut, make_person: MakePerson
) -> None:
    mine = switch_on("mine_family_aid", notice_working_days=0)
    row = award("senior")
    first = pay_out(year, "four_seasons.autumn")
    stop(row, "refused")  # else the form would not take the second one
    other = award("senior", of=mine, register=MINE_APPLICATIONS, student=db.session.get_one(Person, row.person_id))
    award("senior", of=mine, register=MINE_APPLICATIONS)
    second = pay_out(mine, "four_seasons.mine")
    assert left_out(second) == {other.person_id: "conflict"}
    columns = "payee_id, program_year_id, item, chunk_org_id, org_id, org_path, amount_fen, basis, payee_name, "
    columns += "account_tail, purpose, period"
    copied = columns.replace("item", "'mine'").replace("program_year_id", str(mine.id))
    with pytest.raises(IntegrityError, match="uq_core_payment_payee_purpose"):
        db.session.execute(
            text(f"INSERT INTO core_payment (run_id, {columns}) SELECT {second.id}, {copied} FROM core_payment"  # noqa: S608  # the names above, nothing from outside
                 f" WHERE run_id = {first.id}")
        )  # fmt: skip


def test_a_run_of_a_city_sees_the_files_of_parents_elsewhere(
    year: ProgramYear,
    award: Callable[..., Application],
    make_person: MakePerson,
    make_user: MakeUser,
    run_jobs: Callable[[], int],
) -> None:
    city, parent = by_code("6101"), make_person("610202")
    assert city is not None
    fund_from_own(
        make_user("finance"), year, key="own", amounts={city.id: 9_000_00}, effective_on=today(), description=""
    )
    Files.on_file = {parent.id}
    row = award(parent=parent, basis="on_file")
    run = computed_run(make_user("clerk", "6101"), year, run_jobs, "6101", scheme="four_seasons.autumn")
    assert (paid(run), left_out(run)) == ({row.person_id: (5_000_00, "bachelor_on_file")}, {})


def test_the_report_tells_students_by_level_union_and_basis(
    year: ProgramYear, award: Callable[..., Application], pay_out: PayOut, clerk: User, make_person: MakePerson
) -> None:
    paid_first = award("senior").person_id
    award("bachelor", "610202")
    applied(clerk, year, make_person("610102001"), level="senior")
    pay_out(year, "four_seasons.autumn")

    def figures(*paths: str) -> list[tuple[Any, ...]]:
        facts = students(ReportContext(program_year=year, scope=Scope(paths))).subquery().c
        names = ("level", "basis", "renewed", "students", "approved", "paid", "paid_fen")
        return sorted(tuple(row) for row in db.session.execute(select(*(facts[name] for name in names))))

    senior = ("senior", "difficult", "new", 1)
    assert figures("/61/6101/") == [(*senior, 0, 0, 0), (*senior, 1, 1, 2_000_00)]
    assert figures("/61/6102/") == [("bachelor", "difficult", "new", 1, 1, 1, 4_000_00)]
    merge(SYSTEM, Scope(("/",)), make_person("610102001").id, paid_first)
    assert figures("/61/6101/") == [(*senior, 0, 0, 0), (*senior, 1, 1, 2_000_00)]


def test_the_figures_of_the_year_are_those_in_reach(
    year: ProgramYear, award: Callable[..., Application], as_user: AsUser
) -> None:
    year.settings = year.settings | {"province_fund": 3_000_000_00}
    db.session.commit()
    award("senior")
    award("senior", "610202")
    assert by_code("6102") is not None
    stop(award("bachelor", "6101"), "draft")
    figure = re.compile(r'Approved for study aid</div>\s*<div class="stat"><span class="stat-value">([0-9,]+)<')
    assert figure.findall(as_user("leader").get(f"{PAGES}/").text) == ["2"]
    page = as_user("leader", "6102").get(f"{PAGES}/").text
    assert figure.findall(page) == ["1"]
    assert "300" in page
    for name in ("students", "applications"):
        assert as_user("leader", "6102").get(f"{PAGES}/reports/{name}").status_code == 200
