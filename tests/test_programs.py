"""Switching programs on: what is refused, the settings and their versions, the days on which a year is open."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Forbidden, Refused, ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear, SettingsVersion
from core.programs.queries import find, open_year_ids, sponsor_code, state_of, title_of
from core.programs.services import change_dates, change_settings, close, disable, enable
from core.programs.switch import why_not
from core.users.testing import MakeUser
from tests.plugins_for_tests.reading_club import plugin as reading_club

SETTINGS = {"grant": 120_000}


@pytest.fixture(autouse=True)
def _sentences_in_english(app: Flask) -> Iterator[None]:
    with force_locale("en"):
        yield


@pytest.fixture
def plugins() -> dict[str, object]:
    """The reading clubs and nothing else."""
    return {"reading_club": reading_club}


def switch_on(sponsor: Org, **changes: Any) -> ProgramYear:
    values: dict[str, Any] = {"opens_on": date(2014, 1, 1), "settings": SETTINGS} | changes
    actor = values.pop("actor", SYSTEM)
    return enable(actor, values.pop("program", "reading_club"), values.pop("year", 2014), sponsor, **values)


def audit_actions() -> list[str]:
    return list(db.session.scalars(select(AuditLine.action).order_by(AuditLine.id)))


def test_an_unknown_program_is_refused(small_tree: dict[str, Org]) -> None:
    with pytest.raises(Refused, match="chess") as refusal:
        switch_on(small_tree["61"], program="chess")
    assert refusal.value.field == "program"


def test_a_program_in_quarantine_is_refused_with_the_reason(small_tree: dict[str, Org]) -> None:
    registry_of().failed["chess"] = ImportError("no board")
    with pytest.raises(Refused, match="ImportError: no board"):
        switch_on(small_tree["61"], program="chess")


def test_a_sponsor_that_is_no_longer_active_is_refused(small_tree: dict[str, Org]) -> None:
    small_tree["6101"].active = False
    with pytest.raises(Refused) as refusal:
        switch_on(small_tree["6101"])
    assert refusal.value.field == "sponsor"


@pytest.mark.parametrize("year", [1948, 2200])
def test_a_year_beyond_the_bounds_is_refused(small_tree: dict[str, Org], year: int) -> None:
    with pytest.raises(ZhijiaError) as refusal:
        switch_on(small_tree["61"], year=year)
    assert refusal.value.field == "year"


@pytest.mark.parametrize("year", [1949, 2199])
def test_the_first_and_the_last_year_are_taken(small_tree: dict[str, Org], year: int) -> None:
    assert switch_on(small_tree["61"], year=year).year == year


def test_closing_before_opening_is_refused_and_on_the_same_day_is_not(small_tree: dict[str, Org]) -> None:
    with pytest.raises(ZhijiaError) as refusal:
        switch_on(small_tree["61"], opens_on=date(2014, 1, 2), closes_on=date(2014, 1, 1))
    assert refusal.value.field == "closes_on"
    assert switch_on(small_tree["61"], closes_on=date(2014, 1, 1)).closes_on == date(2014, 1, 1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "grant"),
        ({"grant": None}, "grant"),
        ({"grant": -1}, "grant"),
        ({"grant": 1.5}, None),
        ({"grant": "a lot"}, None),
        ({"grant": True}, None),
        ({"grant": 1, "colour": "red"}, "colour"),
        ({"grant": 1, "notice_working_days": -1}, "notice_working_days"),
        ({"grant": 1, "notice_working_days": "soon"}, "notice_working_days"),
        ({"grant": 1, "approvals_needed": 0}, "approvals_needed"),
        ({"grant": 1, "approvals_needed": 6}, "approvals_needed"),
        ({"grant": 1, "paying_level": "planet"}, "paying_level"),
    ],
)
def test_wrong_settings_are_refused_at_their_field(
    small_tree: dict[str, Org], values: dict[str, Any], field: str | None
) -> None:
    with pytest.raises(ZhijiaError) as refusal:
        switch_on(small_tree["61"], settings=values)
    assert refusal.value.field == field
    db.session.rollback()
    assert find(2014, "61", "reading_club") is None


def test_settings_at_their_bounds_are_taken_and_defaults_filled_in(small_tree: dict[str, Org]) -> None:
    program_year = switch_on(small_tree["61"], settings={"grant": 0, "notice_working_days": 0, "approvals_needed": 5})
    assert program_year.settings == {
        "grant": 0, "notice_working_days": 0, "approvals_needed": 5, "reminder_working_days": 2, "paying_level": "city",
        "bank_format": ["csv"], "return_working_days": 5, "cap_program": None, "cap_year": None,
    }  # fmt: skip


def test_enabling_twice_is_refused(small_tree: dict[str, Org]) -> None:
    switch_on(small_tree["61"])
    with pytest.raises(Refused, match="already"):
        switch_on(small_tree["61"])


def test_enabling_at_the_same_time_as_somebody_else_is_refused(small_tree: dict[str, Org]) -> None:
    province = small_tree["61"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.programs.services._existing", lambda *_parts: None)
        switch_on(province)
        with pytest.raises(Refused, match="already"):
            switch_on(province)


@pytest.mark.parametrize("role", ["clerk", "reviewer", "finance", "auditor", "leader"])
def test_only_who_manages_programs_may_switch_them(small_tree: dict[str, Org], make_user: MakeUser, role: str) -> None:
    with pytest.raises(Forbidden):
        switch_on(small_tree["61"], actor=make_user(role))


def test_a_citys_administrator_may_not_switch_on_for_the_province_but_for_the_city(
    small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    admin = make_user("admin", "6101")
    with pytest.raises(Forbidden):
        switch_on(small_tree["61"], actor=admin)
    assert switch_on(small_tree["6101"], actor=admin).org_path == small_tree["6101"].path


def test_every_change_asks_for_the_permission(small_tree: dict[str, Org], make_user: MakeUser) -> None:
    clerk, program_year = make_user("clerk"), switch_on(small_tree["61"])
    with pytest.raises(Forbidden):
        change_settings(clerk, program_year, {"grant": 1}, version=1)
    with pytest.raises(Forbidden):
        change_dates(clerk, program_year, opens_on=date(2014, 1, 1), closes_on=None)
    with pytest.raises(Forbidden):
        disable(clerk, program_year)
    with pytest.raises(Forbidden):
        close(clerk, program_year)


def test_settings_changed_by_somebody_else_meanwhile_are_not_overwritten(small_tree: dict[str, Org]) -> None:
    program_year = switch_on(small_tree["61"])
    change_settings(SYSTEM, program_year, {"grant": 1}, version=1)
    with pytest.raises(Refused, match="meanwhile"):
        change_settings(SYSTEM, program_year, {"grant": 2}, version=1)
    db.session.rollback()
    assert program_year.settings["grant"] == 1


def test_every_version_of_the_settings_is_kept(small_tree: dict[str, Org]) -> None:
    program_year = switch_on(small_tree["61"])
    change_settings(SYSTEM, program_year, {"grant": 5}, version=1)
    change_settings(SYSTEM, program_year, {"grant": 5}, version=2)  # nothing changed: no new version
    versions = db.session.scalars(select(SettingsVersion).order_by(SettingsVersion.version)).all()
    assert [(version.version, version.settings["grant"]) for version in versions] == [(1, 120_000), (2, 5)]
    assert program_year.settings_version == 2


def test_one_that_is_off_cannot_be_changed_but_switched_on_again_with_its_history(small_tree: dict[str, Org]) -> None:
    program_year = switch_on(small_tree["61"])
    disable(SYSTEM, program_year)
    with pytest.raises(Refused):
        disable(SYSTEM, program_year)
    with pytest.raises(Refused):
        change_settings(SYSTEM, program_year, {"grant": 1}, version=1)
    again = switch_on(small_tree["61"], settings={"grant": 7})
    assert again.id == program_year.id
    assert (again.enabled, again.settings_version, again.settings["grant"]) == (True, 2, 7)


def test_one_that_is_closed_for_good_stays_closed(small_tree: dict[str, Org]) -> None:
    program_year = switch_on(small_tree["61"])
    close(SYSTEM, program_year)
    for change in (
        lambda: close(SYSTEM, program_year),
        lambda: change_settings(SYSTEM, program_year, {"grant": 1}, version=1),
        lambda: change_dates(SYSTEM, program_year, opens_on=date(2014, 1, 1), closes_on=None),
    ):
        with pytest.raises(Refused, match="closed for good"):
            change()
    disable(SYSTEM, program_year)
    with pytest.raises(Refused, match="closed for good"):
        switch_on(small_tree["61"])


def test_every_step_leaves_its_audit_line(small_tree: dict[str, Org]) -> None:
    program_year = switch_on(small_tree["61"])
    change_settings(SYSTEM, program_year, {"grant": 1}, version=1)
    change_dates(SYSTEM, program_year, opens_on=date(2014, 1, 2), closes_on=date(2014, 3, 1))
    close(SYSTEM, program_year)
    disable(SYSTEM, program_year)
    steps = ["enable", "settings", "dates", "close", "disable"]
    assert audit_actions() == [f"program_year.{step}" for step in steps]


def test_both_its_days_belong_to_an_open_year(small_tree: dict[str, Org]) -> None:
    year = switch_on(small_tree["61"], opens_on=date(2014, 1, 10), closes_on=date(2014, 2, 20))
    days = [date(2014, 1, 9), date(2014, 1, 10), date(2014, 2, 20), date(2014, 2, 21)]
    assert [state_of(year, day) for day in days] == ["upcoming", "open", "open", "closed"]
    year.closes_on = None
    assert state_of(year, date(2099, 1, 1)) == "open"
    year.enabled = False
    assert state_of(year, date(2014, 1, 10)) == "off"


def test_two_sponsors_run_one_program_in_one_year_each_with_its_settings(small_tree: dict[str, Org]) -> None:
    one = switch_on(small_tree["61"], settings={"grant": 1})
    two = switch_on(small_tree["6101"], settings={"grant": 2})
    assert [find(2014, code, "reading_club") for code in ("61", "6101", "6102")] == [one, two, None]
    assert sponsor_code(two) == "6101"


def test_the_title_reads_without_the_plugin(small_tree: dict[str, Org]) -> None:
    program_year = switch_on(small_tree["61"])
    assert title_of(program_year, "zh") == "职工读书会"
    assert title_of(program_year, "en") == "Reading clubs"
    assert title_of(program_year, "fr") == "职工读书会"


def test_a_job_is_told_why_it_must_not_run(small_tree: dict[str, Org], app: Flask) -> None:
    program_year, spec = switch_on(small_tree["61"]), registry_of().jobs["reading_club.count"]
    guard = app.extensions["zhijia_job_guard"]
    assert guard is why_not
    assert why_not(spec, program_year.id) is None
    assert why_not(spec, None) is not None
    assert why_not(spec, program_year.id + 1) is not None
    program_year.program = "chess"
    assert why_not(spec, program_year.id) is not None
    db.session.rollback()
    disable(SYSTEM, program_year)
    assert why_not(spec, program_year.id) is not None


def test_schedules_come_due_for_years_that_are_open_today(small_tree: dict[str, Org], app: Flask) -> None:
    running = switch_on(small_tree["61"])
    switch_on(small_tree["61"], year=2015, closes_on=date(2015, 12, 31), opens_on=date(2015, 1, 1))
    disable(SYSTEM, switch_on(small_tree["6101"]))
    assert app.extensions["zhijia_enabled_years"] is open_year_ids
    assert open_year_ids("reading_club") == [running.id]
    assert open_year_ids("chess") == []
