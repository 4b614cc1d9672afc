"""Writing a new plugin: an installable distribution with everything that a program which pays needs."""

import importlib.util
import keyword
import os
import re
import tempfile
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.errors import ConfigError, Refused
from core.plugin.checks import check_name
from core.plugin.distributions import HOUSE
from core.plugin.examine import taken_names
from core.plugin.scaffold.titles import catalogue
from core.web.messages import catalogue_of, compile_file

FILES = Path(__file__).parent / "files"
SUFFIX = ".tmpl"
#: The part of a path that stands for the plugin's name.
PACKAGE = "package"
#: The longest name of a constraint that it is part of has 38 letters more, and PostgreSQL takes 63.
LONGEST_NAME = 25
LONGEST_TITLE, LONGEST_CHINESE = 40, 20
#: What would end a string in the code, in the catalogue or in setup.cfg.
_UNFIT = re.compile(r"[\"\\\x00-\x1f\x7f]")


def make_plugin(name: str, title_zh: str, title_en: str, into: Path) -> list[Path]:
    """Write the distribution ``into/<name>`` and return its files; all of it or nothing.

    Raises :class:`Refused` for a name that cannot be or is taken, a title that cannot be, a folder that is there.
    """
    home = into / name
    _check_new(name, home)
    _check_title(title_zh, LONGEST_CHINESE)
    _check_title(title_en, LONGEST_TITLE)
    words: dict[str, object] = {
        "name": name,
        "title_zh": title_zh.strip(),
        "title_en": title_en.strip(),
        "words": catalogue(title_zh.strip(), title_en.strip()),
        "versions": _versions(),
    }
    try:
        with tempfile.TemporaryDirectory(dir=into, prefix=f".{name}-") as scratch:
            draft = Path(scratch) / name
            _write(draft, name, words)
            draft.rename(home)
    except OSError as error:
        raise Refused(f"The folder {into} cannot be written ({error.strerror}).") from error
    return sorted(file for file in home.rglob("*") if file.is_file())


def _check_new(name: str, home: Path) -> None:
    try:
        check_name(name)
    except ConfigError as error:
        raise Refused(str(error)) from error
    if len(name) > LONGEST_NAME:
        raise Refused(f"{name!r} is too long for a plugin's name; it has at most {LONGEST_NAME} letters.")
    if keyword.iskeyword(name):
        raise Refused(f"{name!r} is a word of Python itself; a package cannot be called that.")
    for other in sorted(taken_names()):
        if other == name:
            raise Refused(f"There is a plugin {name!r} already.")
        if f"{other}_".startswith(f"{name}_") or f"{name}_".startswith(f"{other}_"):
            raise Refused(f"The plugin name {name!r} cannot be told from {other!r} in table names.")
    if os.path.lexists(home):
        raise Refused(f"{home} is there already; nothing was written.")
    if not home.parent.is_dir():
        raise Refused(f"There is no folder {home.parent}.")
    if _is_package(name):
        raise Refused(f"{name!r} is the name of a Python package that is installed; the plugin's would hide it.")


def _is_package(name: str) -> bool:
    """Whether ``import name`` means something already, in the standard library or beside it."""
    found = importlib.util.find_spec(name)
    return found is not None and found.origin is not None  # a mere folder of the name has none


def _check_title(title: str, longest: int) -> None:
    if not title.strip() or len(title.strip()) > longest or _UNFIT.search(title):
        raise Refused(f"A title has 1 to {longest} signs, no quotation mark and no backslash; this is {title!r}.")


def _versions() -> str:
    """The versions that the plugin is written for: this one, up to the next that may take something away."""
    major, minor = version(HOUSE).split(".")[:2]
    return f">={major}.{minor},<{major}.{int(minor) + 1}"


def _write(home: Path, name: str, words: dict[str, object]) -> None:
    # Templates of pages are among the files, so Jinja's usual signs mean nothing here.
    environment = Environment(
        loader=FileSystemLoader(FILES),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # code, not pages
    )
    for source in sorted(FILES.rglob(f"*{SUFFIX}")):
        place = source.relative_to(FILES)
        parts = [name if part == PACKAGE else part for part in place.parts]
        file = home.joinpath(*parts).with_name(place.name.removesuffix(SUFFIX))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(environment.get_template(place.as_posix()).render(words), encoding="utf-8")
    compile_file(catalogue_of(home / name))
