"""Finding people on file, within a scope; what comes back is masked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.extensions import db
from core.lists.types import Found
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.people.numbers import mask_account, mask_id, mask_phone
from core.people.secrets import digest
from core.pinyin import spell_name


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as lists and pages show them: numbers masked, empty where not known.

    ``merged_into`` is the id of the file that counts instead, of which the reader may see nothing. ``version`` is that
    of :func:`version_of`.
    """

    id: int
    name: str
    gender: str
    born_on: date
    org_path: str
    org_code: str
    org_name: str
    id_number: str
    phone: str
    bank_account: str
    bank_name: str
    active: bool
    merged_into: int | None
    erased: bool
    version: str


def by_id(scope: Scope, person_id: int) -> PersonView | None:
    """The person with this id, if in the scope; also a file that was merged or erased."""
    return _one(_views(scope).where(Person.id == person_id))


def views_of(person_ids: Iterable[int]) -> list[PersonView]:
    """These (few) people, in no scope: who asks for a user has checked that."""
    query = select(Person, Org.code, Org.name).join(Org, Org.id == Person.org_id).where(Person.id.in_(person_ids))
    return [_view(*row) for row in db.session.execute(query)]


def by_id_number(scope: Scope, id_number: str) -> PersonView | None:
    """The person whom this (normalised) identity number leads to, if in the scope (see :func:`person_id_of`)."""
    return _one(_views(scope).where(Person.id == person_id_of(digest("id_number", id_number))))


def id_of_number(scope: Scope, id_number: str) -> int | None:
    """The id of the very file with this (normalised) identity number, merged or not, if in the scope."""
    number = Person.id_number_digest == digest("id_number", id_number)
    return db.session.scalar(select(Person.id).where(number, scope.covers(Person.org_path)))


def person_id_of(number: bytes | ColumnElement[bytes] | InstrumentedAttribute[bytes | None]) -> ScalarSelect[int]:
    """The id of the person whom an identity number leads to, from its digest (a value, or a column to join by).

    That is the file with this number, or the one that it was merged into; nothing where nobody has the number. No
    scope binds it: who asks for a user checks that of what comes back.
    """
    named = aliased(Person)
    found = select(func.coalesce(named.merged_into_id, named.id)).where(named.id_number_digest == number)
    return found.correlate_except(named).scalar_subquery()


def files_of(person_id: int, *, lock: bool = False) -> Sequence[Person]:
    """The file with this id, then those that were merged into it: everything that is one person."""
    query = select(Person).where((Person.id == person_id) | (Person.merged_into_id == person_id))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    files = db.session.scalars(query.order_by(Person.id)).all()
    return sorted(files, key=lambda file: file.id != person_id)


def visible_among(scope: Scope, person_ids: Iterable[int]) -> set[int]:
    """Which of these (few) people have a file that lies in the scope."""
    return set(db.session.scalars(select(Person.id).where(Person.id.in_(person_ids), scope.covers(Person.org_path))))


def version_of(person: Person) -> str:
    """What tells a form that the phone or the bank account of a file is another one by now; nothing can be read off."""
    parts = person.id, person.phone_digest, person.bank_account_digest, person.bank_name
    return sha256(repr(parts).encode()).hexdigest()


def search_people(search: str, among: Callable[[ColumnElement[bool]], bool]) -> Found:
    """People whose name, pinyin or initials begin so: always one index that gives the order as well.

    A Chinese name is found through its pinyin; Latin letters are pinyin where anybody's begins so (``among``), else
    initials. See :data:`core.lists.types.Search`.
    """
    latin = search.lower().replace(" ", "")
    if not latin.isascii():
        spelled = _begins(Person.pinyin, spell_name(search).pinyin)
        return Found(spelled & Person.name.startswith(search, autoescape=True), Person.pinyin)
    by_pinyin = _begins(Person.pinyin, latin)
    if among(by_pinyin):
        return Found(by_pinyin, Person.pinyin)
    return Found(_begins(Person.initials, latin), Person.initials)


def _begins(column: InstrumentedAttribute[str], prefix: str) -> ColumnElement[bool]:
    """A prefix as an index range, which LIKE with a parameter is not; ``~`` follows all that pinyin is made of."""
    return (column >= prefix) & (column < prefix + "~")


def _views(scope: Scope) -> Select[Person, str, str]:
    return select(Person, Org.code, Org.name).join(Org, Org.id == Person.org_id).where(scope.covers(Person.org_path))


def _one(query: Select[Person, str, str]) -> PersonView | None:
    row = db.session.execute(query).one_or_none()
    return _view(*row) if row else None


def _view(person: Person, org_code: str, org_name: str) -> PersonView:
    return PersonView(
        id=person.id,
        name=person.name,
        gender=person.gender,
        born_on=person.born_on,
        org_path=person.org_path,
        org_code=org_code,
        org_name=org_name,
        id_number=mask_id(person.id_number_tail),
        phone=mask_phone(person.phone_tail) if person.phone_tail else "",
        bank_account=mask_account(person.bank_account_tail) if person.bank_account_tail else "",
        bank_name=person.bank_name or "",
        active=person.active,
        merged_into=person.merged_into_id,
        erased=person.erased_at is not None,
        version=version_of(person),
    )
