"""The catalogues of translations: what is missing, uncertain or filled in wrongly is named."""

import subprocess
import sys
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import write_po
from flask import Flask

from core.config import ROOT
from core.web import messages

SOURCE = """from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

HELLO = _l("Hello")
COUNT = _("%(count)s people", count=3)
MANY = ngettext("%(num)d job", "%(num)d jobs", 2)
"""


@pytest.fixture
def area(tmp_path: Path) -> Path:
    """A folder with a few texts."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "module.py").write_text(SOURCE)
    (tmp_path / "templates" / "page.html").write_text('<p>{{ _("Paid") }}</p>')
    (tmp_path / "tests" / "test_module.py").write_text('_("Only in a test")')
    return tmp_path


def faults(area: Path, fuzzy: str = "", **strings: str) -> list[str]:
    """What the check says when these texts are translated so."""
    catalogue = Catalog(locale="zh")
    for text, translation in strings.items():
        catalogue.add(text, translation, flags=["fuzzy"] if text == fuzzy else [])
    catalogue.add(("%(num)d job", "%(num)d jobs"), ("%(num)d项任务",))
    with (area / "messages.po").open("wb") as handle:
        write_po(handle, catalogue)
    return sorted(messages.faults(area, area / "messages.po"))


GOOD = {"Hello": "您好", "%(count)s people": "%(count)s人", "Paid": "已发放"}


def test_a_complete_catalogue_has_no_faults(area: Path) -> None:
    assert faults(area, **GOOD) == []


def test_what_is_missing_is_named_with_its_file(area: Path) -> None:
    assert faults(area, **(GOOD | {"Paid": ""})) == ["templates/page.html: not translated: 'Paid'"]
    assert faults(area, **{"Hello": "您好", "Paid": "已发放"}) == ["module.py: not translated: '%(count)s people'"]


def test_a_guess_does_not_count(area: Path) -> None:
    assert faults(area, fuzzy="Hello", **GOOD) == ["module.py: not certain: 'Hello'"]


def test_a_lost_or_invented_placeholder_is_named(area: Path) -> None:
    for wrong in ("人", "%(number)s人"):
        [fault] = faults(area, **(GOOD | {"%(count)s people": wrong}))
        assert fault.startswith("module.py: placeholders differ (%(count)s")


def test_an_update_keeps_what_is_translated_and_drops_what_is_gone(area: Path) -> None:
    faults(area, **(GOOD | {"Gone": "没有了", "Paid": ""}))
    catalogue = messages.update(area, area / "messages.po")
    assert {message.id for message in catalogue if message.id} == {
        "Hello", "Paid", "%(count)s people", ("%(num)d job", "%(num)d jobs")
    }  # fmt: skip
    again = messages.read(area / "messages.po")
    assert [message.string for message in again if message.id in ("Hello", "Paid")] == ["您好", ""]
    assert "Gone" not in (area / "messages.po").read_text()


def test_a_catalogue_is_compiled_beside_itself(area: Path) -> None:
    faults(area, **GOOD)
    assert messages.main(["compile", str(area / "messages.po")]) == 0
    with (area / "messages.mo").open("rb") as handle:
        assert GNUTranslations(handle).gettext("Hello") == "您好"


def test_a_package_that_lies_elsewhere_is_brought_up_to_date_and_compiled(area: Path) -> None:
    assert messages.main(["update", str(area)]) == 0
    assert "Hello" in messages.catalogue_of(area).read_text()
    assert messages.main(["compile", str(area)]) == 0
    assert messages.catalogue_of(area).with_suffix(".mo").exists()
    assert messages.main(["update", str(area / "nowhere")]) == 2


def test_the_core_and_every_plugin_have_an_area() -> None:
    folders = {str(folder.relative_to(ROOT)) for folder in messages.areas()}
    assert {"core", "plugins/four_seasons"} <= folders


def test_a_wrong_command_says_what_there_is() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core.web.messages", "wish"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, messages.USAGE)


def test_what_a_plugin_translates_otherwise_does_not_change_the_pages_of_the_core(app: Flask) -> None:
    folders = app.extensions["babel"].default_directories
    assert folders[-1] == str(ROOT / "core/web/translations")
    assert str(ROOT / "plugins/four_seasons/translations") in folders


def test_a_text_that_two_areas_translate_differently_is_named(tmp_path: Path) -> None:
    said = {"core": {"Paid": "已发放", "List": "列表"}, "games": {"Paid": "已发放", "List": "名单"}}
    areas = {}
    for name, texts in said.items():
        areas[tmp_path / name] = tmp_path / f"{name}.po"
        catalogue = Catalog(locale="zh")
        for text, translation in texts.items():
            catalogue.add(text, translation, locations=[("words.py", 1)])
        with areas[tmp_path / name].open("wb") as handle:
            write_po(handle, catalogue)
    assert list(messages.clashes(areas)) == ["games/words.py: translated otherwise than in core (列表): 'List'"]
