"""Writing the work ledger. Money is in ``allotting.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, tuple_
from sqlalchemy.exc import IntegrityError

from core.audit.services import Actor, record
from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.ledger.models import Activity, ActivityTemplate, Entry
from core.ledger.queries import template_of_year
from core.org.models import Org
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.users.access import require, today
from core.users.models import User


def add_activity(
    actor: Actor,
    template: ActivityTemplate,
    org: Org,
    *,
    program_year_id: int | None,
    held_on: date,
    data: Mapping[str, Any],
    scope: str,
    key: str,
    entry_id: int | None = None,
) -> Activity:
    """Add a line to the work ledger, in the caller's transaction. Raises :class:`ZhijiaError` naming the column."""
    known = {column["key"]: column for column in template.columns}
    for name in data:
        if name not in known:
            raise ZhijiaError(_("This ledger has no column “%(name)s”.", name=name))
    for name, column in known.items():
        if column["required"] and not str(data.get(name, "")).strip():
            raise ZhijiaError(_("“%(column)s” must be filled in.", column=column["zh"]), field=name)
    activity = Activity(
        template=template.code,
        org_id=org.id,
        org_path=org.path,
        program_year_id=program_year_id,
        held_on=held_on,
        data=dict(data),
        scope=scope,
        key=key,
        entry_id=entry_id,
        user_id=actor.id,
    )
    db.session.add(activity)
    return activity


@dataclass(frozen=True)
class Telling:
    """What the work ledger says of an entry of ``org``.

    ``matters`` is the entry's description unless given; ``cadres``, who took part, the actor.
    """

    entry: Entry
    org: Org
    method: str
    result: str
    matters: str = ""
    cadres: str = ""


def tell_of_entry(
    actor: Actor, entry: Entry, org: Org, *, method: str, result: str, matters: str = "", cadres: str = ""
) -> Activity:
    """Add the line of the work ledger that tells of an entry of ``org``, as :func:`tell_of_entries` does."""
    return tell_of_entries(actor, [Telling(entry, org, method, result, matters, cadres)])[0]


def tell_of_entries(actor: Actor, tellings: Sequence[Telling]) -> list[Activity]:
    """Add the lines of the work ledger that tell of entries, one each in their order, in the caller's transaction.

    A line stands under its entry's scope and key, so that an entry has one such line: the one that is there comes back.
    It takes the form that is valid in the entry's program year, and of what is told what that form asks for; the day
    is that of the fact. Raises :class:`core.errors.NotFound` where no form is valid in the year.
    """
    names = [(telling.entry.scope, telling.entry.key) for telling in tellings]
    known = db.session.scalars(select(Activity).where(tuple_(Activity.scope, Activity.key).in_(names)))
    lines = {(line.scope, line.key): line for line in known}
    forms: dict[int, ActivityTemplate] = {}
    for name, telling in zip(names, tellings, strict=True):
        if name not in lines:
            year = _year_of(telling.entry)
            form = forms[year] = forms.get(year) or template_of_year(year)
            lines[name] = _told(actor, telling, form)
    return [lines[name] for name in names]


def _told(actor: Actor, telling: Telling, form: ActivityTemplate) -> Activity:
    entry, org = telling.entry, telling.org
    held_on = entry.happened_on or entry.effective_on
    said = {
        "organisation": org.name,
        "cadres": telling.cadres or actor.name,
        "time": held_on.isoformat(),
        "method": telling.method,
        "matters": telling.matters or entry.description or entry.title,
        "result": telling.result,
    }
    columns = {column["key"] for column in form.columns}
    return add_activity(
        actor,
        form,
        org,
        program_year_id=entry.program_year_id,
        held_on=held_on,
        data={key: value for key, value in said.items() if key in columns},
        scope=entry.scope,
        key=entry.key,
        entry_id=entry.id,
    )


def _year_of(entry: Entry) -> int:
    if entry.program_year_id is None:
        return entry.effective_on.year
    return db.session.get_one(ProgramYear, entry.program_year_id).year


def record_activity(
    actor: User,
    template: ActivityTemplate,
    org: Org,
    *,
    program_year: ProgramYear | None,
    held_on: date,
    data: Mapping[str, str],
    key: str,
) -> Activity:
    """Write a line of the work ledger by hand, for what no run and no plugin writes. ``key`` is one per line.

    Raises :class:`Refused` for a day in the future, a program that is not open or not this union's, or a ``key`` that
    was used before (a form sent twice); :class:`ZhijiaError` naming the column that is wrong.
    """
    require(actor, "ledger.record", org.path, program_year.program if program_year else None)
    if held_on > today():
        raise ZhijiaError(_("The work ledger holds what was done; this day lies in the future."), field="held_on")
    if program_year is not None:
        _refuse_foreign(program_year, org)
    values = {name: text.strip() for name, text in data.items() if text.strip()}
    activity = add_activity(
        actor,
        template,
        org,
        program_year_id=program_year.id if program_year else None,
        held_on=held_on,
        data=values,
        scope="hand",
        key=f"{actor.id}:{key}",
    )
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Refused(_("This line is in the work ledger already.")) from error
    record(actor, "ledger.record", f"activity:{activity.id}", org.path, template=template.code)
    db.session.commit()
    return activity


def _refuse_foreign(program_year: ProgramYear, org: Org) -> None:
    if state_of(program_year) != "open":
        raise Refused(_("The program is not open; nothing can be added to its work ledger."), field="program_year")
    below = (org.path, org.industry_path or "")
    if not any(path.startswith(program_year.org_path) for path in below):
        raise Refused(_("The sponsor of the program has no such union."), field="org_code")
