"""The rule of a year: the worked example of domain.md (R1), its boundaries, and whose line counts."""

from dataclasses import asdict
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.api import SYSTEM, Forbidden, Org, ProgramYear, Refused, db
from core.audit.models import AuditLine
from core.programs.services import enable
from core.users.access import reach_of
from core.users.testing import MakeUser
from core.wall import reach_as, reach_now
from plugins.hardship_aid.categories.services import classify
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.lines.models import SubsistenceLine
from plugins.hardship_aid.tests.conftest import LINE
from plugins.hardship_aid.tests.households import MakeFile
from plugins.hardship_aid.tests.households import make_file as make_file

pytestmark = pytest.mark.services
#: What three heads have in a year who live on the line exactly.
ON_LINE = LINE * 12 * 3
LARGEST = 2**63 - 1


def computed(file: File) -> tuple[str | None, int | None, int | None]:
    db.session.refresh(file)
    return file.computed, file.computed_year, file.line_fen


@pytest.mark.parametrize(
    ("columns", "outcome"),
    [
        # The worked example: 916.67, 1,250.00 and 2,361.11 yuan a head and month, with a line of 1,062.
        ({"income_fen": 48_000_00, "rigid_fen": 15_000_00}, "deep"),
        ({"income_fen": 60_000_00, "rigid_fen": 15_000_00}, "relative"),
        ({"income_fen": 100_000_00, "rigid_fen": 15_000_00}, "none"),
        ({"income_fen": 100_000_00, "rigid_fen": 15_000_00, "loss_fen": 80_000_01}, "accidental"),
        # Strictly below, strictly above.
        ({"income_fen": ON_LINE, "rigid_fen": 0}, "relative"),
        ({"income_fen": ON_LINE - 1, "rigid_fen": 0}, "deep"),
        ({"income_fen": 2 * ON_LINE, "rigid_fen": 0}, "none"),
        ({"income_fen": 2 * ON_LINE - 1, "rigid_fen": 0}, "relative"),
        ({"income_fen": 100_000_00, "rigid_fen": 0, "loss_fen": 80_000_00}, "none"),
        ({"income_fen": 100_000_00, "rigid_fen": 0, "loss_fen": 80_000_01}, "accidental"),
        # A fen in a year, where a division by twelve and seven would leave a remainder.
        ({"income_fen": LINE * 12 * 7, "rigid_fen": 0, "household_size": 7}, "relative"),
        ({"income_fen": LINE * 12 * 7 - 1, "rigid_fen": 0, "household_size": 7}, "deep"),
        # Nothing, and less than nothing.
        ({"income_fen": 0, "rigid_fen": 0}, "deep"),
        ({"income_fen": 10_000_00, "rigid_fen": 90_000_00}, "deep"),
        ({"income_fen": 0, "rigid_fen": 0, "loss_fen": 0, "barrier": "homes"}, "none"),
        ({"income_fen": 100_000_00, "rigid_fen": 0, "loss_fen": 90_000_00, "barrier": "school"}, "none"),
        # As large as the table takes.
        ({"income_fen": LARGEST, "rigid_fen": 0}, "none"),
        ({"income_fen": LARGEST, "rigid_fen": 0, "loss_fen": LARGEST, "household_size": 30}, "accidental"),
        ({"income_fen": 0, "rigid_fen": LARGEST, "loss_fen": LARGEST, "household_size": 30}, "deep"),
    ],
)
def test_the_rule(program_year: ProgramYear, make_file: MakeFile, columns: dict[str, Any], outcome: str) -> None:
    file = make_file(**columns)
    classify(SYSTEM, program_year)
    assert computed(file) == (outcome, 2014, LINE)


def test_without_income_any_loss_is_more_than_its_share(program_year: ProgramYear, make_file: MakeFile) -> None:
    program_year.settings = program_year.settings | {"deep_percent": 1, "relative_percent": 1, "line": 1}
    poor, hit = (make_file(income_fen=1, rigid_fen=0, loss_fen=loss, household_size=1) for loss in (0, 1))
    classify(SYSTEM, program_year)
    assert (computed(poor)[0], computed(hit)[0]) == ("none", "accidental")


def test_the_largest_line_that_can_be_entered_stops_nothing(program_year: ProgramYear, make_file: MakeFile) -> None:
    program_year.settings = program_year.settings | {"line": 10**15, "deep_percent": 1000, "relative_percent": 1000}
    file = make_file(income_fen=10**15, household_size=30)
    classify(SYSTEM, program_year)
    assert computed(file) == ("deep", 2014, 10**15)


def test_percentages_are_those_of_the_year(program_year: ProgramYear, make_file: MakeFile) -> None:
    file = make_file(income_fen=ON_LINE, rigid_fen=0)
    changes: list[tuple[dict[str, int], str]] = [
        ({"deep_percent": 101}, "deep"),
        ({"deep_percent": 100, "relative_percent": 100}, "none"),
        ({"relative_percent": 101}, "relative"),
    ]
    for settings, outcome in changes:
        program_year.settings = program_year.settings | settings
        classify(SYSTEM, program_year)
        assert computed(file)[0] == outcome


def set_line(program_year: ProgramYear, org: Org, fen: int) -> None:
    db.session.add(SubsistenceLine(program_year_id=program_year.id, org_id=org.id, org_path=org.path, monthly_fen=fen))
    db.session.commit()


def test_the_line_of_the_nearest_union_above_counts(
    program_year: ProgramYear, small_tree: dict[str, Org], make_file: MakeFile
) -> None:
    for code, fen in (("61", 900_00), ("6101", 1_000_00), ("610102", 1_100_00), ("61-transport", 5_00)):
        set_line(program_year, small_tree[code], fen)
    other = enable(SYSTEM, "hardship_aid", 2015, small_tree["61"], opens_on=date(2014, 1, 1),
                   settings=program_year.settings)  # fmt: skip
    set_line(other, small_tree["610103"], 7_00)
    unions = ("610102001", "610102", "610103", "610202", "610102-bus", "61-transport")
    files = {code: make_file(code) for code in unions}
    classify(SYSTEM, program_year)
    # The bus company belongs to the transport union too, and lies in the county.
    assert [computed(files[code])[2] for code in unions] == [1_100_00, 1_100_00, 1_000_00, 900_00, 1_100_00, 5_00]


def test_a_union_whose_code_begins_alike_is_not_above(
    program_year: ProgramYear, small_tree: dict[str, Org], make_file: MakeFile
) -> None:
    """``61-transport`` sorts between ``/61/`` and ``/610``; ``610102-bus`` is not below ``610102``'s neighbours."""
    set_line(program_year, small_tree["610103"], 3_00)
    set_line(program_year, small_tree["61-transport"], 5_00)
    file = make_file("610102-bus")
    classify(SYSTEM, program_year)
    assert computed(file)[2] == LINE


def test_a_county_computes_with_the_line_of_its_city(
    program_year: ProgramYear, small_tree: dict[str, Org], make_file: MakeFile, make_user: MakeUser
) -> None:
    """Behind the second wall, where a county sees no other row of its city; and it computes its own files only."""
    set_line(program_year, small_tree["6101"], 1_000_00)
    mine, theirs = make_file("610102"), make_file("610103")
    clerk, everything = make_user("clerk", "610102"), reach_now()
    reach_as(reach_of(clerk))
    classify(clerk, program_year)
    reach_as(everything)
    assert computed(mine) == ("deep", 2014, 1_000_00)
    assert computed(theirs) == (None, None, None)


def test_wall_one_keeps_a_county_to_its_own_files(
    program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser
) -> None:
    """In a test's own reach the database holds nothing back."""
    mine, theirs = make_file("610102001"), make_file("610103")
    assert classify(make_user("clerk", "610102"), program_year).changed == 1
    assert (computed(mine)[0], computed(theirs)[0]) == ("deep", None)


def test_an_industry_union_computes_the_files_of_its_members(
    program_year: ProgramYear, small_tree: dict[str, Org], make_file: MakeFile, make_user: MakeUser
) -> None:
    set_line(program_year, small_tree["6101"], 1_000_00)
    mine, theirs = make_file("610102-bus"), make_file("610102")
    clerk, everything = make_user("clerk", "61-transport"), reach_now()
    reach_as(reach_of(clerk))
    classify(clerk, program_year)
    reach_as(everything)
    assert computed(mine) == ("deep", 2014, 1_000_00)
    assert computed(theirs)[0] is None


def test_closed_files_and_those_of_other_sponsors_are_left_alone(
    program_year: ProgramYear, make_file: MakeFile
) -> None:
    states = ("draft", "unit_review", "visit", "comparison", "notice", "approval", "on_file", "recheck", "returned")
    open_files = [make_file(state=state) for state in states]
    closed = [make_file(state=state) for state in ("out", "refused", "removed")]
    other = make_file("610102", sponsor="6101")
    assert classify(SYSTEM, program_year).changed == len(states)
    assert {computed(file)[0] for file in open_files} == {"deep"}
    assert {computed(file)[0] for file in [*closed, other]} == {None}


def test_only_what_changes_is_written_and_the_line_says_how_many(
    program_year: ProgramYear, make_file: MakeFile, make_user: MakeUser
) -> None:
    file = make_file(income_fen=60_000_00)
    make_file()
    clerk = make_user("clerk")
    assert asdict(classify(clerk, program_year)) == {
        "before": {"": 2}, "after": {"deep": 1, "relative": 1}, "changed": 2,
    }  # fmt: skip
    assert classify(clerk, program_year).changed == 0
    file.income_fen = 48_000_00
    db.session.commit()
    assert asdict(classify(clerk, program_year)) == {
        "before": {"deep": 1, "relative": 1}, "after": {"deep": 2}, "changed": 1,
    }  # fmt: skip
    line = db.session.query(AuditLine).filter_by(action="hardship.classify").order_by(AuditLine.id.desc()).first()
    assert line is not None
    assert (line.user_id, line.object, line.data) == (
        clerk.id,
        f"program_year:{program_year.id}",
        {"before": {"deep": 1, "relative": 1}, "after": {"deep": 2}, "changed": 1},
    )


def test_what_a_later_year_came_to_stays(
    program_year: ProgramYear, small_tree: dict[str, Org], make_file: MakeFile
) -> None:
    later = enable(SYSTEM, "hardship_aid", 2015, small_tree["61"], opens_on=date(2014, 1, 1),
                   settings=program_year.settings | {"line": 1_00})  # fmt: skip
    file = make_file()
    classify(SYSTEM, program_year)
    classify(SYSTEM, later)
    assert classify(SYSTEM, program_year).changed == 0
    assert computed(file) == ("none", 2015, 1_00)


def test_who_may_not_change_files_classifies_none(program_year: ProgramYear, make_user: MakeUser) -> None:
    with pytest.raises(Forbidden, match="You may not change files"):
        classify(make_user("reviewer"), program_year)


def test_a_year_that_is_over_classifies_no_more(program_year: ProgramYear, make_file: MakeFile) -> None:
    file = make_file()
    program_year.closes_on = date(2014, 12, 31)
    db.session.commit()
    with pytest.raises(Refused, match="not open"):
        classify(SYSTEM, program_year)
    assert computed(file)[0] is None


def test_no_outcome_but_those_known_gets_into_the_table(program_year: ProgramYear, make_file: MakeFile) -> None:
    make_file()
    with pytest.raises(Exception, match="ck_hardship_aid_file_computed"):
        db.session.execute(text("UPDATE hardship_aid_file SET computed = 'rich', computed_year = 2014, line_fen = 1"))


def test_two_who_compute_all_files_of_a_sponsor_take_turns_and_one_file_waits_for_nobody(
    program_year: ProgramYear, make_file: MakeFile
) -> None:
    file_id, lock = make_file().id, f"hardship_aid.classify:{program_year.org_id}"
    with db.engine.connect() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:lock, 0))"), {"lock": lock})
        db.session.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            classify(SYSTEM, program_year)
        db.session.rollback()
        assert classify(SYSTEM, program_year, file_id).changed == 1
    assert classify(SYSTEM, program_year).changed == 0
