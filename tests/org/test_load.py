from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import NotFound
from core.extensions import db
from core.org.cli import orgs
from core.org.divisions import BadDivisions
from core.org.models import Org
from core.org.queries import by_code, children, count_below
from core.org.services import LoadReport, load_divisions

pytestmark = pytest.mark.services

HEADER = "code,name,level,parent_code\n"
TREE = (
    "99,某省,province,\n9901,甲市,city,99\n9902,乙市,city,99\n990101,丙县,county,9901\n990101001,丁镇,township,990101\n"
)


def load(folder: Path, rows: str) -> LoadReport:
    path = folder / "divisions.csv"
    path.write_text(HEADER + rows)
    return load_divisions(SYSTEM, path)


def path_of(code: str) -> str:
    org = by_code(code)
    assert org is not None
    return org.path


def test_nothing_is_loaded_when_one_row_is_bad(app: Flask, tmp_path: Path) -> None:
    with pytest.raises(BadDivisions):
        load(tmp_path, TREE + "9903,戊市,city,98\n")
    assert db.session.scalar(select(func.count()).select_from(Org)) == 0
    assert db.session.scalar(select(func.count()).select_from(AuditLine)) == 0
    load(tmp_path, TREE)  # the refused one holds no lock


def test_a_second_load_changes_nothing(app: Flask, tmp_path: Path) -> None:
    assert load(tmp_path, TREE) == LoadReport(added=5, changed=0, unchanged=0, left_alone=0)
    assert load(tmp_path, TREE) == LoadReport(added=0, changed=0, unchanged=5, left_alone=0)
    lines = db.session.scalars(select(AuditLine)).all()
    assert [(line.action, line.object, line.org_path, line.data["added"]) for line in lines] == [
        ("org.load", "org:99", "/99/", 5)
    ]


def test_what_is_loaded_can_be_found(app: Flask, tmp_path: Path) -> None:
    load(tmp_path, TREE)
    org = by_code("990101001")
    assert org is not None
    assert (org.name, org.short_name, org.pinyin, org.initials) == ("丁镇工会", "丁镇", "dingzhen", "dz")
    assert (org.level, org.kind, org.path) == ("township", "regional", "/99/9901/990101/990101001/")
    province = by_code("99")
    assert province is not None
    assert [child.code for child in children(province.id)] == ["9901", "9902"]
    assert count_below(province.path) == {"city": 2, "county": 1, "township": 1}


def test_a_new_name_counts_as_changed_and_missing_rows_are_left_alone(app: Flask, tmp_path: Path) -> None:
    load(tmp_path, TREE)
    assert load(tmp_path, "9901,新甲市,city,99\n") == LoadReport(added=0, changed=1, unchanged=0, left_alone=4)
    assert path_of("990101001") == "/99/9901/990101/990101001/"


def test_a_moved_org_takes_its_subtree_and_its_people_along(app: Flask, tmp_path: Path) -> None:
    load(tmp_path, TREE)
    db.session.execute(
        text("""INSERT INTO core_user (username, name, org_id, org_path)
                SELECT 'u', '韩冬', id, path FROM core_org WHERE code = '990101001'""")
    )
    db.session.commit()
    assert load(tmp_path, "990101,丙县,county,9902\n") == LoadReport(added=0, changed=1, unchanged=0, left_alone=4)
    assert path_of("990101001") == "/99/9902/990101/990101001/"
    assert db.session.scalar(text("SELECT org_path FROM core_user")) == "/99/9902/990101/990101001/"


def test_an_industry_path_follows_its_industry_union(app: Flask, tmp_path: Path) -> None:
    load(tmp_path, TREE)
    db.session.execute(
        text("UPDATE core_org SET industry_path = '/99/9901/990101/' WHERE code = '9902'")
    )  # any org serves as the industry union here
    db.session.commit()
    load(tmp_path, "990101,丙县,county,99\n")
    assert db.session.scalar(select(Org.industry_path).where(Org.code == "9902")) == "/99/990101/"


def test_enterprises_come_with_their_industrial_union(app: Flask, tmp_path: Path) -> None:
    def industry(
        line: str, header: str = "code,name,level,parent_code,industry_code\n"
    ) -> tuple[LoadReport, str | None]:
        path = tmp_path / "enterprises.csv"
        path.write_text(header + line)
        report = load_divisions(SYSTEM, path)
        return report, db.session.scalars(select(Org.industry_path).where(Org.code == "bus")).one()

    load(tmp_path, "61,陕西省,province,\n6101,西安市,city,61\n")
    line = "bus,某公交公司,enterprise,6101,61-transport\n"
    assert industry(line) == (LoadReport(1, 0, 0, 10), "/61/61-transport/")
    assert industry(line) == (LoadReport(0, 0, 1, 10), "/61/61-transport/")
    bare = "bus,某公交公司,enterprise,6101\n"
    assert industry(bare, HEADER) == (LoadReport(0, 0, 1, 10), "/61/61-transport/")  # no column: left as it is
    assert industry(bare) == (LoadReport(0, 1, 0, 10), None)
    assert industry(line) == (LoadReport(0, 1, 0, 10), "/61/61-transport/")
    other = "bus,某公交公司,enterprise,6101,61-construction\n"
    assert industry(other) == (LoadReport(0, 1, 0, 10), "/61/61-construction/")
    org = by_code("bus")
    assert org is not None
    assert (org.name, org.kind) == ("某公交公司工会", "enterprise")


def test_the_commands_print_counts_and_the_tree(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    path = tmp_path / "divisions.csv"
    path.write_text(HEADER + TREE)
    assert runner.invoke(orgs, ["load", str(path)]).output == "added 5, changed 0, unchanged 0\n"
    path.write_text(HEADER + "99,某省,province,\n")
    again = runner.invoke(orgs, ["load", str(path)])
    assert again.output == "added 0, changed 0, unchanged 1\nleft alone 4 that are not in divisions.csv\n"
    shown = runner.invoke(orgs, ["show", "9901"])
    assert shown.output.splitlines() == [
        "9901 甲市总工会 (city, regional) /99/9901/",
        "county 1  township 1",
        "  990101 丙县总工会",
    ]


def test_the_commands_refuse_what_is_not_there(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    assert isinstance(runner.invoke(orgs, ["show", "9901"]).exception, NotFound)
    assert "does not exist" in runner.invoke(orgs, ["load", str(tmp_path / "none.csv")]).output
