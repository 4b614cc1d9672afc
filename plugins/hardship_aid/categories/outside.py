"""Comparing files with a list from outside: read whole or not at all, stored as digests, compared by one statement."""

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import IO

from flask_babel import gettext as _
from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from core.api import (
    Person,
    ProgramYear,
    Refused,
    Scope,
    User,
    ZhijiaError,
    copy_rows,
    db,
    digest,
    parse_id_number,
    read_rows,
    record,
    require,
    scan_file,
    scope_of,
    state_of,
    today,
)
from plugins.hardship_aid.categories.models import Hit, Outside, OutsideList
from plugins.hardship_aid.categories.rule import is_open_file
from plugins.hardship_aid.categories.words import CALLED, HEADINGS, KINDS
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.words import EDIT, PROGRAM

#: The state in which a file waits for being compared.
WAITING = "comparison"
#: Read while somebody waits; a longer list is split.
MOST_ROWS = 200_000
#: The heading is one of the first rows; titles may stand above it.
SEARCHED = 10
#: Rows that a refusal names.
NAMED = 100


@dataclass(frozen=True)
class Compared:
    """What came of it: the list, pairs of number and kind in it, hits that are new, files that had been waiting."""

    list_id: int
    rows: int
    hits: int
    files: int


class BadRows(Refused):
    """Some rows are wrong: how many, and of the first :data:`NAMED` the line and what is wrong with it."""

    def __init__(self, faults: "Faults") -> None:
        super().__init__(
            _("%(count)s rows are wrong, so nothing was taken. Correct the file and upload it again.",
              count=f"{faults.count:,}"),
            field="file",
        )  # fmt: skip
        self.faults = faults


@dataclass
class Faults:
    """Rows that are wrong."""

    count: int = 0
    named: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, sentence: str) -> None:
        """Count a row, and keep what is wrong with it while there is room."""
        self.count += 1
        if len(self.named) < NAMED:
            self.named.append((line, sentence))


def compare(actor: User, program_year: ProgramYear, content: IO[bytes], name: str) -> Compared:
    """Take a list for the actor's own union and compare it with the files that the actor may change.

    The same file again is compared again, and makes no second list and no second hit. Every file that waited for it has
    been compared then, found or not. Raises :class:`Forbidden`; :class:`ZhijiaError` at ``file`` for a file that cannot
    be taken, and :class:`BadRows`: then nothing is kept.
    """
    if state_of(program_year) != "open":
        raise Refused(_("This year is not open."))
    require(actor, EDIT, actor.org_path, PROGRAM)
    name = Path(name).name[:200]
    _scan(content, name)
    try:
        one = _list_of(actor, program_year, content, name)
        one.rows = _take(one.id, content, name)
        hits, files = _match(program_year, one, scope_of(actor, EDIT, PROGRAM))
        done = Compared(one.id, one.rows, hits, files)
        said = {"list": done.list_id, "rows": done.rows, "hits": hits, "files": files}
        record(actor, "hardship.compare", f"program_year:{program_year.id}", one.org_path, file=name, **said)
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    return done


def _scan(content: IO[bytes], name: str) -> None:
    if found := scan_file(content, name):
        sentence = _("The file was not taken, as a virus was found in it: %(names)s", names="、".join(found))
        raise Refused(sentence, field="file")


def _list_of(actor: User, program_year: ProgramYear, content: IO[bytes], name: str) -> OutsideList:
    """The list that this file is; who uploads the same at the same moment waits here."""
    content.seek(0)
    print_of = hashlib.file_digest(content, "sha256").digest()  # type: ignore[arg-type]  # what a form sends is enough
    values = {"program_year_id": program_year.id, "org_id": actor.org_id, "content": print_of}
    made = insert(OutsideList).values(**values, org_path=actor.org_path, name=name, user_id=actor.id)
    db.session.execute(made.on_conflict_do_nothing())
    return db.session.scalars(select(OutsideList).filter_by(**values).with_for_update()).one()


def _take(list_id: int, content: IO[bytes], name: str) -> int:
    """Store the digests in the place of former ones, which an older data key may have made; returns how many."""
    faults = Faults()
    db.session.execute(delete(Outside).where(Outside.list_id == list_id))
    digest("id_number", "")  # takes hold of the key, which cannot be done while rows are streamed
    content.seek(0)
    count = copy_rows(Outside.__tablename__, ["list_id", "digest", "kind"], _digests(list_id, content, name, faults))
    if faults.count:
        raise BadRows(faults)
    if not count:
        raise ZhijiaError(_("The file has headings, but no rows."), field="file")
    return count


def _digests(list_id: int, content: IO[bytes], name: str, faults: Faults) -> Iterator[tuple[int, bytes, str]]:
    """Each pair of number and kind once; what is wrong goes into ``faults``."""
    seen: set[tuple[bytes, str]] = set()
    rows = read_rows(content, name)
    top = list(islice(rows, SEARCHED))
    columns = [_columns(row.values) for row in top]
    at = next((line for line, found in enumerate(columns) if found), None)
    if at is None:
        raise ZhijiaError(
            _("None of the first ten rows holds the two headings: identity number, and what is said of it (比对事项)."),
            field="file",
        )
    number, kind = columns[at]
    for read, row in enumerate(chain(top[at + 1 :], rows)):
        if read >= MOST_ROWS:
            sentence = _("The file has more than %(count)s rows; please split it.", count=f"{MOST_ROWS:,}")
            raise ZhijiaError(sentence, field="file")
        cells = [row.values[column] if column < len(row.values) else "" for column in (number, kind)]
        try:
            pair = _read(cells[0], cells[1], is_rounded=number in row.rounded)
        except ZhijiaError as error:
            faults.add(row.line, str(error))
            continue
        if pair not in seen:
            seen.add(pair)
            yield list_id, *pair


def _columns(values: tuple[str, ...]) -> tuple[int, ...]:
    """Where the two headings stand in a row, or nothing."""
    plain = [_plain(value) for value in values]
    found = [next((at for at, text in enumerate(plain) if text in names), None) for names in HEADINGS.values()]
    return tuple(at for at in found if at is not None) if None not in found else ()


def _read(number: str, kind: str, *, is_rounded: bool) -> tuple[bytes, str]:
    if is_rounded:
        raise ZhijiaError(_("Excel has lost the last digits of the identity number; format the column as text."))
    if not number:
        raise ZhijiaError(_("The identity number is missing."))
    code = CALLED.get(_plain(kind))
    if code is None:
        titles = "、".join(str(title) for title in KINDS.values())
        raise ZhijiaError(_("“%(text)s” is none of %(titles)s.", text=kind[:40], titles=titles))
    return digest("id_number", parse_id_number(number).number), code


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).rstrip("*").lower()


def _match(program_year: ProgramYear, one: OutsideList, scope: Scope) -> tuple[int, int]:
    """Write the hits and the day on which files were compared, in one statement; returns how many of either.

    A number under which somebody was once on file leads to the file that it was merged into.
    """
    mine = (File.sponsor_id == program_year.org_id) & scope.covers(File.org_path)
    pairs = (
        select(literal(program_year.id), File.id, literal(one.id), Outside.kind, literal(today()))
        .join(Person, func.coalesce(Person.merged_into_id, Person.id) == File.person_id)
        .join(Outside, Outside.digest == Person.id_number_digest)
        .where(Outside.list_id == one.id, mine, is_open_file())
    )
    columns = ["program_year_id", "file_id", "list_id", "kind", "found_on"]
    hits = insert(Hit).from_select(columns, pairs).on_conflict_do_nothing().returning(Hit.id).cte("hits")
    waiting = update(File).where(mine, File.state == WAITING).values(compared_on=today()).returning(File.id)
    files = waiting.cte("files")
    counts = select(
        select(func.count()).select_from(hits).scalar_subquery(),
        select(func.count()).select_from(files).scalar_subquery(),
    )
    found, compared = db.session.execute(counts).one()
    return found, compared
