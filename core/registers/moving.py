"""What the core keeps about entries lies where they lie: it follows when an entry goes over to another union.

A module beside the layers of the area, as the hooks of several areas ask it.
"""

from typing import Any

from sqlalchemy import update

from core.extensions import db
from core.people.models import Person
from core.plugin.registry import registry_of


def follow_entries(model: type[Any], person: Person) -> None:
    """Let rows of ``model`` (``register, row_id, person_id``) follow the entries about the person that they tell of."""
    for register in registry_of().registers.values():
        if register.of_people:
            entry = register.model
            told = (model.register == register.code, model.person_id == person.id, model.row_id == entry.id)
            place = {"org_id": entry.org_id, "org_path": entry.org_path}
            change = update(model).where(*told, model.org_id != entry.org_id).values(place)
            db.session.execute(change.execution_options(synchronize_session=False))
