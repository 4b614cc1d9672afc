"""Targets of a year, what is copied of them, and what blocks its opening and its closing."""

import json
from datetime import date

import pytest
from sqlalchemy import select, update

from core.api import SYSTEM, Org, ProgramYear, Refused, db, find
from core.programs.copying import copy_year, preview
from core.programs.services import change_dates, disable, enable
from core.users.testing import AsUser
from plugins.four_seasons.tests.conftest import SETTINGS, make_year
from plugins.four_seasons.winter.models import Target


def targets(program_year: ProgramYear) -> dict[str, int]:
    rows = db.session.execute(
        select(Org.code, Target.workers)
        .join(Target, Target.org_id == Org.id)
        .where(Target.program_year_id == program_year.id)
    )
    return dict(rows.all())


def set_target(program_year: ProgramYear, org: Org, workers: int) -> None:
    where = (Target.program_year_id == program_year.id, Target.org_id == org.id)
    db.session.execute(update(Target).where(*where).values(workers=workers))
    db.session.commit()


def test_each_paying_union_has_its_line_once(program_year: ProgramYear, small_tree: dict[str, Org]) -> None:
    cities = {"6101": 0, "6102": 0, "6111": 0, "61-transport": 0}
    assert targets(program_year) == cities
    set_target(program_year, small_tree["6101"], 7)
    disable(SYSTEM, program_year)
    enable(SYSTEM, "winter_warmth", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings=SETTINGS)
    assert targets(program_year) == cities | {"6101": 7}


def test_the_paying_level_of_the_year_decides_whose_lines(small_tree: dict[str, Org]) -> None:
    assert set(targets(make_year(small_tree["6101"], paying_level="county"))) == {"610102", "610103"}


def test_a_clerk_sets_the_target_of_a_union_on_the_page(
    program_year: ProgramYear, small_tree: dict[str, Org], as_user: AsUser
) -> None:
    city = small_tree["6101"]
    line = db.session.scalars(select(Target).where(Target.org_id == city.id)).one()
    address = "/2014/61/winter_warmth/registers/targets"
    clerk = as_user("clerk")
    assert city.short_name in clerk.get(f"{address}/").text
    for workers, status in (("-1", 400), ("", 400), ("0", 302), ("7", 302)):
        seen = json.dumps({"workers": targets(program_year)["6101"], "points": 0})
        data = {"workers": workers, "seen": seen}
        assert clerk.post(f"{address}/{line.id}/change", data=data).status_code == status
    assert targets(program_year)["6101"] == 7
    assert as_user("clerk", "6102").post(f"{address}/{line.id}/change", data={"workers": "9"}).status_code == 404
    assert targets(program_year)["6101"] == 7


def test_targets_that_were_set_are_taken_over(program_year: ProgramYear, small_tree: dict[str, Org]) -> None:
    set_target(program_year, small_tree["6101"], 7)
    set_target(program_year, small_tree["6102"], 5)
    small_tree["6102"].active = False
    db.session.commit()
    (line,) = preview(SYSTEM, 2014, 2015)
    assert [text.endswith(": 1") for text in line.copied] == [True]
    copy_year(SYSTEM, 2014, 2015, [program_year.id])
    copied = find(2015, "61", "winter_warmth")
    assert copied is not None
    assert targets(copied) == {"6101": 7, "6111": 0, "61-transport": 0}
    assert targets(program_year)["6102"] == 5


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "fits"),
    [
        ("2014-01-10", "2014-02-20", True),
        ("2014-01-09", "2014-02-20", False),
        ("2014-01-10", "2014-02-21", False),
        (None, None, True),
    ],
)
def test_the_campaign_lies_within_the_open_period(
    small_tree: dict[str, Org], starts_on: str | None, ends_on: str | None, fits: bool
) -> None:
    program_year = make_year(small_tree["61"], starts_on=starts_on, ends_on=ends_on)
    period = {"opens_on": date(2014, 1, 10), "closes_on": date(2014, 2, 20)}
    if fits:
        change_dates(SYSTEM, program_year, **period)
        return
    with pytest.raises(Refused, match=r"The campaign (begins before|ends after) the year"):
        change_dates(SYSTEM, program_year, **period)
    assert program_year.opens_on == date(2014, 1, 1)
