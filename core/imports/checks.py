"""What only the whole file or the database can tell of staged rows, in one statement; each fault is a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import (
    ColumnElement,
    Index,
    Select,
    SQLColumnExpression,
    String,
    UniqueConstraint,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from core.extensions import db
from core.imports.models import Import, ImportRow
from core.org.models import Org
from core.org.scope import PathColumn, Scope, subtree
from core.people.models import Person
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.queries import belonging

Told = tuple[ColumnElement[bool], SQLColumnExpression[str]]


@dataclass(frozen=True)
class Joined:
    """Staged rows beside what they name: the person whom the number leads to, and the union with the code."""

    register: Register
    program_year: ProgramYear
    scope: Scope
    named: Any
    person: Any

    def rows(self, *columns: Any) -> Select[Any]:
        """A ``SELECT`` of these columns of the staged rows, joined."""
        query = select(*columns).select_from(ImportRow)
        if self.register.of_people:
            query = query.outerjoin(self.named, self.named.id_number_digest == ImportRow.id_number_digest).outerjoin(
                self.person, self.person.id == func.coalesce(self.named.merged_into_id, self.named.id)
            )
        if self.has_code:
            query = query.outerjoin(Org, Org.code == value_of("org_code"))
        return query

    @property
    def has_code(self) -> bool:
        """Whether a row names its union."""
        return "org_code" in self.register.form.whose

    def reaches(self, path: PathColumn) -> ColumnElement[bool]:
        """Whether a union is one of the sponsor that the user answers for (see ``is_of_sponsor``)."""
        member = aliased(Org)
        industry = exists().where(
            subtree(member.industry_path, self.program_year.org_path), func.starts_with(path, member.path)
        )
        return self.scope.covers(path) & (subtree(path, self.program_year.org_path) | industry)

    def keys(self) -> Iterator[tuple[list[Any], ColumnElement[bool]]]:
        """Each uniqueness of the register's table: what stands for it in the staged row, and how a row is found.

        Of people, a number that is not on file yet is unique by itself.
        """
        model = self.register.model
        fixed: dict[str, Any] = dict(belonging(self.register, self.program_year))
        owner: dict[str, tuple[Any, Any]] = (
            {"person_id": (ImportRow.id_number_digest, self.person.id)}
            if self.register.of_people
            else {"org_id": (value_of("org_code"), Org.id)}
        )
        table = model.__table__
        uniques = [list(rule.columns) for rule in table.constraints if isinstance(rule, UniqueConstraint)]
        uniques += [list(index.columns) for index in table.indexes if index.unique and _is_plain(index)]
        form = self.register.form
        for columns in uniques:
            parts, found = [], []
            for column in columns:
                if column.name in fixed:
                    found.append(column == fixed[column.name])
                elif column.name in owner:
                    parts.append(owner[column.name][0])
                    found.append(column == owner[column.name][1])
                elif hasattr(form, column.name) and column.name not in self.register.form.whose:
                    parts.append(value_of(column.name))
                    found.append(column == cast(value_of(column.name), column.type))
                else:
                    break
            else:
                if parts:
                    yield parts, exists().where(*found)


def _is_plain(index: Index) -> bool:
    """Whether it is unique over columns for every row, not over some rows or over expressions."""
    where = index.dialect_options["postgresql"]["where"]
    return where is None and len(index.columns) == len(index.expressions)


def joined(register: Register, program_year: ProgramYear, scope: Scope) -> Joined:
    """Staged rows of this register beside what they name."""
    return Joined(register, program_year, scope, aliased(Person), aliased(Person))


def value_of(name: str) -> ColumnElement[Any]:
    """A field of a staged row, as text; null where the row has none."""
    return func.jsonb_extract_path_text(ImportRow.values, name, type_=String)


def check_together(upload: Import, register: Register, program_year: ProgramYear, scope: Scope) -> None:
    """Mark the good rows that are wrong beside the others or against the database, and those that are there already.

    In the caller's transaction; may be called again when things have changed meanwhile.
    """
    beside = joined(register, program_year, scope)
    mine = (ImportRow.import_id == upload.id) & (ImportRow.errors == [])
    told = [*_of_owner(beside)]
    doubles, there = [], []
    for number, (parts, known_there) in enumerate(beside.keys()):
        first = func.min(ImportRow.line).over(partition_by=parts).label(f"first_{number}")
        known = and_(*(part.is_not(None) for part in parts))
        doubles.append((first, known))
        there.append(known_there)
    facts = beside.rows(
        ImportRow.line,
        *(first for first, _known in doubles),
        *(known.label(f"known_{number}") for number, (_first, known) in enumerate(doubles)),
        _sentences(told).label("said"),
        or_(false(), *there).label("there"),
    ).where(mine)
    found = facts.subquery("facts")
    said: ColumnElement[Any] = found.c.said
    for number in range(len(doubles)):
        before, known = found.c[f"first_{number}"], found.c[f"known_{number}"]
        sentence = _filled(_("The same entry stands in line {line} already."), line=cast(before, String))
        said = said.op("||")(case((known & (before < found.c.line), func.jsonb_build_array(sentence)), else_=_NOTHING))
    wrong = said != _NOTHING
    db.session.execute(
        update(ImportRow)
        .where(
            ImportRow.import_id == upload.id, ImportRow.line == found.c.line, wrong | (found.c.there != ImportRow.there)
        )
        .values(errors=ImportRow.errors.op("||")(said), there=found.c.there & not_(wrong))
        .execution_options(synchronize_session=False)
    )


_NOTHING = literal([], JSONB)


def _of_owner(beside: Joined) -> Iterator[Told]:
    """What can be wrong with the person and the union that a row names."""
    register, person, known = beside.register, beside.person, beside.person.id.is_not(None)
    if beside.has_code:
        code = value_of("org_code")
        sentence = _("This sponsor has no union with the code “{code}” that you answer for.")
        is_wrong = not_(func.coalesce(Org.active & beside.reaches(Org.path), False))
        yield (code != "") & is_wrong, _filled(sentence, code=code)
    if not register.of_people:
        return
    is_mine = func.coalesce(beside.reaches(person.org_path), False)
    if register.takes_on_file:
        elsewhere = literal(_("This worker is on file at another union; ask for a transfer first."))
        yield known & not_(is_mine), elsewhere
        yield known & is_mine & not_(person.active), literal(_("This worker is no longer on file."))
    else:
        nobody = _("Nobody with this identity number is on file in a union of this sponsor that you answer for.")
        yield not_(is_mine & func.coalesce(person.active, False)), literal(nobody)
    other_name = (value_of("name") != "") & (person.name != value_of("name"))
    sentence = _("This identity number is on file under another name.")
    yield known & is_mine & person.active & other_name, literal(sentence)


def _sentences(told: list[Told]) -> ColumnElement[Any]:
    said: ColumnElement[Any] = _NOTHING
    for condition, sentence in told:
        one = case((func.coalesce(condition, False), func.jsonb_build_array(sentence)), else_=_NOTHING)
        said = said.op("||")(one)
    return said


def _filled(sentence: str, **values: SQLColumnExpression[str]) -> SQLColumnExpression[str]:
    """The sentence, with ``{name}`` in it standing for a value of the row."""
    said: SQLColumnExpression[str] = literal(sentence)
    for name, value in values.items():
        said = func.replace(said, f"{{{name}}}", func.coalesce(value, ""))
    return said


def count_rows(upload: Import) -> None:
    """Write down on the import how many of its rows are good, bad, and there already."""
    is_good = ImportRow.errors == []
    upload.good, upload.bad, upload.there = db.session.execute(
        select(
            func.count().filter(is_good & ~ImportRow.there),
            func.count().filter(~is_good),
            func.count().filter(is_good & ImportRow.there),
        ).where(ImportRow.import_id == upload.id)
    ).one()


def of_new_people(upload: Import) -> ColumnElement[bool]:
    """The condition for good rows that wait to be merged, and whose person is not on file."""
    on_file = exists().where(Person.id_number_digest == ImportRow.id_number_digest)
    waiting = (ImportRow.errors == []) & ~ImportRow.there & ImportRow.id_number_digest.is_not(None)
    return (ImportRow.import_id == upload.id) & waiting & ~on_file


def count_new_people(upload: Import) -> int:
    """How many people the import would take on file."""
    return db.session.scalars(select(func.count()).select_from(ImportRow).where(of_new_people(upload))).one()
