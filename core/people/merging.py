"""Two files that turned out to be one person: one is kept, the other is dropped, and leads to it from then on.

Both stay as rows, as what was paid names them. The numbers differ (a slip in one of them), and each file keeps its own.
"""

from flask_babel import gettext as _
from sqlalchemy import select, update

from core.audit.services import Actor, record
from core.errors import NotFound, Refused
from core.extensions import db
from core.org.scope import Scope
from core.people.models import CHANGEABLE, Person
from core.people.queries import PersonView, by_id, id_of_number
from core.plugin import hooks
from core.wall import beyond_scope


def compare(scope: Scope, kept_id: int, id_number: str) -> tuple[PersonView, PersonView]:
    """The file to keep and the one with this (normalised) identity number, to be looked at before they are merged.

    Refuses what :func:`merge` would refuse of the two files by themselves.
    """
    dropped_id = id_of_number(scope, id_number)
    if dropped_id is None:
        raise _unknown()
    _pair(scope, kept_id, dropped_id, lock=False)
    kept, dropped = by_id(scope, kept_id), by_id(scope, dropped_id)
    if kept is None or dropped is None:
        raise _unknown()
    return kept, dropped


@beyond_scope("people.merge")
def merge(actor: Actor, scope: Scope, kept_id: int, dropped_id: int) -> None:
    """Make one person of two files, within the ``scope`` in which the actor may edit people. It cannot be undone.

    The kept file takes over the phone and the bank account that it lacks; every plugin moves what points at the other.
    Raises :class:`NotFound` for a file unknown or out of scope, :class:`Refused` for one that was merged or erased
    before, for an inactive file to keep, and with the sentence of whoever objects (an unfinished run, a plugin).
    """
    kept, dropped = _pair(scope, kept_id, dropped_id, lock=True)
    taken = [name for name, columns in CHANGEABLE.items() if _take(kept, dropped, columns)]
    dropped.active, dropped.merged_into_id = False, kept.id
    db.session.execute(update(Person).where(Person.merged_into_id == dropped.id).values(merged_into_id=kept.id))
    db.session.flush()
    hooks.person_merged(kept, dropped)
    record(actor, "people.merge", f"person:{kept.id}", kept.org_path, dropped=dropped.id, taken=taken)
    record(actor, "people.merge", f"person:{dropped.id}", dropped.org_path, kept=kept.id)
    db.session.commit()


def _take(kept: Person, dropped: Person, columns: tuple[str, ...]) -> bool:
    if getattr(kept, columns[0]) is not None or getattr(dropped, columns[0]) is None:
        return False
    for column in columns:
        setattr(kept, column, getattr(dropped, column))
    return True


def _pair(scope: Scope, kept_id: int, dropped_id: int, *, lock: bool) -> tuple[Person, Person]:
    """The two files; locked with those that will follow them, in the order of ids, so that two merges take turns."""
    if kept_id == dropped_id:
        raise Refused(_("This is the number of this very file; enter that of the other one."), field="id_number")
    query = select(Person).where(Person.id.in_((kept_id, dropped_id)) | (Person.merged_into_id == dropped_id))
    query = query.order_by(Person.id)
    if lock:  # payments that are being written refer to the rows, and need not wait
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    files = {file.id: file for file in db.session.scalars(query) if scope.includes(file.org_path)}
    if kept_id not in files or dropped_id not in files:
        raise _unknown()
    kept, dropped = files[kept_id], files[dropped_id]
    if kept.merged_into_id is not None or dropped.merged_into_id is not None:
        raise Refused(_("One of the two files has been merged into another already."), field="id_number")
    if kept.erased_at is not None or dropped.erased_at is not None:
        raise Refused(_("One of the two files was erased; there is nothing to merge."), field="id_number")
    if not kept.active:
        raise Refused(_("The file to keep is not active; merge it into the other one instead."), field="id_number")
    return kept, dropped


def _unknown() -> NotFound:
    return NotFound(_("There is no file with this identity number that you may change."), field="id_number")
