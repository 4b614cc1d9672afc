"""Copying a whole year: every program that was on, with its settings and quotas, never people.

The preview is the copy itself, rolled back: what it shows is what will happen.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _
from wtforms import DateField

from core.audit.services import Actor, record
from core.errors import Refused, ZhijiaError
from core.extensions import db, whole
from core.org.models import Org
from core.plugin.hooks import year_copied
from core.plugin.registry import registry_of
from core.plugin.types import Program
from core.programs.blockers import refuse_blocked
from core.programs.forms import summary
from core.programs.models import FIRST_YEAR, LAST_YEAR, ProgramYear
from core.programs.queries import find, managed_of_year, sponsor_code, title_of
from core.programs.services import dates_of, loaded_program, subject, switch_on


@dataclass(frozen=True, kw_only=True)
class Change:
    """A setting that will not be what it was: its label, the old and the new value as people read them."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """What becomes of one program year of the source: ``refusal`` says why it is not copied, if it is not."""

    program_year_id: int
    title: str
    sponsor: str
    opens_on: date
    closes_on: date | None
    changes: list[Change]
    copied: list[str]
    refusal: str | None


def preview(actor: Actor, source: int, target: int) -> list[Line]:
    """What :func:`copy_year` would do with every program that is on in ``source``; nothing is changed.

    Raises :class:`ZhijiaError` for years that cannot be meant.
    """
    _check_years(source, target)
    rows = managed_of_year(actor, source)
    try:
        return [_line(actor, program_year, sponsor, target) for program_year, sponsor in _in_order(rows)]
    finally:
        db.session.rollback()


def copy_year(actor: Actor, source: int, target: int, chosen: Collection[int]) -> list[Line]:
    """Copy the chosen program years (ids) of ``source`` into ``target``; all of them or none.

    Raises :class:`Refused` with the sentence of the first that cannot be copied, :class:`ZhijiaError` for wrong years.
    """
    _check_years(source, target)
    rows = [row for row in managed_of_year(actor, source) if row[0].id in chosen]
    if not rows or len(rows) != len(set(chosen)):
        raise Refused(_("Choose what to copy from the list; it may have changed meanwhile."))
    with whole():
        lines = [_line(actor, program_year, sponsor, target) for program_year, sponsor in _in_order(rows)]
        for line in lines:
            if line.refusal:
                named = _("%(program)s, %(sponsor)s", program=line.title, sponsor=line.sponsor)
                raise Refused(_("Nothing was copied. %(what)s: %(why)s", what=named, why=line.refusal))
        db.session.commit()
    return lines


def _line(actor: Actor, source: ProgramYear, sponsor: Org, year: int) -> Line:
    """Copy one inside a savepoint; a refusal takes only this one back."""
    years = year - source.year
    opens_on = shifted(source.opens_on, years)
    closes_on = shifted(source.closes_on, years) if source.closes_on else None
    changes: list[Change] = []
    copied: list[str] = []
    refusal = None
    try:
        with db.session.begin_nested():
            program = loaded_program(source.program)
            _refuse_existing(source, year)
            settings = settings_for(program, source.settings, years)
            target = switch_on(
                actor, source.program, year, sponsor, opens_on=opens_on, closes_on=closes_on, settings=settings
            )
            taken = year_copied(source, target)
            refuse_blocked(target, "open")
            copied = [_("%(what)s: %(count)s", what=item.title, count=item.rows) for item in taken]
            changes = _changes(program, source.settings, target.settings)
            details = {**dates_of(target), "source": source.id, "copied": copied}
            record(actor, "program_year.copy", subject(target), sponsor.path, **details)
    except ZhijiaError as error:
        refusal = str(error)
    return Line(
        program_year_id=source.id,
        title=title_of(source, str(get_locale())),
        sponsor=sponsor.name,
        opens_on=opens_on,
        closes_on=closes_on,
        changes=changes,
        copied=copied,
        refusal=refusal,
    )


def shifted(day: date, years: int) -> date:
    """The same day some years later; 29 February becomes the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return (day - timedelta(days=1)).replace(year=day.year + years)


def settings_for(program: Program, settings: Mapping[str, Any], years: int) -> dict[str, Any]:
    """The settings some years later: days move with the year, what the form no longer knows is left out."""
    if program.settings_form is None:
        return {}
    form = program.settings_form()
    moved = dict[str, Any]()
    for name, value in settings.items():
        if name in form:
            is_day = isinstance(form[name], DateField) and value
            moved[name] = shifted(date.fromisoformat(value), years).isoformat() if is_day else value
    return moved


def _changes(program: Program, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    pairs = zip(summary(program.settings_form, before), summary(program.settings_form, after), strict=True)
    changes = [Change(label=label, before=old, after=new) for (label, old), (_label, new) in pairs if old != new]
    gone = [name for name in before if name not in after]
    return changes + [Change(label=name, before=str(before[name]), after="—") for name in gone]


def _refuse_existing(source: ProgramYear, year: int) -> None:
    existing = find(year, sponsor_code(source), source.program)
    if existing is not None:
        raise Refused(_("It is there for %(year)s already.", year=year))


def _in_order(rows: list[tuple[ProgramYear, Org]]) -> list[tuple[ProgramYear, Org]]:
    """Programs before those that build on them (the registry holds them in that order), sponsors from the top down."""
    places = {code: place for place, code in enumerate(registry_of().programs)}
    return sorted(rows, key=lambda row: (places.get(row[0].program, len(places)), row[1].path))


def _check_years(source: int, target: int) -> None:
    if source == target:
        raise ZhijiaError(_("Choose another year to copy into."), field="target")
    for field, year in (("source", source), ("target", target)):
        if not FIRST_YEAR <= year <= LAST_YEAR:
            wrong = _("The year must lie between %(first)s and %(last)s.", first=FIRST_YEAR, last=LAST_YEAR)
            raise ZhijiaError(wrong, field=field)
