from pathlib import Path

import pytest
from flask import Flask
from stdnum.cn.ric import calc_check_digit

from core.audit.services import SYSTEM
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.org.services import load_divisions
from core.people.models import Person
from core.people.services import PersonRow, register_people

TREE = """code,name,level,parent_code
99,某省,province,
9901,甲市,city,99
9902,乙市,city,99
990101,丙县,county,9901
990201,戊县,county,9902
990101001,丁街道,township,990101
990101100,己镇,township,990101
990201100,庚镇,township,990201
990101001001,辛社区,village,990101001
"""


@pytest.fixture
def tree(app: Flask, tmp_path: Path) -> None:
    """A province with two cities and three townships."""
    path = tmp_path / "divisions.csv"
    path.write_text(TREE)
    load_divisions(SYSTEM, path)


def number(serial: int) -> str:
    """A valid identity number of a fictional person, one for each serial number below 1,000."""
    first = f"61010219900101{serial:03d}"
    return first + calc_check_digit(first + "0")


@pytest.fixture
def pair(small_tree: dict[str, Org]) -> tuple[Person, Person]:
    """The same fictional woman twice: without phone and account in Xincheng, with both in Beilin."""
    rows = [
        PersonRow("610102001", "单小芳", number(1)),
        PersonRow("610103", "单小芳", number(3), "13900001234", "6222021234567890123", "长安银行"),
    ]
    register_people(SYSTEM, rows, Scope.of(["/61/"]))
    kept, dropped = db.session.query(Person).order_by(Person.id)
    return kept, dropped
