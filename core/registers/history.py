"""The history of an entry: what its form's fields held, before and after each change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from core.audit.services import Actor
from core.errors import Refused
from core.extensions import db
from core.plugin.types import Register
from core.registers.models import RecordChange
from core.web.fields import from_json, shown, to_json
from core.web.filters import NOTHING


def values_of(register: Register, row: Any) -> dict[str, Any]:
    """What the fields of the form hold for this row, as JSON values; whose row it is, is none of them."""
    return {name: to_json(getattr(row, name)) for name in _fields(register)}


def shown_values(register: Register, values: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Field -> label and value as people read them; a field that the form no longer has is shown as it was kept."""
    empty = register.form()
    form = register.form(data={name: from_json(empty[name], value) for name, value in values.items() if name in empty})
    return {
        name: (str(form[name].label.text), shown(form[name]))
        if name in form
        else (name, NOTHING if value is None else str(value))
        for name, value in values.items()
    }


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Field -> [before, after] of all that is not the same."""
    names = [*before, *(name for name in after if name not in before)]
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


@dataclass(frozen=True, slots=True)
class Change:
    """A change as people read it: ``fields`` are label, before and after. ``at`` is UTC, none where nobody knows."""

    action: str
    actor: str
    at: datetime | None
    fields: list[tuple[str, str, str]]


def as_shown(register: Register, change: RecordChange) -> Change:
    """A line of the history for a page."""
    return Change(change.action, change.actor, change.at, shown_difference(register, change.values))


def shown_difference(register: Register, values: Mapping[str, list[Any]]) -> list[tuple[str, str, str]]:
    """A :func:`difference` as label, before and after."""
    before = shown_values(register, {name: pair[0] for name, pair in values.items()})
    after = shown_values(register, {name: pair[1] for name, pair in values.items()})
    return [(label, text, after[name][1]) for name, (label, text) in before.items()]


def write_seen(values: Mapping[str, Any]) -> str:
    """What an entry held when its form was opened, for a hidden field of the form."""
    return json.dumps(values, ensure_ascii=False)


def read_seen(text: str) -> dict[str, Any]:
    """The same again. Raises :class:`Refused` for a page that does not say it."""
    try:
        seen = json.loads(text)
    except ValueError:
        seen = None
    if not isinstance(seen, dict):
        raise Refused(_("This page does not say what it showed; open the entry again."))
    return seen


def keep(actor: Actor, register: Register, row: Any, action: str, values: Mapping[str, list[Any]]) -> None:
    """Write a change down, in the caller's transaction; ``values`` is a :func:`difference`."""
    db.session.add(
        RecordChange(
            register=register.code,
            row_id=row.id,
            org_id=row.org_id,
            org_path=row.org_path,
            person_id=row.person_id if register.of_people else None,
            action=action,
            values=dict(values),
            user_id=actor.id,
            actor=actor.name,
        )
    )


def _fields(register: Register) -> list[str]:
    return [field.short_name for field in register.form() if field.short_name not in register.form.whose]
