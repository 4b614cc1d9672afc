"""Catalogues of translations, one for the core and one for each plugin: ``python -m core.web.messages COMMAND``.

``update`` takes the texts of the code into the catalogues, ``check`` names what a page would show untranslated, or as
another area means it, ``compile FILE`` writes the ``.mo`` file beside a catalogue. ``update FOLDER`` and
``compile FOLDER`` do it for a package that lies elsewhere, as a foreign plugin does.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from core.config import ROOT

LANGUAGE = "zh"
USAGE = "usage: python -m core.web.messages update [FOLDER] | check | compile FILE|FOLDER\n"
METHODS = [("**/tests/**.py", "ignore"), ("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def areas(root: Path = ROOT) -> dict[Path, Path]:
    """Where there are texts, and the catalogue that they belong to."""
    plugins = sorted(file.parent for file in root.glob("plugins/*/plugin.py"))
    folders = {root / "core": root / "core/web"} | {folder: folder for folder in plugins}
    return {source: catalogue_of(home) for source, home in folders.items()}


def catalogue_of(home: Path) -> Path:
    """The Chinese catalogue of a package."""
    return home / "translations" / LANGUAGE / "LC_MESSAGES/messages.po"


def extract(folder: Path) -> Catalog:
    """Every text of the folder that is marked for translation, with the files it is in."""
    template = Catalog()
    for file, _line, text, comments, context in extract_from_dir(folder, METHODS, keywords=KEYWORDS):
        template.add(text, locations=[(file, 0)], auto_comments=comments, context=context)
    return template


def read(file: Path) -> Catalog:
    """The catalogue of this file; an empty one where there is no file."""
    if not file.exists():
        return Catalog(locale=LANGUAGE)
    with file.open("rb") as handle:
        return read_po(handle, locale=LANGUAGE)


def update(folder: Path, file: Path) -> Catalog:
    """Bring the catalogue to the texts of the folder; nothing is guessed, what is gone is dropped."""
    template, catalogue = extract(folder), read(file)
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as handle:
        write_po(handle, catalogue, width=110, omit_header=False, include_lineno=False, ignore_obsolete=True)
    return catalogue


def faults(folder: Path, file: Path) -> Iterator[str]:
    """One line for each text that a Chinese page would show in English or wrongly filled in."""
    catalogue = read(file)
    for wanted in extract(folder):
        if wanted.id:
            found = catalogue.get(wanted.id, wanted.context)
            if fault := _fault(wanted, found):
                yield f"{wanted.locations[0][0]}: {fault}: {_texts(wanted.id)[0]!r}"


def clashes(areas: Mapping[Path, Path]) -> Iterator[str]:
    """One line for each text that areas translate differently: every page would show what one of them means by it."""
    said: dict[tuple[object, str | None], tuple[list[str], Path]] = {}
    for folder, file in areas.items():
        for message in read(file):
            if message.id:
                texts, first = said.setdefault((message.id, message.context), (_texts(message.string), folder))
                if _texts(message.string) != texts:
                    yield (
                        f"{folder.name}/{_place(message)}: translated otherwise than in {first.name} "
                        f"({texts[0]}): {_texts(message.id)[0]!r}"
                    )


def _place(message: Message) -> str:
    return str(message.locations[0][0]) if message.locations else "messages.po"


def _fault(wanted: Message, found: Message | None) -> str | None:
    if found is None or not all(_texts(found.string)):
        return "not translated"
    if found.fuzzy:
        return "not certain"
    needed = {name for text in _texts(wanted.id) for name in PLACEHOLDER.findall(text)}
    given = {name for text in _texts(found.string) for name in PLACEHOLDER.findall(text)}
    if needed != given:
        return f"placeholders differ ({', '.join(sorted(needed ^ given))})"
    return None


def _texts(value: object) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list | tuple) else [str(value or "")]


def compile_file(file: Path) -> None:
    """Write the ``.mo`` file that the pages read."""
    with file.with_suffix(".mo").open("wb") as handle:
        write_mo(handle, read(file))


def main(arguments: list[str]) -> int:
    """Run a command; exit code 1 where ``check`` found something."""
    match arguments:
        case ["update"]:
            for folder, file in areas().items():
                update(folder, file)
        case ["check"]:
            found = [f"{folder.name}/{fault}" for folder, file in areas().items() for fault in faults(folder, file)]
            found += clashes(areas())
            sys.stderr.writelines(f"{line}\n" for line in found)
            return 1 if found else 0
        case ["update", folder] if Path(folder).is_dir():
            update(Path(folder), catalogue_of(Path(folder)))
        case ["compile", place]:
            compile_file(catalogue_of(Path(place)) if Path(place).is_dir() else Path(place))
        case _:
            sys.stderr.write(USAGE)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
