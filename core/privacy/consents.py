"""What a person agreed to: recorded, withdrawn, and where it is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import exists, func, select

from core.audit.services import record
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.people.numbers import refuse_numbers
from core.privacy.models import Consent, Processing
from core.users.access import require, today
from core.users.models import User

EDIT = "people.edit"


@dataclass(frozen=True, slots=True)
class Missing:
    """How many active people of a union lack a consent that nothing else stands in for."""

    org: str
    processing: str
    people: int


def processings() -> Sequence[Processing]:
    """What is done with people's data, by code."""
    return db.session.scalars(select(Processing).order_by(Processing.code)).all()


def title_of(processing: Processing) -> str:
    """In the reader's language."""
    return str(processing.title.get(str(get_locale()), processing.title["zh"]))


def consents_of(person_id: int) -> Sequence[tuple[Consent, Processing]]:
    """What the person agreed to, the newest first."""
    query = select(Consent, Processing).join(Processing, Processing.code == Consent.processing)
    rows = db.session.execute(query.where(Consent.person_id == person_id).order_by(Consent.id.desc()))
    return [(consent, processing) for consent, processing in rows]


def give(actor: User, person_id: int, processing: str, given_on: date, evidence: str) -> None:
    """Record a consent. Raises :class:`Forbidden`, :class:`NotFound`, :class:`Refused` while the same one holds, and
    :class:`ZhijiaError` at the field for a day to come, an unknown purpose or no evidence.
    """
    person = _person(actor, person_id)
    if db.session.get(Processing, processing) is None:
        raise ZhijiaError(_("Choose what was agreed to."), field="processing")
    if given_on > today():
        raise ZhijiaError(_("This day is still to come."), field="given_on")
    if not evidence.strip():
        raise ZhijiaError(_("Say where the paper or the attachment is."), field="evidence")
    refuse_numbers(evidence, "evidence")
    same = Consent.person_id == person_id, Consent.processing == processing
    if db.session.scalar(select(Consent.id).where(*same, Consent.withdrawn_on.is_(None)).limit(1)) is not None:
        raise Refused(_("This consent is on record already."), field="processing")
    values = {"processing": processing, "given_on": given_on, "evidence": evidence.strip()}
    db.session.add(Consent(person_id=person_id, recorded_by=actor.id, **values))
    record(actor, "people.consent", f"person:{person_id}", person.org_path, processing=processing)
    db.session.commit()


def withdraw(actor: User, person_id: int, consent_id: int) -> None:
    """The person took it back today. Raises :class:`Forbidden`, :class:`NotFound`, :class:`Refused` if done before."""
    person = _person(actor, person_id)
    consent = db.session.get(Consent, consent_id, with_for_update=True)
    if consent is None or consent.person_id != person_id:
        raise NotFound(_("There is nothing here, or nothing that you may see."))
    if consent.withdrawn_on is not None:
        raise Refused(_("This consent was withdrawn before."))
    consent.withdrawn_on, consent.withdrawn_by = today(), actor.id
    record(actor, "people.consent_withdrawn", f"person:{person_id}", person.org_path, processing=consent.processing)
    db.session.commit()


def missing(scope: Scope) -> list[Missing]:
    """For each union with active people who lack a consent to something sensitive that rests on no law or contract."""
    held = exists().where(
        Consent.person_id == Person.id, Consent.processing == Processing.code, Consent.withdrawn_on.is_(None)
    )
    query = (
        select(Org.name, Processing, func.count())
        .select_from(Person)
        .join(Org, Org.id == Person.org_id)
        .join(Processing, Processing.sensitive & Processing.ground.is_(None))
        .where(Person.active, scope.covers(Person.org_path), ~held)
        .group_by(Org.id, Processing.code)
        .order_by(Org.path, Processing.code)
    )
    return [Missing(name, title_of(processing), count) for name, processing, count in db.session.execute(query)]


def _person(actor: User, person_id: int) -> Person:
    """The file, locked, so that two records of the same consent take turns."""
    person = db.session.get(Person, person_id, with_for_update={"key_share": True})
    if person is None or person.erased_at is not None or person.merged_into_id is not None:
        raise NotFound(_("There is nothing here, or nothing that you may see."))
    require(actor, EDIT, person.org_path)
    return person
