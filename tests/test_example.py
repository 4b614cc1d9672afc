"""The study aid for mine-disaster families, as an industry union ships it: installed, used for two years, taken out."""

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select

from core.cli import zhijia
from core.config import ROOT, Settings
from core.extensions import db
from core.ledger.models import Entry
from core.org.models import Org
from core.people.models import Person
from core.people.secrets import decrypt
from core.plugin.registry import registry_of
from core.users.testing import AsUser, MakeUser
from core.web.testing import environ_of
from tests.installing import Venv, make_venv

EXAMPLE = ROOT / "examples" / "mine_study_aid"
NAME, DISTRIBUTION, SPONSOR = "mine_study_aid", "zhijia-mine-study-aid", "61-transport"
WHERE = (NAME, "--sponsor", SPONSOR, "--year")
COUNTED = ("--set", "counted_on=2014-10-01", "--set", "notice_working_days=0")
#: What a plugin may import beside itself and the standard library (docs/writing-a-plugin.md).
ALLOWED = {"core.api", "flask", "flask_babel", "wtforms", "sqlalchemy", "markupsafe", "click", "pluggy", "alembic"}

pytestmark = pytest.mark.services


@pytest.fixture
def plugins() -> dict[str, object]:
    """The process of the test never has the plugin: that is the house before it came, and after it has gone."""
    return {}


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> Venv:
    """An installation on the test's database, with a virtual environment to install into."""
    return make_venv(tmp_path / "venv", environ_of(settings) | {"ZHIJIA_PLUGINS": NAME})


def study(house: Venv, *words: str) -> str:
    """What people do on the pages, in a process of the installation."""
    return house.run("python", "-m", "tests.plugins_for_tests.study_years", *words, cwd=ROOT)


def imported(file: Path) -> set[str]:
    """The packages that a module imports from elsewhere."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return {name if name.startswith("core") else name.partition(".")[0] for name in found}


def test_it_imports_nothing_of_the_house_but_core_api() -> None:
    files = list((EXAMPLE / NAME).rglob("*.py"))
    assert len(files) > 5
    strange = {file.name: imported(file) - ALLOWED - set(sys.stdlib_module_names) - {NAME} for file in files}
    assert {name: modules for name, modules in strange.items() if modules} == {}


@pytest.mark.timeout(600)
def test_its_own_tests_pass_where_it_is_installed(tmp_path: Path) -> None:
    house = make_venv(tmp_path / "venv", {})  # with servers of its own, not those of this test run
    house.install(EXAMPLE)
    output = house.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLE, cwd=tmp_path)
    assert re.search(r"^\d{2} passed", output.splitlines()[-1])


@pytest.mark.timeout(600)
def test_two_years_and_then_it_goes(
    house: Venv,
    app: Flask,
    small_tree: dict[str, Org],
    make_user: MakeUser,
    make_person: Callable[..., Person],
    as_user: AsUser,
) -> None:
    for role in ("clerk", "reviewer", "finance"):
        make_user(role, SPONSOR, username=role)
    numbers = [decrypt("id_number", make_person("610102-bus").id_number) for _each in range(3)]

    # Installed, allowed, migrated.
    assert "ZHIJIA_PLUGINS names it, but no such plugin is installed." in house.zhijia("plugin", "list")
    house.install(EXAMPLE)
    assert house.zhijia("plugin", "check", NAME).startswith(f"{NAME} ok (not migrated yet")
    refusal = house.zhijia("years", "enable", *WHERE, "2014", *COUNTED, good=False)
    assert refusal.rstrip().endswith("zhijia db upgrade")
    house.zhijia("db", "upgrade")
    assert house.zhijia("db", "check", "--plugin", NAME) == f"{NAME} ok\n"

    # Enabled for two years, paid in both.
    house.zhijia("years", "enable", *WHERE, "2014", *COUNTED)
    for number, level in zip(numbers, ("senior_school", "junior_college", "bachelor"), strict=True):
        study(house, "enrol", "2014", number, level)
    assert study(house, "pay", "2014").endswith("posted 3 1100000\n")
    assert "2014-10-01 -> 2015-10-01" in house.zhijia("years", "copy", "2014", "2015")
    assert study(house, "pay", "2015").endswith("posted 3 1100000\n")

    # Disabled, uninstalled.
    for year in ("2014", "2015"):
        house.zhijia("years", "disable", *WHERE, year)
    house.uninstall(DISTRIBUTION)
    assert "no such plugin is installed" in house.zhijia("plugin", "list")
    assert "The books balance" in house.zhijia("verify")
    assert f"{NAME} has tables here" in house.zhijia("db", "upgrade")

    # The ledger still reads, in a house that never had it.
    assert NAME not in registry_of(app).plugins
    assert "mine_study_aid_student" in inspect(db.engine).get_table_names()
    auditor = as_user("auditor")
    assert auditor.get("/ledger/").text.count("矿难家庭助学支出") >= 2
    entries = db.session.scalars(select(Entry.id).where(Entry.kind == f"{NAME}.payment").order_by(Entry.id)).all()
    assert len(entries) == 2
    assert all("11,000.00" in auditor.get(f"/ledger/entries/{entry}").text for entry in entries)
    assert auditor.get(f"/2014/{SPONSOR}/{NAME}/").status_code == 404
    assert app.test_cli_runner().invoke(zhijia, ["verify"]).exit_code == 0
    assert db.session.scalars(select(func.count()).select_from(Entry)).one() >= 4
