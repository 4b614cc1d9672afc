"""Tables of an allotment: one handed out with the receivers in it, and reading it back with amounts or points."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import IO

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.errors import Refused, ZhijiaError
from core.imports.fields import Field, check_columns, field_of, unit_of
from core.imports.reading import find_list
from core.ledger.allotting import MOST_RECEIVERS, Share
from core.ledger.budget_queries import by_codes
from core.money import parse_yuan, yuan
from core.org.models import Org
from core.registers.sheets import write_xlsx

CODE, NAME, VALUE = "org_code", "union", "value"
#: More points than this are a slip of the keyboard.
MOST_POINTS = 1_000_000


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row of a table; no line where it is the table as a whole."""

    line: int | None
    code: str
    name: str
    sentence: str


@dataclass(frozen=True)
class Table:
    """What a table comes to: shares by union code, and all that is wrong with it."""

    shares: dict[str, Share]
    faults: list[Fault]


def parse_points(text: str) -> int:
    """Hundredths of points from ``92.5``; at most two decimals. Raises :class:`ZhijiaError` with one sentence."""
    try:
        points = Decimal(text.strip() or "0")
        hundredths = points * 100
        is_good = 0 <= points <= MOST_POINTS and hundredths == hundredths.to_integral_value()
    except InvalidOperation:
        is_good = False
    if not is_good:
        raise ZhijiaError(_("“%(text)s” are no points; write a number such as 92.5.", text=text[:40]))
    return int(hundredths)


def write_template(receivers: Sequence[Org], *, of_points: bool, target: IO[bytes]) -> None:
    """The table to fill in, as xlsx, with the code and the name of each receiver."""
    rows = ([org.code, org.name] for org in receivers)
    write_xlsx(target, [field.heading for field in _fields(of_points)], rows, _("Allotment"))


def read_table(
    giver: Org, content: IO[bytes], file_name: str, *, of_points: bool, free_fen: int | None = None
) -> Table:
    """Read a table of amounts (or points) and check every row; ``free_fen`` is what the amounts may come to.

    A share's weight is its fen, or hundredths of points. Raises :class:`ZhijiaError` with one sentence where the file
    is none, or has not these columns.
    """
    fields = _fields(of_points)
    found = find_list(content, file_name, fields, {})
    check_columns(found.columns, fields)
    places = {name: at for at, name in enumerate(found.columns) if name}
    unit = unit_of(found.headings[places[VALUE]])
    rows = [row for block in found.blocks() for row in block.rows()]
    if len(rows) > MOST_RECEIVERS:
        raise Refused(_("The table has more than %(most)s rows; allot to a higher level, which passes it on.",
                        most=MOST_RECEIVERS))  # fmt: skip
    cells = [{name: row.values[at] if at < len(row.values) else "" for name, at in places.items()} for row in rows]
    known = by_codes(cell[CODE] for cell in cells)

    def parse(text: str) -> int:
        if of_points:
            return parse_points(text)
        return parse_yuan(text + unit if text[-1:].isdigit() else text)

    table, seen = Table({}, []), set[str]()
    for row, cell in zip(rows, cells, strict=True):
        _read_row(table, row.line, cell, giver, known.get(cell[CODE]), parse, cell[CODE] in seen)
        seen.add(cell[CODE])
    total = sum(share.weight for share in table.shares.values())
    if not of_points and free_fen is not None and total > free_fen:
        sentence = _("The amounts come to %(sum)s yuan, but %(giver)s has %(free)s yuan free.",
                     sum=yuan(total), giver=giver.name, free=yuan(free_fen))  # fmt: skip
        table.faults.append(Fault(None, "", "", sentence))
    if not table.shares and not table.faults:
        table.faults.append(Fault(None, "", "", _("The table names no union.")))
    return table


def _fields(of_points: bool) -> list[Field]:
    value = field_of(VALUE, _l("Points"), True) if of_points else field_of(VALUE, _l("Amount"), True, True)
    return [field_of(CODE, _l("Code of the union"), True), field_of(NAME, _l("Name of the union"), False), value]


def _read_row(
    table: Table,
    line: int,
    cell: dict[str, str],
    giver: Org,
    org: Org | None,
    parse: Callable[[str], int],
    is_repeated: bool,
) -> None:
    """Add the row to the shares, or each thing that is wrong with it to the faults."""
    code, name = cell[CODE], cell.get(NAME, "")
    said = _about_union(giver, org, code, name)
    if code and is_repeated:
        said.append(_("This union is named twice."))
    weight = 0
    try:
        weight = parse(cell[VALUE]) if cell[VALUE] else 0
        if not weight:
            said.append(_("The amount or the points are missing."))
    except ZhijiaError as error:
        said.append(str(error))
    table.faults.extend(Fault(line, code, name, sentence) for sentence in said)
    if org is not None and not said:
        table.shares[code] = Share(org.id, weight)


def _about_union(giver: Org, org: Org | None, code: str, name: str) -> list[str]:
    if org is None:
        return [_("There is no union with this code.") if code else _("The code is missing.")]
    said = []
    if org.id == giver.id or not org.path.startswith(giver.path):
        said.append(_("%(org)s is not below %(giver)s.", org=org.name, giver=giver.name))
    elif not org.active:
        said.append(_("%(org)s is no longer active.", org=org.name))
    if name and name not in (org.name, org.short_name):
        said.append(_("The code is that of %(org)s.", org=org.name))
    return said
