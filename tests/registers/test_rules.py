"""Rules that look beyond the row: asked of a form and of a file in the same words."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import ColumnElement, exists, select

from core.api import Org, ProgramYear, Refused, Rule, User, scope_of
from core.extensions import db
from core.imports import services as imports
from core.imports.models import ImportRow
from core.registers import services
from core.registers.history import values_of
from core.users.testing import MakeUser
from core.wall import Reach, reach_as
from tests.imports.conftest import xlsx
from tests.plugins_for_tests.reading_club.registers import CORNERS, MEMBERS, READERS, Corner, Member, Reader
from tests.registers.conftest import MakePerson, id_number

pytestmark = pytest.mark.services
Row = Mapping[str, ColumnElement[Any]]
CORNER = {"org_code": "610102", "name": "角", "kind": "corner", "volumes": 5, "cost_fen": None, "opened_on": None}


def no_corner(row: Row, _year: ProgramYear) -> ColumnElement[bool]:
    """Whoever reads does so at a union with a corner."""
    return ~exists().where(Corner.org_id == row["org_id"])


def too_many(row: Row, year: ProgramYear) -> ColumnElement[bool]:
    return row["volumes"] > year.year


def is_larger(row: Row, _year: ProgramYear) -> ColumnElement[bool]:
    """A corner does not grow."""
    return exists().where(Corner.id == row["id"], Corner.volumes < row["volumes"])


NO_CORNER = Rule(broken=no_corner, sentence="No corner there.", field="id_number")
READ = replace(READERS, rules=(NO_CORNER,))
KEPT = replace(
    CORNERS,
    rules=(
        Rule(broken=too_many, sentence="Too many.", field="volumes"),
        Rule(broken=is_larger, sentence="It grows.", field="volumes"),
    ),
)


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


def test_a_new_row_keeps_to_other_rows(clerk: User, clubs: ProgramYear, make_person: MakePerson) -> None:
    make_person(1, "610102")
    values = {"id_number": id_number(1), "likes": ""}
    with pytest.raises(Refused, match="No corner there") as refusal:
        services.add(clerk, READ, clubs, values)
    assert refusal.value.field == "id_number"
    assert db.session.scalars(select(Reader)).all() == []
    services.add(clerk, CORNERS, clubs, CORNER)
    assert services.add(clerk, READ, clubs, values).likes == ""


def test_a_row_keeps_to_the_year_and_a_change_to_what_it_was(clerk: User, clubs: ProgramYear) -> None:
    with pytest.raises(Refused, match="Too many"):
        services.add(clerk, KEPT, clubs, CORNER | {"volumes": 2015})
    row = services.add(clerk, KEPT, clubs, CORNER | {"volumes": 2014})  # no row has its id yet: nothing grows
    values = {name: value for name, value in CORNER.items() if name != "org_code"}
    for volumes, sentence in ((2015, "Too many."), (2014, ""), (7, ""), (8, "It grows.")):
        change = values | {"volumes": volumes}
        if sentence:
            with pytest.raises(Refused, match=sentence):
                services.change(clerk, KEPT, clubs, row, change, values_of(KEPT, row))
        else:
            services.change(clerk, KEPT, clubs, row, change, values_of(KEPT, row))
    assert db.session.scalars(select(Corner.volumes)).one() == 7


def test_a_rule_sees_what_its_asker_does_not(
    make_user: MakeUser, clubs: ProgramYear, make_person: MakePerson, small_tree: dict[str, Org]
) -> None:
    """A corner of another union is there, though the clerk of this one would not find it."""
    services.add(make_user("clerk"), CORNERS, clubs, CORNER)
    make_person(1, "610103")
    mine = make_user("clerk", "610103")
    elsewhere = Rule(broken=lambda _row, _year: ~exists().where(Corner.id > 0), sentence="None.", field="id_number")
    reach_as(Reach(scope_of(mine, "reading_club.edit", "reading_club").paths, mine.id))
    try:
        assert db.session.scalars(select(Corner)).all() == []
        services.add(mine, replace(READERS, rules=(elsewhere,)), clubs, {"id_number": id_number(1), "likes": ""})
    finally:
        reach_as(Reach(beyond="a test"))


def test_rows_of_a_file_keep_to_the_same(clerk: User, clubs: ProgramYear, make_person: MakePerson) -> None:
    services.add(clerk, CORNERS, clubs, CORNER)
    make_person(1, "610102")
    make_person(2, "610103")
    headings = ("身份证号", "Likes")
    rows = [[id_number(1), "a"], [id_number(2), "b"], [id_number(3), "c"]]
    assert errors(clerk, READ, clubs, xlsx(rows, headings)) == [
        [],
        ["No corner there."],
        ["Nobody with this identity number is on file in a union of this sponsor that you answer for."],
    ]
    of_corners = ("工会代码", "Name", "Kind", "Volumes", "Cost", "Opened")
    corners = [["610103", "x", "corner", 2014, "", ""], ["610102", "y", "corner", 2015, "", ""]]
    assert errors(clerk, KEPT, clubs, xlsx(corners, of_corners)) == [[], ["Too many."]]


def test_of_somebody_who_is_new_on_file_a_rule_knows_no_person(clerk: User, clubs: ProgramYear) -> None:
    asked = Rule(broken=lambda row, _year: row["person_id"].is_(None), sentence="Nobody yet.", field="id_number")
    register = replace(MEMBERS, rules=(asked,))
    headings = ("身份证号", "姓名", "工会代码", "Kind", "Note", "Active")
    row = [id_number(1), "李娜", "610102001", "Guest", "n", "是"]
    assert errors(clerk, register, clubs, xlsx([row], headings)) == [["Nobody yet."]]
    assert db.session.scalars(select(Member)).all() == []


def errors(clerk: User, register: Any, year: ProgramYear, content: bytes) -> list[list[str]]:
    """What an import says of each row."""
    one = imports.upload(clerk, register, year, io.BytesIO(content), "list.xlsx")
    if one.state == "mapping":
        raise AssertionError(one.headings)
    found = select(ImportRow.errors).where(ImportRow.import_id == one.id).order_by(ImportRow.line)
    return list(db.session.scalars(found))
