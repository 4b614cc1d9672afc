"""Aid centres and service stations: what the form, an import and the table take, and the page of the network."""

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.api import Org, ProgramYear, Scope, db, today
from core.imports import services as imports
from core.imports.models import ImportRow
from core.users.testing import AsUser, MakeUser
from plugins.hardship_aid.centres import queries
from plugins.hardship_aid.centres.models import Centre
from plugins.hardship_aid.centres.registers import CENTRES
from plugins.hardship_aid.centres.words import FUNCTIONS
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.paired import sheet

EVERYWHERE = Scope(("/",))
CENTRE: dict[str, Any] = {
    "org_code": "6101",
    "kind": "centre",
    "name": "西安市困难职工援助中心",
    "address": "莲湖区西华门1号",
    "phone": "029-87654321",
    "opened_on": "2010-05-01",
    "longitude": "108.948024",
    "latitude": "34.263161",
    "functions": ["relief", "law"],
}


@pytest.fixture
def clerk(program_year: ProgramYear, as_user: AsUser) -> FlaskClient:
    return as_user("clerk", "61")


def place(year: ProgramYear, org: Org, name: str = "某处", **changes: Any) -> Centre:
    values: dict[str, Any] = {"kind": "station", "opened_on": date(2012, 1, 1)}
    made = Centre(sponsor_id=year.org_id, org_id=org.id, org_path=org.path, name=name, **(values | changes))
    db.session.add(made)
    db.session.commit()
    return made


def test_a_centre_is_written_down_and_shown(clerk: FlaskClient) -> None:
    assert clerk.post(f"{PAGES}/registers/centres/add", data=CENTRE).status_code == 302
    made = db.session.scalars(select(Centre)).one()
    assert (made.longitude, made.latitude) == (Decimal("108.948024"), Decimal("34.263161"))
    assert (made.functions, made.opened_on, made.closed_on) == (["relief", "law"], date(2010, 5, 1), None)
    page = clerk.get(f"{PAGES}/registers/centres/?f-functions=law").text
    assert "Relief in hardship, Legal aid" in page
    assert "029-87654321" in page
    assert CENTRE["name"] not in clerk.get(f"{PAGES}/registers/centres/?f-functions=jobs").text
    page = clerk.get(f"{PAGES}/registers/centres/{made.id}/change").text
    assert page.count("checked") >= 2
    found = re.search('name="seen" value="([^"]*)"', page)
    assert found
    changed = {name: value for name, value in CENTRE.items() if name != "org_code"} | {"functions": list(FUNCTIONS)}
    changed["seen"] = unescape(found[1])
    assert clerk.post(f"{PAGES}/registers/centres/{made.id}/change", data=changed).status_code == 302
    assert db.session.scalars(select(Centre.functions)).one() == list(FUNCTIONS)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": " "}, "This field is required."),
        ({"kind": "bureau"}, "Not a valid choice."),
        ({"closed_on": "2010-04-30"}, "The place closes before it opens."),
        ({"longitude": ""}, "A place on the map has both a longitude and a latitude."),
        ({"latitude": ""}, "A place on the map has both a longitude and a latitude."),
        ({"longitude": "72.9"}, "Number must be between 73 and 136."),
        ({"latitude": "54.1"}, "Number must be between 3 and 54."),
        ({"phone": "call me"}, "A phone number has digits, blanks, + and - only."),
        ({"functions": ["dancing"]}, "not a valid choice"),
    ],
)
def test_what_no_place_can_say_is_told_at_its_field(clerk: FlaskClient, values: dict[str, Any], sentence: str) -> None:
    page = clerk.post(f"{PAGES}/registers/centres/add", data=CENTRE | values)
    assert page.status_code == 400
    assert sentence in page.text
    assert db.session.scalars(select(Centre)).all() == []


def test_no_place_opens_tomorrow(clerk: FlaskClient) -> None:
    tomorrow = (today() + timedelta(days=1)).isoformat()
    for name in ("opened_on", "checked_on"):
        page = clerk.post(f"{PAGES}/registers/centres/add", data=CENTRE | {name: tomorrow})
        assert page.status_code == 400
        assert "This day lies in the future." in page.text


def test_a_point_and_a_last_day_may_be_missing_and_days_be_the_same(clerk: FlaskClient) -> None:
    bare = CENTRE | {"longitude": "", "latitude": "", "functions": [], "phone": "", "closed_on": "2010-05-01"}
    assert clerk.post(f"{PAGES}/registers/centres/add", data=bare).status_code == 302
    assert db.session.scalars(select(Centre.functions)).one() == []
    again = clerk.post(f"{PAGES}/registers/centres/add", data=bare)
    assert "The register has an entry with this value already." in again.text


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("kind = 'bureau'", "kind"),
        ("name = ''", "name"),
        ("closed_on = '2011-12-31'", "closed_on"),
        ("longitude = 108", "place"),
        ("longitude = 72.999999, latitude = 34", "in_china"),
        ("longitude = 108, latitude = 54.000001", "in_china"),
        ("functions = '{relief,dancing}'", "functions"),
    ],
)
def test_the_table_keeps_the_rules_itself(
    program_year: ProgramYear, small_tree: dict[str, Org], change: str, rule: str
) -> None:
    place(program_year, small_tree["6101"])
    with pytest.raises(IntegrityError, match=f"ck_hardship_aid_centre_{rule}"):
        db.session.execute(text(f"UPDATE hardship_aid_centre SET {change}"))  # noqa: S608  # of the list above


def test_a_file_brings_places_with_several_functions(
    program_year: ProgramYear, make_user: MakeUser, run_jobs: Callable[[], int]
) -> None:
    user = make_user("clerk")
    headings = ["工会代码", *(name for name in CENTRE if name != "org_code")]
    good = [*(value for name, value in CENTRE.items() if name != "functions"), "relief、Legal aid"]
    bare = ["6102", "station", "某站", "", "", "2012-01-01", "", "", ""]
    bad = [*good[:-1], "打牌"]
    one = imports.upload(user, CENTRES, program_year, sheet(headings, good, bare, bad), "list.xlsx")
    found = select(ImportRow.errors).where(ImportRow.import_id == one.id).order_by(ImportRow.line)
    first, second, third = db.session.scalars(found)
    assert (first, second) == ([], [])
    assert "打牌" in third[0]
    imports.start_merge(user, one, CENTRES, program_year, only_good=True)
    run_jobs()
    places = db.session.scalars(select(Centre).order_by(Centre.id)).all()
    assert [(made.functions, made.longitude) for made in places] == [
        (["relief", "law"], Decimal("108.948024")),
        ([], None),
    ]


def test_the_network_is_counted_by_city_and_level(program_year: ProgramYear, small_tree: dict[str, Org]) -> None:
    place(program_year, small_tree["61"], "省中心", kind="centre")
    point = {"longitude": Decimal("108.9"), "latitude": Decimal("34.2")}
    place(program_year, small_tree["6101"], "市中心", kind="centre", **point)
    place(program_year, small_tree["610102"], "区站")
    place(program_year, small_tree["610102001"], "关了", closed_on=date(2014, 12, 30))
    place(program_year, small_tree["610103"], "没开", opened_on=date(2015, 1, 1))
    assert queries.totals(program_year, EVERYWHERE) == (2, 1)
    cities = {line.code: (line.centres, line.stations) for line in queries.by_city(program_year, EVERYWHERE)}
    assert cities == {"6101": (1, 1), "6102": (0, 0), "6111": (0, 0)}
    assert queries.points(program_year, EVERYWHERE) == [("市中心", 108.9, 34.2)]
    levels = {line.level: line for line in queries.coverage(program_year, EVERYWHERE)}
    regions = [one.level for one in small_tree.values() if one.kind == "regional"]
    assert {level: line.unions for level, line in levels.items()} == {
        level: regions.count(level) for level in ("city", "county", "township")
    }
    assert (levels["city"].with_centre, levels["city"].covered) == (1, 1)
    assert (levels["county"].with_centre, levels["county"].covered) == (0, 1)
    assert levels["township"].covered == 0
    without = [org.code for org in queries.without(program_year, EVERYWHERE, "county")]
    assert "610102" not in without
    assert {"610103", "610202"} <= set(without)
    place(program_year, small_tree["610102001"], "街道站", closed_on=date(2014, 12, 31))
    assert [line.covered for line in queries.coverage(program_year, EVERYWHERE)] == [1, 1, 1]
    below = Scope((small_tree["610102"].path,))
    assert queries.totals(program_year, below) == (0, 2)
    assert [(line.code, line.places) for line in queries.by_city(program_year, below)] == [("6101", 2)]


def test_the_page_shows_the_network_of_the_reader(
    program_year: ProgramYear, small_tree: dict[str, Org], as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = {"longitude": Decimal("108.9"), "latitude": Decimal("34.2")}
    place(program_year, small_tree["6101"], "centre-6101", kind="centre", **point)
    leader = as_user("leader", "61")
    xi_an, tongchuan = small_tree["610102"], small_tree["610202"]

    def missing(browser: FlaskClient, query: str) -> str:
        return browser.get(f"{PAGES}/places?{query}").text.partition('id="none"')[2]

    assert json.dumps([["centre-6101", 108.9, 34.2]]) in leader.get(f"{PAGES}/places").text
    assert xi_an.name in missing(leader, "level=county")
    assert tongchuan.name in missing(leader, "level=county")
    assert tongchuan.name not in missing(leader, "level=city")
    monkeypatch.setattr(queries, "PAGE", 1)
    assert tongchuan.name not in missing(leader, "level=county")
    second = missing(leader, f"level=county&after={quote(xi_an.path, safe='')}")
    assert xi_an.name not in second
    assert "after=" in missing(leader, "level=county")
    assert leader.get(f"{PAGES}/places?level=%00&after=%00").status_code == 200
    stranger = as_user("leader", "6102")
    assert "centre-6101" not in stranger.get(f"{PAGES}/places").text
    assert xi_an.name not in missing(stranger, "level=county")
