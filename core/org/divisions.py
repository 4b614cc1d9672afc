"""Reading a file of administrative divisions (``code,name,level,parent_code``) and checking it before anything is kept.

The overlay ``data/unions-<province>.csv`` adds what no division has: the industry unions and separately listed units,
and unions that sit elsewhere in the tree than their division. It is merged when its province is in the file.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from flask_babel import gettext as _
from flask_babel import ngettext

from core.errors import ZhijiaError
from core.org.models import LEVELS
from core.org.names import division_name, union_name

DATA = Path(__file__).parent / "data"
COLUMNS = ("code", "name", "level", "parent_code")
#: The industry union that the org belongs to on the second axis; a file without this column leaves it as it is.
INDUSTRY = "industry_code"
_CODE = re.compile(r"[0-9A-Za-z-]{1,40}")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Division:
    """One row, as read; :func:`check_tree` gives it the union's names and path. ``line`` is 0 for the overlay's own."""

    line: int
    code: str
    name: str
    level: str
    parent_code: str
    kind: str = "regional"
    short_name: str = ""
    path: str = ""
    industry_code: str | None = None
    industry_path: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds of an organisation that a row may name as its parent or its industry union."""

    level: str
    kind: str
    parent_code: str
    short_name: str


class BadDivisions(ZhijiaError):
    """The file has rows that cannot be loaded; ``problems`` names each with its line."""

    def __init__(self, problems: list[str]) -> None:
        shown = problems[:_SHOWN]
        if hidden := len(problems) - len(shown):
            shown.append(ngettext("One more row is wrong.", "%(num)d more rows are wrong.", hidden))
        super().__init__("\n".join(shown))
        self.problems = problems


def read_divisions(path: Path) -> list[Division]:
    """Read the rows and merge the overlay of every province among them. Raises :class:`BadDivisions`."""
    rows: dict[str, Division] = {}
    problems: list[str] = []
    for row in _read(path):
        faults = list(_faults(row))
        if not faults and row.code in rows:
            faults = [_("Line %(line)d: the code %(code)s is already on line %(other)d.",
                        line=row.line, code=row.code, other=rows[row.code].line)]  # fmt: skip
        problems += faults
        rows.setdefault(row.code, row)
    if problems or not rows:
        raise BadDivisions(problems or [_("The file has no rows.")])
    for province in {code[:2] for code in rows}:
        for row in _overlay(province):
            if province in rows or row.code in rows:
                rows[row.code] = replace(row, line=rows[row.code].line if row.code in rows else 0)
    return list(rows.values())


def _read(path: Path) -> Iterator[Division]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise BadDivisions([_("The file has no column %(names)s.", names=", ".join(missing))])
            for row in reader:
                values = {column: (row[column] or "").strip() for column in COLUMNS}
                kind = "enterprise" if values["level"] == "enterprise" else "regional"
                industry = row[INDUSTRY].strip() if INDUSTRY in row else None
                yield Division(line=reader.line_num, kind=kind, industry_code=industry, **values)
    except UnicodeDecodeError as error:
        raise BadDivisions([_("The file is not UTF-8 text; save it as “CSV UTF-8” and try again.")]) from error
    except csv.Error as error:
        message = _(
            "Line %(line)d: this is not a CSV file (%(reason)s).", line=reader.reader.line_num, reason=str(error)
        )
        raise BadDivisions([message]) from error


def _faults(row: Division) -> Iterator[str]:
    if not _CODE.fullmatch(row.code):
        yield _("Line %(line)d: the code “%(code)s” must be 1 to 40 digits, Latin letters or hyphens.",
                line=row.line, code=row.code)  # fmt: skip
    elif not row.name:
        yield _("Line %(line)d: %(code)s has no name.", line=row.line, code=row.code)
    elif not row.name.isprintable() or len(row.name) > 100:
        yield _("Line %(line)d: the name of %(code)s has characters that cannot be shown, or more than 100.",
                line=row.line, code=row.code)  # fmt: skip
    elif row.level not in LEVELS:
        yield _("Line %(line)d: the level “%(level)s” is unknown; it is one of %(levels)s.",
                line=row.line, level=row.level, levels=", ".join(LEVELS))  # fmt: skip


def _overlay(province: str) -> Iterator[Division]:
    path = DATA / f"unions-{province}.csv"
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield Division(line=0, **row)


def check_tree(rows: Iterable[Division], known: Mapping[str, Known]) -> list[Division]:
    """Check every row against its parent, in the file or ``known``, and return them as unions with names and paths.

    Raises :class:`BadDivisions` for unknown parents, cycles and levels that are not below the parent's.
    """
    by_code = {row.code: row for row in rows}
    nodes = {
        **known,
        **{row.code: Known(row.level, row.kind, row.parent_code, row.short_name) for row in by_code.values()},
    }
    problems = [problem for row in by_code.values() for problem in _misplaced(row, nodes)]
    problems += [
        _("Line %(line)d: %(code)s would no longer rank above %(child)s, which is below it.",
          line=by_code[node.parent_code].line, code=node.parent_code, child=code)
        for code, node in known.items()
        if code not in by_code and node.parent_code in by_code and not _below(node, nodes[node.parent_code])
    ]  # fmt: skip
    if problems:
        raise BadDivisions(problems)
    return [_placed(_named(row, by_code, known), nodes) for row in by_code.values()]


def _misplaced(row: Division, nodes: Mapping[str, Known]) -> Iterator[str]:
    parent = nodes.get(row.parent_code)
    if not row.parent_code:
        if row.level != "province":
            yield _("Line %(line)d: %(code)s has no parent; only a province stands at the top.",
                    line=row.line, code=row.code)  # fmt: skip
    elif parent is None:
        yield _("Line %(line)d: the parent %(parent)s of %(code)s is neither in the file nor in the database.",
                line=row.line, parent=row.parent_code, code=row.code)  # fmt: skip
    elif _in_cycle(row.code, nodes):
        yield _("Line %(line)d: %(code)s is above itself.", line=row.line, code=row.code)
    elif row.industry_code and (row.industry_code not in nodes or nodes[row.industry_code].kind != "industry"):
        yield _("Line %(line)d: the industrial union %(industry)s of %(code)s is not known.",
                line=row.line, industry=row.industry_code, code=row.code)  # fmt: skip
    elif not _below(nodes[row.code], parent):
        yield _("Line %(line)d: %(code)s is a %(level)s and cannot be below %(parent)s, which is a %(parent_level)s.",
                line=row.line, code=row.code, level=row.level,
                parent=row.parent_code, parent_level=parent.level)  # fmt: skip


def _in_cycle(code: str, nodes: Mapping[str, Known]) -> bool:
    """Levels fall strictly on the way down, so that a way up longer than the levels has gone round."""
    above = code
    for _step in LEVELS:
        above = nodes[above].parent_code
        if above == code:
            return True
        if above not in nodes:
            return False
    return False


def _below(node: Known, parent: Known) -> bool:
    return LEVELS.index(node.level) > LEVELS.index(parent.level)


def _named(row: Division, by_code: Mapping[str, Division], known: Mapping[str, Known]) -> Division:
    if row.short_name:
        return row
    parent = by_code.get(row.parent_code) or known.get(row.parent_code)
    above = parent.name if isinstance(parent, Division) else parent.short_name if parent else ""
    place = division_name(row.name, row.level, above)
    return replace(row, name=union_name(place, row.level), short_name=place)


def _placed(row: Division, nodes: Mapping[str, Known]) -> Division:
    industry = None if row.industry_code is None else row.industry_code and _path(row.industry_code, nodes)
    return replace(row, path=_path(row.code, nodes), industry_path=industry)


def _path(code: str, nodes: Mapping[str, Known]) -> str:
    path = "/"
    while code:
        path = f"/{code}{path}"
        code = nodes[code].parent_code
    return path
