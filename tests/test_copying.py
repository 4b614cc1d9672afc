"""Copying a whole year: what is taken over, what is refused, and that the preview is the copy."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import func, select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Forbidden, Refused, ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.programs.copying import copy_year, preview, shifted
from core.programs.models import ProgramYear
from core.programs.queries import find
from core.programs.services import change_dates, close, disable, enable
from core.users.testing import AsUser, MakeUser
from tests.plugins_for_tests.halls import OPENING, Halls, run
from tests.plugins_for_tests.reading_club import plugin as reading_club


@pytest.fixture
def halls() -> Halls:
    return Halls()


@pytest.fixture
def plugins(halls: Halls) -> dict[str, object]:
    """The halls, and reading clubs that know nothing of them."""
    return {"halls": halls.module(), "reading_club": reading_club}


@pytest.fixture(autouse=True)
def _sentences_in_english(app: Flask) -> Iterator[None]:
    with force_locale("en"):
        yield


def switch_on(sponsor: Org, program: str = "halls", year: int = 2014, **settings: Any) -> ProgramYear:
    return enable(SYSTEM, program, year, sponsor, opens_on=date(year, 1, 1), settings=settings)


def count_years() -> int:
    return db.session.scalars(select(func.count()).select_from(ProgramYear)).one()


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditLine.action).order_by(AuditLine.id)))


def test_a_year_is_copied_with_its_settings_moved_and_its_quotas(small_tree: dict[str, Org], halls: Halls) -> None:
    source = switch_on(small_tree["61"], seats=40, opening="2016-02-29", year=2016)
    change_dates(SYSTEM, source, opens_on=date(2016, 2, 29), closes_on=date(2016, 12, 31))
    (line,) = preview(SYSTEM, 2016, 2017)
    assert (line.refusal, line.copied) == (None, ["Rooms: 3"])
    assert [(change.label, change.before, change.after) for change in line.changes] == [
        ("Opening", "2016-02-29", "2017-02-28")
    ]
    assert count_years() == 1
    copy_year(SYSTEM, 2016, 2017, [source.id])
    target = find(2017, "61", "halls")
    assert target is not None
    assert target.settings == {"seats": 40, "opening": "2017-02-28"}
    assert (target.opens_on, target.closes_on) == (date(2017, 2, 28), date(2017, 12, 31))
    assert (target.settings_version, halls.calls[-1]) == (1, ("copied", 2016, 2017))
    assert actions()[-1] == "program_year.copy"


def test_the_preview_leaves_nothing_behind(small_tree: dict[str, Org]) -> None:
    switch_on(small_tree["61"])
    before = actions()
    preview(SYSTEM, 2014, 2015)
    db.session.commit()
    assert (count_years(), actions()) == (1, before)


def test_what_builds_on_another_is_copied_after_it(small_tree: dict[str, Org]) -> None:
    ids = [switch_on(small_tree["61"], code).id for code in ("halls", "awards")]
    assert [line.title for line in copy_year(SYSTEM, 2014, 2015, ids)] == ["Halls", "Awards"]
    assert find(2015, "61", "awards") is not None


def test_a_setting_that_the_form_no_longer_knows_is_left_out_and_a_new_one_gets_its_default(
    small_tree: dict[str, Org],
) -> None:
    source = switch_on(small_tree["61"], seats=40)
    source.settings = {"seats": 40, "curtains": "red"}
    db.session.commit()
    (line,) = preview(SYSTEM, 2014, 2015)
    assert [(change.label, change.after) for change in line.changes] == [("curtains", "—")]
    copy_year(SYSTEM, 2014, 2015, [source.id])
    target = find(2015, "61", "halls")
    assert target is not None
    assert target.settings == {"seats": 40, "opening": None}


def test_settings_that_are_not_right_any_more_are_refused(small_tree: dict[str, Org]) -> None:
    source = switch_on(small_tree["61"])
    source.settings = {"seats": 101}
    db.session.commit()
    (line,) = preview(SYSTEM, 2014, 2015)
    assert line.refusal is not None
    assert line.refusal.startswith("Seats: ")


def refusals(lines: Any) -> list[str | None]:
    return [line.refusal for line in lines]


def test_what_cannot_be_copied_says_why_and_leaves_the_others_alone(
    small_tree: dict[str, Org], halls: Halls, app: Flask
) -> None:
    province, city, other = small_tree["61"], small_tree["6101"], small_tree["6102"]
    for sponsor in (province, city, other):
        switch_on(sponsor)
    switch_on(city, year=2015)
    other.active = False
    db.session.commit()
    found = preview(SYSTEM, 2014, 2015)
    assert refusals(found) == [None, "It is there for 2015 already.", f"{other.name} is no longer active."]
    del app.extensions["zhijia_registry"].programs["halls"]
    assert all("No plugin that is loaded" in (reason or "") for reason in refusals(preview(SYSTEM, 2014, 2016)))


@pytest.mark.parametrize("answer", [None, ["three rooms"], [1]])
def test_a_plugin_that_fails_to_copy_keeps_only_its_own_year_back(
    small_tree: dict[str, Org], halls: Halls, answer: Any
) -> None:
    broken, sound = switch_on(small_tree["61"]), switch_on(small_tree["61"], "reading_club", grant=1)
    halls.copied = answer
    first, second = preview(SYSTEM, 2014, 2015)
    assert "The plugin “halls” failed" in (first.refusal or "")
    assert second.refusal is None
    with pytest.raises(Refused, match=r"Nothing was copied\. Halls, 陕西省总工会: The plugin “halls” failed"):
        copy_year(SYSTEM, 2014, 2015, [broken.id, sound.id])
    assert count_years() == 2
    copy_year(SYSTEM, 2014, 2015, [sound.id])
    assert count_years() == 3


def test_what_blocks_the_opening_blocks_the_copy(small_tree: dict[str, Org], halls: Halls) -> None:
    switch_on(small_tree["61"])
    halls.blockers = [OPENING]
    assert refusals(preview(SYSTEM, 2014, 2015)) == ["Paint the hall first."]


@pytest.mark.parametrize("chosen", [[], [0], "all and one more"])
def test_a_choice_that_is_not_on_the_list_is_refused(small_tree: dict[str, Org], chosen: Any) -> None:
    source = switch_on(small_tree["61"])
    ids = [source.id, 10**6] if chosen == "all and one more" else chosen
    with pytest.raises(Refused, match="Choose what to copy"):
        copy_year(SYSTEM, 2014, 2015, ids)
    assert count_years() == 1


@pytest.mark.parametrize(
    ("source", "target", "field"), [(2014, 2014, "target"), (1948, 2014, "source"), (2014, 2200, "target")]
)
def test_years_that_cannot_be_meant_are_refused(app: Flask, source: int, target: int, field: str) -> None:
    with pytest.raises(ZhijiaError) as refusal:
        preview(SYSTEM, source, target)
    assert refusal.value.field == field
    with pytest.raises(ZhijiaError):
        copy_year(SYSTEM, source, target, [1])


def test_a_year_that_is_off_is_not_copied_and_a_closed_one_is(small_tree: dict[str, Org]) -> None:
    disable(SYSTEM, switch_on(small_tree["6101"]))
    close(SYSTEM, switch_on(small_tree["61"]))
    assert [line.sponsor for line in preview(SYSTEM, 2014, 2015)] == ["陕西省总工会"]


def test_only_what_one_manages_is_copied(small_tree: dict[str, Org], make_user: MakeUser) -> None:
    province, city = switch_on(small_tree["61"]), switch_on(small_tree["6101"])
    admin, clerk = make_user("admin", "6101"), make_user("clerk", "6101")
    assert [line.program_year_id for line in preview(admin, 2014, 2015)] == [city.id]
    for user, ids in ((admin, [province.id, city.id]), (clerk, [city.id])):
        with pytest.raises((Refused, Forbidden)):
            copy_year(user, 2014, 2015, ids)
    assert count_years() == 2


@pytest.mark.parametrize(
    ("day", "years", "then"),
    [
        (date(2016, 2, 29), 1, date(2017, 2, 28)),
        (date(2016, 2, 29), 4, date(2020, 2, 29)),
        (date(2016, 2, 28), 1, date(2017, 2, 28)),
        (date(2016, 3, 1), -1, date(2015, 3, 1)),
    ],
)
def test_a_day_moves_with_the_year(day: date, years: int, then: date) -> None:
    assert shifted(day, years) == then


def test_copying_by_the_page(small_tree: dict[str, Org], halls: Halls, as_user: AsUser) -> None:
    ids = [switch_on(small_tree[code]).id for code in ("61", "6101")]
    admin = as_user("admin")
    page = admin.get("/admin/years/copy?source=2014&target=2015")
    assert page.status_code == 200
    assert [f'name="chosen" value="{number}"' in page.text for number in ids] == [True, True]
    assert "Rooms 3条" in page.text
    response = admin.post("/admin/years/copy", data={"source": 2014, "target": 2015, "chosen": [ids[1]]})
    assert response.status_code == 302
    assert (find(2015, "61", "halls"), find(2015, "6101", "halls") is not None) == (None, True)
    again = admin.post("/admin/years/copy", data={"source": 2014, "target": 2015, "chosen": ids})
    assert again.status_code == 409
    assert (find(2015, "61", "halls"), "2015" in again.text) == (None, True)


@pytest.mark.parametrize(
    "query", ["source=2014&target=2014", "source=2014", "source=x&target=2015", "source=1&target=2"]
)
def test_wrong_years_are_answered_at_their_field(small_tree: dict[str, Org], as_user: AsUser, query: str) -> None:
    admin = as_user("admin")
    response = admin.get(f"/admin/years/copy?{query}")
    assert (response.status_code, "invalid-feedback" in response.text) == (400, True)
    assert admin.post(f"/admin/years/copy?{query}", data={}).status_code == 400


def test_copying_by_the_command_line(app: Flask, small_tree: dict[str, Org], halls: Halls) -> None:
    switch_on(small_tree["61"], seats=40, opening="2014-03-01")
    switch_on(small_tree["6101"])
    shown = (
        "copies Halls, 陕西省总工会: Opening: 2014-03-01 -> 2015-03-01; Rooms: 3\n"
        "copies Halls, 西安市总工会: Rooms: 3\n"
    )
    with force_locale("en"):
        assert run(app, "years", "copy", "2014", "2015", "--dry-run") == (0, shown)
        assert count_years() == 2
        assert run(app, "years", "copy", "2014", "2015") == (0, f"{shown}copied 2 programs from 2014 into 2015\n")
        disable(SYSTEM, find(2015, "6101", "halls") or pytest.fail("not copied"))
        switch_on(small_tree["6102"])
        assert run(app, "years", "copy", "2014", "2015")[0] == 2
        assert count_years() == 5
        code, output = run(app, "years", "copy", "2014", "2015", "--skip")
        assert (code, output.splitlines()[-1]) == (0, "copied 1 programs from 2014 into 2015")
        assert run(app, "years", "copy", "2014", "2015", "--skip") == (2, "There is nothing to copy from 2014.")
