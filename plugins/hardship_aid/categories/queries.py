"""Reading files by their categories. Every list keeps to a scope; nothing here writes."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select, true

from core.api import Org, Person, ProgramYear, Scope, db, mask_id, mask_name
from plugins.hardship_aid.categories.models import Hit, OutsideList
from plugins.hardship_aid.categories.rule import is_open_file, is_stale
from plugins.hardship_aid.files.models import File

#: Files on a page of a list.
PAGE = 50


@dataclass(frozen=True)
class FileRow:
    """A file with whose it is and the union it lies at."""

    file: File
    person: Person
    org: Org


@dataclass(frozen=True)
class HitRow:
    """A hit with the union that the file lies at, and whose it is, masked."""

    hit: Hit
    org: Org
    name: str
    number: str


def outcomes(condition: ColumnElement[bool]) -> dict[str, int]:
    """Computed category (``""`` where nothing is computed) -> files under the condition."""
    category = func.coalesce(File.computed, "")
    return dict(db.session.execute(select(category, func.count()).where(condition).group_by(category)).all())


def counts(program_year: ProgramYear, scope: Scope) -> dict[str, int]:
    """Filter -> number of open files in the scope that it finds."""
    filters = conditions(program_year)
    columns = [func.count().filter(condition) for condition in filters.values()]
    found = db.session.execute(select(*columns).where(_open(program_year, scope))).one()
    return dict(zip(filters, found, strict=True))


def page_of_files(program_year: ProgramYear, scope: Scope, shown: str, *, after: int = 0) -> list[FileRow]:
    """A page of open files, one row more where there is a next one; ``after`` is the last one's id."""
    query = _rows(program_year, scope).where(is_open_file(), conditions(program_year)[shown], File.id > after)
    return [FileRow(*row) for row in db.session.execute(query.order_by(File.id).limit(PAGE + 1))]


def find_file(program_year: ProgramYear, scope: Scope, file_id: int) -> FileRow | None:
    """One file in the scope, closed ones too."""
    row = db.session.execute(_rows(program_year, scope).where(File.id == file_id)).one_or_none()
    return FileRow(*row) if row else None


def lists(program_year: ProgramYear, scope: Scope) -> list[tuple[OutsideList, Org]]:
    """The newest lists that unions in the scope have sent in."""
    query = (
        select(OutsideList, Org)
        .join(Org, Org.id == OutsideList.org_id)
        .where(OutsideList.program_year_id == program_year.id, scope.covers(OutsideList.org_path))
        .order_by(OutsideList.id.desc())
        .limit(PAGE)
    )
    return [(one, org) for one, org in db.session.execute(query)]


def page_of_hits(program_year: ProgramYear, scope: Scope, *, before: int | None = None) -> list[HitRow]:
    """A page of what was found about files in the scope, newest first; one row more where there is a next one."""
    query = (
        select(Hit, Org, Person.name, Person.id_number_tail)
        .join(File, File.id == Hit.file_id)
        .join(Person, Person.id == File.person_id)
        .join(Org, Org.id == File.org_id)
        .where(Hit.program_year_id == program_year.id, scope.covers(File.org_path))
        .order_by(Hit.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.where(Hit.id < before)
    return [HitRow(hit, org, mask_name(name), mask_id(tail)) for hit, org, name, tail in db.session.execute(query)]


def conditions(program_year: ProgramYear) -> dict[str, ColumnElement[bool]]:
    """Filter -> what it finds among open files."""
    return {
        "all": true(),
        "uncomputed": File.computed.is_(None),
        "none": (File.computed == "none") & File.decided.is_(None),
        "differing": File.decided.is_not(None),
        "stale": is_stale(program_year),
    }


def _open(program_year: ProgramYear, scope: Scope) -> ColumnElement[bool]:
    return (File.sponsor_id == program_year.org_id) & scope.covers(File.org_path) & is_open_file()


def _rows(program_year: ProgramYear, scope: Scope) -> Select[File, Person, Org]:
    return (
        select(File, Person, Org)
        .join(Person, Person.id == File.person_id)
        .join(Org, Org.id == File.org_id)
        .where(File.sponsor_id == program_year.org_id, scope.covers(File.org_path))
    )
