"""Checking an uploaded list: what is wrong with a line by itself, and beside the others. Each fault is a sentence."""

from collections.abc import Callable
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, SQLColumnExpression, cast, exists, func, literal, not_, select, update
from sqlalchemy.types import Text

from core.api import (
    Org,
    Person,
    ProgramYear,
    Record,
    Scope,
    ZhijiaError,
    db,
    parse_bank_account,
    parse_id_number,
    parse_phone,
    person_id_of,
    subtree,
)
from plugins.four_seasons.models import Hardship, ImportRow
from plugins.four_seasons.titles import CATEGORY_NAMES, COLUMNS

LONGEST = {"name": 60, "org_code": 40, "category": 40, "cause": 200, "bank_name": 100}


@dataclass
class Line:
    """A line with its values in one form where they are right, as they were typed where they are not."""

    line: int
    values: dict[str, str]
    id_number_valid: bool = False
    errors: list[str] = field(default_factory=list)


def check_line(record: Record) -> Line:
    """Check everything that one line tells by itself."""
    line = Line(record.line, {key: record.values.get(key, "") for key in COLUMNS})
    _check_texts(line)
    _check_category(line)
    before = len(line.errors)
    _check_number(line, record, "id_number", lambda text: parse_id_number(text).number, required=True)
    line.id_number_valid = len(line.errors) == before
    _check_number(line, record, "phone", parse_phone)
    _check_number(line, record, "bank_account", parse_bank_account)
    return line


def _check_texts(line: Line) -> None:
    for key in ("name", "org_code"):
        if not line.values[key]:
            line.errors.append(_("“%(column)s” is missing.", column=COLUMNS[key]))
    for key, longest in LONGEST.items():
        if len(line.values[key]) > longest:
            line.errors.append(
                _("“%(column)s” is longer than %(count)s characters.", column=COLUMNS[key], count=longest)
            )
            line.values[key] = line.values[key][:longest]


def _check_category(line: Line) -> None:
    text = line.values["category"]
    if text in CATEGORY_NAMES:
        line.values["category"] = CATEGORY_NAMES[text]
    else:
        names = "、".join(CATEGORY_NAMES)
        line.errors.append(_("“%(text)s” is no category of hardship; write one of %(names)s.", text=text, names=names))


def _check_number(line: Line, record: Record, key: str, parse: Callable[[str], str], *, required: bool = False) -> None:
    text = line.values[key]
    if key in record.rounded:
        line.errors.append(
            _("Excel has lost the last digits of “%(column)s”; format the column as text.", column=COLUMNS[key])
        )
    elif text:
        try:
            line.values[key] = parse(text)
        except ZhijiaError as error:
            line.errors.append(str(error))
    elif required:
        line.errors.append(_("“%(column)s” is missing.", column=COLUMNS[key]))


def check_together(import_id: int, program_year: ProgramYear, scope: Scope) -> None:
    """Add what only the whole file or the database can tell, set-based, in the caller's transaction."""
    _refuse_twice(import_id)
    reachable = exists().where(
        Org.code == ImportRow.org_code, Org.active, scope.covers(Org.path), subtree(Org.path, program_year.org_path)
    )
    _fault(
        import_id,
        _("There is no union with the code “{code}” that you answer for."),
        (ImportRow.org_code != "") & ~reachable,
        code=ImportRow.org_code,
    )
    same = Person.id == person_id_of(ImportRow.id_number_digest)
    _fault(
        import_id,
        _("This identity number is on file under another name."),
        exists().where(same, Person.name != ImportRow.name),
    )
    _fault(
        import_id,
        _("This worker is on file at another union; ask for a transfer first."),
        exists().where(same, not_(scope.covers(Person.org_path))),
    )
    listed = exists().where(same, Hardship.person_id == Person.id, Hardship.program_year_id == program_year.id)
    _fault(import_id, _("This worker is on the list already."), listed)


def _refuse_twice(import_id: int) -> None:
    first = (
        select(
            ImportRow.line,
            func.min(ImportRow.line).over(partition_by=ImportRow.id_number_digest).label("first"),
        )
        .where(ImportRow.import_id == import_id, ImportRow.id_number_digest.is_not(None))
        .subquery("earlier")
    )
    _fault(
        import_id,
        _("The same identity number stands in line {line} already."),
        (ImportRow.line == first.c.line) & (first.c.line > first.c.first),
        line=cast(first.c.first, Text),
    )


def _fault(import_id: int, sentence: str, condition: ColumnElement[bool], **values: SQLColumnExpression[str]) -> None:
    """Add a sentence to every row for which the condition holds; ``{name}`` in it stands for a value of the row."""
    said: SQLColumnExpression[str] = literal(sentence)
    for name, value in values.items():
        said = func.replace(said, f"{{{name}}}", value)
    db.session.execute(
        update(ImportRow)
        .where(ImportRow.import_id == import_id, condition)
        .values(errors=ImportRow.errors.op("||")(func.jsonb_build_array(said)))
        .execution_options(synchronize_session=False)
    )
