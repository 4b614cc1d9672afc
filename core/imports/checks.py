"""What only the whole file or the database can tell of staged rows, in one statement; each fault is a sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask_babel import gettext as _
from sqlalchemy import (
    ARRAY,
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
    null,
    or_,
    select,
    true,
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
from core.wall import beyond_scope


class Told(NamedTuple):
    """What can be wrong with a row: when, and the sentence; ``value`` of the row stands for ``{name}`` in it."""

    condition: ColumnElement[bool]
    sentence: str
    name: str = ""
    value: ColumnElement[Any] | None = None


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

    def uniques(self) -> Iterator[tuple[list[Any], ColumnElement[bool]]]:
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
    return ImportRow.values.op("->>", return_type=String())(literal(name))


def typed_value(column: Any) -> ColumnElement[Any]:
    """A field of a staged row as the column of the same name takes it."""
    held = func.jsonb_extract_path(ImportRow.values, column.name)
    if isinstance(column.type, JSONB):
        return held
    if isinstance(column.type, ARRAY):
        parts = select(func.jsonb_array_elements_text(held)).correlate(ImportRow)
        return func.array(parts.scalar_subquery(), type_=column.type)
    return cast(value_of(column.name), column.type)


@beyond_scope("imports.check")
def check_together(upload: Import, register: Register, program_year: ProgramYear, scope: Scope) -> None:
    """Mark the good rows that are wrong beside the others or against the database, and those that are there already.

    In the caller's transaction; may be called again when things have changed meanwhile.
    """
    beside = joined(register, program_year, scope)
    told = [*_of_owner(beside), *_of_rules(beside)]
    again = _("The same entry stands in line {line} already.")
    there: list[ColumnElement[bool]] = []
    for parts, known_there in beside.uniques():
        first = func.min(ImportRow.line).over(partition_by=parts)
        is_double = and_(*(part.is_not(None) for part in parts)) & (first < ImportRow.line)
        told.append(Told(is_double, again, "line", first))
        there.append(known_there)
    facts: list[Any] = [ImportRow.line, ImportRow.there.label("was_there"), or_(false(), *there).label("there")]
    for at, one in enumerate(told):
        facts += [func.coalesce(one.condition, False).label(f"told_{at}")]
        facts += [] if one.value is None else [one.value.label(f"value_{at}")]
    good = (ImportRow.import_id == upload.id) & (ImportRow.errors == [])
    row = beside.rows(*facts).where(good).subquery("facts").c
    said = [(row[f"told_{at}"], _filled(one, row.get(f"value_{at}"))) for at, one in enumerate(told)]
    is_wrong = or_(false(), *(condition for condition, _sentence in said))
    there_now = (row.there & not_(is_wrong)).label("there")
    # Narrowed down before it is joined to the rows again: most files have few that are wrong, or none.
    found = select(row.line, _list_of(said).label("said"), there_now).where(is_wrong | (row.there != row.was_there))
    changed = found.subquery("changed").c
    db.session.execute(
        update(ImportRow)
        .where(ImportRow.import_id == upload.id, ImportRow.line == changed.line)
        .values(errors=changed.said, there=changed.there)
        .execution_options(synchronize_session=False)
    )


def _of_owner(beside: Joined) -> Iterator[Told]:
    """What can be wrong with the person and the union that a row names."""
    register, person, known = beside.register, beside.person, beside.person.id.is_not(None)
    if beside.has_code:
        code = value_of("org_code")
        sentence = _("This sponsor has no union with the code “{code}” that you answer for.")
        is_wrong = not_(func.coalesce(Org.active & beside.reaches(Org.path), False))
        yield Told((code != "") & is_wrong, sentence, "code", code)
    if not register.of_people:
        return
    is_mine = func.coalesce(beside.reaches(person.org_path), False)
    if register.takes_on_file:
        elsewhere = _("This worker is on file at another union; ask for a transfer first.")
        yield Told(known & not_(is_mine), elsewhere)
        yield Told(known & is_mine & not_(person.active), _("This worker is no longer on file."))
    else:
        nobody = _("Nobody with this identity number is on file in a union of this sponsor that you answer for.")
        yield Told(not_(is_mine & func.coalesce(person.active, False)), nobody)
    if not register.names_person:
        return
    other_name = (value_of("name") != "") & (person.name != value_of("name"))
    sentence = _("This identity number is on file under another name.")
    yield Told(known & is_mine & person.active & other_name, sentence)


def _of_rules(beside: Joined) -> Iterator[Told]:
    """The rules of the register, of rows whose owner is known."""
    register, table = beside.register, beside.register.model.__table__
    if not register.rules:
        return
    owner: Any = beside.person if register.of_people else Org
    row: dict[str, ColumnElement[Any]] = {column.name: cast(null(), column.type) for column in table.columns}
    row |= {name: literal(value) for name, value in belonging(register, beside.program_year).items()}
    if register.of_people:
        row |= {"person_id": owner.id, "org_id": owner.org_id, "org_path": owner.org_path}
    else:
        row |= {"org_id": owner.id, "org_path": owner.path}
    row |= {field.name: typed_value(table.c[field.name]) for field in register.form() if field.name in table.c}
    is_asked = true() if register.takes_on_file else owner.id.is_not(None)
    for rule in register.rules:
        yield Told(is_asked & rule.broken(row, beside.program_year), str(rule.sentence))


def _filled(told: Told, value: ColumnElement[Any] | None) -> SQLColumnExpression[str]:
    sentence = literal(told.sentence)
    if value is None:
        return sentence
    return func.replace(sentence, f"{{{told.name}}}", func.coalesce(cast(value, String), ""))


def _list_of(said: Sequence[tuple[ColumnElement[bool], SQLColumnExpression[str]]]) -> ColumnElement[Any]:
    """The sentences whose condition holds, as JSON."""
    found: ColumnElement[Any] = literal([], JSONB)
    for condition, sentence in said:
        found = found.op("||")(case((condition, func.jsonb_build_array(sentence)), else_=literal([], JSONB)))
    return found


def count_rows(upload: Import) -> None:
    """Write down on the import how many of its rows are good, bad, there already, and like others."""
    is_good = ImportRow.errors == []
    upload.good, upload.bad, upload.there, upload.alike = db.session.execute(
        select(
            func.count().filter(is_good & ~ImportRow.there),
            func.count().filter(~is_good),
            func.count().filter(is_good & ImportRow.there),
            func.count().filter(is_good & ~ImportRow.there & ImportRow.alike),
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
