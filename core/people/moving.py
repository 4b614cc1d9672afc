"""Somebody goes over to another union (转移), which answers for them from then on.

Neither union reaches the other's rows, so that a plugin asks the one and then the other, each in its own scope, and the
move itself is done here, beyond both.
"""

from collections.abc import Iterable

from flask_babel import gettext as _
from sqlalchemy import Select, select

from core.audit.services import Actor, record
from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.people.models import Person
from core.people.queries import PersonView, views_of
from core.plugin import hooks
from core.wall import beyond_scope


@beyond_scope("people.move")
def move_person(actor: Actor, person_id: int, org: Org, *, agreed_by: int) -> Person:
    """Let ``org`` answer for a person from now on, in the caller's transaction.

    Whoever calls this has seen to it that both unions agreed: ``agreed_by`` is the id of the one that lets go, and
    somebody who is elsewhere by now stays there. The files that were merged into this one go along, and so does what
    every plugin moves (hook ``person_moved``). What was paid, and what a year has written down at the former union,
    stays. Raises :class:`Refused` for somebody who is not (any more) on file there, for the person's own union and an
    inactive one, and with the sentence of whoever objects.
    """
    files = {file.id: file for file in db.session.scalars(_locked(person_id))}
    person = files.get(person_id)
    if person is None or not person.active or person.org_id != agreed_by:
        raise Refused(_("This worker is no longer on file at the union that agreed."))
    refuse_receiver(person.org_id, org)
    source_path = person.org_path
    for file in files.values():
        file.org_id, file.org_path = org.id, org.path
    db.session.flush()
    hooks.person_moved(person, org)
    record(actor, "people.move", f"person:{person.id}", source_path, to=org.code)
    record(actor, "people.move", f"person:{person.id}", org.path, to=org.code)
    return person


def refuse_receiver(org_id: int, org: Org) -> None:
    """Raise :class:`Refused` where ``org`` cannot receive somebody whom the union ``org_id`` answers for."""
    if org.id == org_id:
        raise Refused(_("This is the worker's own union."), field="org_code")
    if not org.active:
        raise Refused(_("This union is no longer active."), field="org_code")


@beyond_scope("people.receive")
def shown_people(person_ids: Iterable[int]) -> dict[int, PersonView]:
    """These (few) people by id, masked as pages show them, for a union that was asked to receive them.

    Who asks for a user has found the ids in rows that the user may see.
    """
    return {view.id: view for view in views_of(person_ids)}


def _locked(person_id: int) -> Select[Person]:
    """The file with those that follow it, in the order of ids; payments that are being written need not wait."""
    query = select(Person).where((Person.id == person_id) | (Person.merged_into_id == person_id)).order_by(Person.id)
    return query.with_for_update(key_share=True).execution_options(populate_existing=True)
