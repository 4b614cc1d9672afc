from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import NotFound, ZhijiaError
from core.extensions import db
from core.notices.calendar import add_working_days, calendar_known, is_working_day
from core.notices.cli import calendar
from core.notices.services import set_day
from core.org.models import Org

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("app")]


@pytest.fixture
def province() -> Org:
    org = Org(
        code="99", name="某省总工会", short_name="某省", pinyin="mousheng", initials="ms", level="province", path="/99/"
    )
    db.session.add(org)
    db.session.commit()
    return org


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2014-01-30", True),  # New Year's Eve was worked in 2014
        ("2014-01-31", False),
        ("2014-01-26", True),  # a Sunday worked in exchange for the Spring Festival
        ("2014-02-08", True),  # a Saturday worked in exchange
        ("2014-02-15", False),
        ("2025-10-08", False),  # National Day and Mid-Autumn Festival together: eight days
        ("2025-10-09", True),
        ("2025-10-11", True),  # the Saturday after them
        ("2026-12-31", True),
    ],
)
def test_holidays_and_the_days_worked_in_exchange(day: str, working: bool) -> None:
    assert is_working_day(date.fromisoformat(day)) is working


@pytest.mark.parametrize(
    ("posted", "days", "until"),
    [
        ("2017-12-01", 5, "2017-12-08"),  # Friday; 4 to 8 December are the five days
        ("2017-12-03", 5, "2017-12-08"),  # Sunday
        ("2017-12-04", 5, "2017-12-11"),  # the day of posting does not count
        ("2017-12-04", 0, "2017-12-04"),
        ("2017-12-09", 0, "2017-12-09"),
        ("2025-09-30", 1, "2025-10-09"),
        ("2025-09-30", 3, "2025-10-11"),  # the Saturday worked in exchange
        ("2025-09-30", 4, "2025-10-13"),
        ("2014-01-24", 1, "2014-01-26"),
        ("2026-12-30", 3, "2027-01-04"),  # across the last year known
    ],
)
def test_a_notice_ends_with_its_last_working_day(posted: str, days: int, until: str) -> None:
    assert add_working_days(date.fromisoformat(posted), days).isoformat() == until


def test_long_terms_are_counted_like_short_ones() -> None:
    day = start = date(2025, 1, 1)
    for _count in range(250):
        day = add_working_days(day, 1)
    assert add_working_days(start, 250) == day


def test_nothing_is_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_working_days(date(2025, 1, 1), -1)


def test_the_years_known() -> None:
    assert [calendar_known(year) for year in (2003, 2004, 2026, 2027)] == [False, True, True, False]


def test_an_unknown_year_goes_by_weekdays_until_the_province_sets_days(province: Org) -> None:
    friday, saturday = date(2027, 10, 1), date(2027, 10, 9)
    assert (is_working_day(friday), is_working_day(saturday)) == (True, False)
    set_day(SYSTEM, province, friday, working=False, reason="国庆节")
    set_day(SYSTEM, province, saturday, working=True, reason="调休")
    assert (is_working_day(friday), is_working_day(saturday)) == (False, True)
    assert calendar_known(2027)
    assert add_working_days(date(2027, 9, 30), 6).isoformat() == "2027-10-09"


def test_a_day_the_province_set_goes_before_the_library(province: Org) -> None:
    day = date(2025, 10, 9)
    set_day(SYSTEM, province, day, working=False, reason="暴雪停工")
    assert not is_working_day(day)
    set_day(SYSTEM, province, day, working=True, reason="更正")
    assert is_working_day(day)
    lines = db.session.scalars(select(AuditLine).order_by(AuditLine.id)).all()
    assert [(line.object, line.org_path, line.data["working"]) for line in lines] == [
        ("day:2025-10-09", "/99/", False),
        ("day:2025-10-09", "/99/", True),
    ]


def test_a_day_is_not_set_without_a_reason(province: Org) -> None:
    with pytest.raises(ZhijiaError) as refusal:
        set_day(SYSTEM, province, date(2025, 10, 9), working=False, reason=" ")
    assert refusal.value.field == "reason"
    assert is_working_day(date(2025, 10, 9))


def test_the_commands_show_and_set_days(app: Flask, province: Org) -> None:
    runner = app.test_cli_runner()
    assert runner.invoke(calendar, ["show", "2025-10-08"]).output == "2025-10-08 is not a working day\n"
    assert "2027 are not known yet" in runner.invoke(calendar, ["show", "2027-10-01"]).output
    arguments = ["set", "2027-10-01", "--off", "--reason", "国庆节", "--org"]
    assert isinstance(runner.invoke(calendar, [*arguments, "98"]).exception, NotFound)
    assert runner.invoke(calendar, [*arguments, "99"]).output == "2027-10-01 is not a working day\n"
    assert not is_working_day(date(2027, 10, 1))
