"""Taking people on file: many at once, each once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import Select, func, not_, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from core.audit.services import Actor, record
from core.bulk import copy_rows
from core.errors import Refused
from core.extensions import db, whole
from core.org.models import Org
from core.org.scope import Scope, shared_path
from core.people.models import Person
from core.people.secrets import Field, Keys, Sealed, keys
from core.people.staging import COLUMNS, KEPT, renew, staged
from core.pinyin import spell_name
from core.wall import beyond_scope


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person to take on file. Numbers are normalised by ``core.people.numbers``; None means not known."""

    org_code: str
    name: str
    id_number: str
    phone: str | None = None
    bank_account: str | None = None
    bank_name: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of the rows: taken on file now, or known before. Of the known, ``elsewhere`` are under another union.

    Nothing of a known person is changed: not the union that is responsible, nor a number.
    """

    added: int
    known: int
    elsewhere: int


def register_people(actor: Actor, rows: Iterable[PersonRow], scope: Scope) -> Registered:
    """:func:`take_on_file`, and commit."""
    with whole():
        result = take_on_file(actor, rows, scope)
        db.session.commit()
    return result


@beyond_scope("people.take_on_file")
def take_on_file(actor: Actor, rows: Iterable[PersonRow], scope: Scope) -> Registered:
    """Take the people on file whose identity number is not there yet, in bounded memory, in the caller's transaction.

    Raises :class:`Refused` when a row names an org that is unknown, inactive or outside ``scope``; the caller rolls
    back then.
    """
    stage_people(rows)
    result, org_path = insert_staged(scope)
    if result.added:
        record(actor, "people.register", f"org:{org_path}", org_path, added=result.added, known=result.known)
    return result


def stage_people(rows: Iterable[PersonRow]) -> int:
    """Encrypt the rows and stream them into the temporary table ``staged_person`` of this transaction."""
    renew(db.session.connection())
    installation_keys = keys()
    return copy_rows(staged.name, COLUMNS, (_values(line, row, installation_keys) for line, row in enumerate(rows, 1)))


def insert_staged(scope: Scope) -> tuple[Registered, str]:
    """Insert the staged people who are not on file; returns the counts and the path that all their orgs lie below."""
    total, org_path = _check_orgs(scope)
    source = (
        select(Org.id, Org.path, *(staged.c[column] for column in KEPT))
        .join(Org, Org.code == staged.c.org_code)
        .order_by(Org.path, staged.c.line)
    )
    statement = insert(Person).from_select(["org_id", "org_path", *KEPT], source)
    result = db.session.connection().execute(
        statement.on_conflict_do_nothing(index_elements=["id_number_digest"]),
        execution_options={"preserve_rowcount": True},
    )
    elsewhere = db.session.execute(_staged_people().where(Person.org_id != Org.id)).scalar_one()
    return Registered(result.rowcount, total - result.rowcount, elsewhere), org_path


def count_same_people() -> int:
    """How many of the staged are on file as the very same person: number, name, phone and org."""
    same = (Person.org_id == Org.id) & (Person.name == staged.c.name) & (Person.phone_digest == staged.c.phone_digest)
    return db.session.execute(_staged_people().where(same)).scalar_one()


def _staged_people() -> Select[int]:
    return (
        select(func.count())
        .select_from(staged)
        .join(Org, Org.code == staged.c.org_code)
        .join(Person, Person.id_number_digest == staged.c.id_number_digest)
    )


def _check_orgs(scope: Scope) -> tuple[int, str]:
    db.session.execute(text("ANALYZE staged_person"))
    orgs = select(staged.c.org_code, func.count().label("rows")).group_by(staged.c.org_code).subquery()
    joined = orgs.outerjoin(Org, Org.code == orgs.c.org_code)
    wrong = or_(Org.id.is_(None), not_(Org.active), not_(scope.covers(Org.path)))
    codes = db.session.scalars(
        select(orgs.c.org_code).select_from(joined).where(wrong).order_by(orgs.c.org_code).limit(5)
    ).all()
    if codes:
        raise Refused(
            _(
                "There is no union with the code %(codes)s that you may take people on file for.",
                codes="、".join(codes),
            ),
            field="org_code",
        )
    total, first, last = db.session.execute(
        select(func.coalesce(func.sum(orgs.c.rows), 0), func.min(Org.path), func.max(Org.path)).select_from(joined)
    ).one()
    return int(total), shared_path([first or "/", last or "/"])


def _values(line: int, row: PersonRow, installation_keys: Keys) -> tuple[object, ...]:
    def seal(field: Field, value: str | None) -> Sealed | tuple[None, None, None]:
        return installation_keys.seal(field, value) if value else (None, None, None)

    number = row.id_number
    born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return (
        line, row.org_code, row.name, *spell_name(row.name), "M" if int(number[16]) % 2 else "F", born_on,
        *seal("id_number", number), *seal("phone", row.phone), *seal("bank_account", row.bank_account), row.bank_name,
    )  # fmt: skip
