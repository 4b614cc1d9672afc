"""Finding people on file, within a scope; what comes back is masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope, subtree
from core.people.models import Person
from core.people.numbers import mask_account, mask_id, mask_phone
from core.people.secrets import digest
from core.pinyin import spell_name

PAGE = 50


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as lists and pages show them: numbers masked, empty where not known.

    ``merged_into`` is the id of the file that counts instead, of which the reader may see nothing.
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


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """One page of people; ``next`` is the id to go on after, none at the end."""

    rows: Sequence[PersonView]
    next: int | None


def by_id(scope: Scope, person_id: int) -> PersonView | None:
    """The person with this id, if in the scope; also a file that was merged or erased."""
    return _one(_views(scope).where(Person.id == person_id))


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


def page_of_people(scope: Scope, *, search: str = "", org_path: str = "", after: int | None = None) -> PeoplePage:
    """Up to 50 people: whose name, pinyin or initials begin with ``search``, at or below ``org_path``.

    With a search in the order of what was found (pinyin or initials), else by org. Files that were merged into others
    or erased are nobody to be found here.
    """
    within = scope.covers(Person.org_path) & Person.merged_into_id.is_(None) & Person.erased_at.is_(None)
    if org_path:
        within &= subtree(Person.org_path, org_path)
    order, condition = _found(search.strip(), within)
    query = _views(scope).where(within, condition)
    last = db.session.execute(
        select(order, Person.id).where(Person.id == after, scope.covers(Person.org_path))
    ).one_or_none()
    if last:
        query = query.where(tuple_(order, Person.id) > tuple(last))
    rows = [_view(*row) for row in db.session.execute(query.order_by(order, Person.id).limit(PAGE + 1))]
    return PeoplePage(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None)


def _found(search: str, within: ColumnElement[bool]) -> tuple[InstrumentedAttribute[str], ColumnElement[bool]]:
    """What to order by, and the condition: always one index that gives the order as well.

    A Chinese name is found through its pinyin; Latin letters are pinyin where anybody's begins so, else initials.
    """
    if not search:
        return Person.org_path, true()
    latin = search.lower().replace(" ", "")
    if not latin.isascii():
        spelled = _begins(Person.pinyin, spell_name(search).pinyin)
        return Person.pinyin, spelled & Person.name.startswith(search, autoescape=True)
    by_pinyin = _begins(Person.pinyin, latin)
    if db.session.scalars(select(Person.id).where(within, by_pinyin).limit(1)).first() is not None:
        return Person.pinyin, by_pinyin
    return Person.initials, _begins(Person.initials, latin)


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
    )
