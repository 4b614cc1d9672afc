"""Reading files by their categories. Every list keeps to a scope; nothing here writes."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select, true

from core.api import Org, Person, ProgramYear, Scope, db
from plugins.hardship_aid.categories.rule import is_open_file
from plugins.hardship_aid.files.models import File

#: Files on a page of a list.
PAGE = 50


@dataclass(frozen=True)
class FileRow:
    """A file with whose it is and the union it lies at."""

    file: File
    person: Person
    org: Org


def outcomes(condition: ColumnElement[bool]) -> dict[str, int]:
    """Computed category (``""`` where nothing is computed) -> files under the condition."""
    category = func.coalesce(File.computed, "")
    return dict(db.session.execute(select(category, func.count()).where(condition).group_by(category)).all())


def counts(program_year: ProgramYear, scope: Scope) -> dict[str, int]:
    """Filter -> number of open files in the scope that it finds."""
    found = db.session.execute(
        select(*(func.count().filter(condition) for condition in FILTERS.values())).where(_open(program_year, scope))
    ).one()
    return dict(zip(FILTERS, found, strict=True))


def page_of_files(program_year: ProgramYear, scope: Scope, shown: str, *, after: int = 0) -> list[FileRow]:
    """A page of open files, one row more where there is a next one; ``after`` is the last one's id."""
    query = _rows(program_year, scope).where(is_open_file(), FILTERS[shown], File.id > after)
    return [FileRow(*row) for row in db.session.execute(query.order_by(File.id).limit(PAGE + 1))]


def find_file(program_year: ProgramYear, scope: Scope, file_id: int) -> FileRow | None:
    """One file in the scope, closed ones too."""
    row = db.session.execute(_rows(program_year, scope).where(File.id == file_id)).one_or_none()
    return FileRow(*row) if row else None


#: What the list may be narrowed down to.
FILTERS: dict[str, ColumnElement[bool]] = {
    "all": true(),
    "uncomputed": File.computed.is_(None),
    "none": (File.computed == "none") & File.decided.is_(None),
    "differing": File.decided.is_not(None),
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
