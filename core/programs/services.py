"""Switching programs on year by year. Each call checks the actor, commits once and leaves an audit line."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.audit.services import Actor, record
from core.errors import Refused, ZhijiaError
from core.extensions import db, whole
from core.org.models import Org
from core.plugin.hooks import year_enabled
from core.plugin.registry import reason_of, registry_of
from core.plugin.types import Program
from core.programs.blockers import refuse_blocked, refuse_needed, refuse_unready
from core.programs.forms import checked_settings
from core.programs.models import FIRST_YEAR, LAST_YEAR, ProgramYear, SettingsVersion
from core.users.access import require


def enable(
    actor: Actor,
    program: str,
    year: int,
    sponsor: Org,
    *,
    opens_on: date,
    closes_on: date | None = None,
    settings: Mapping[str, Any],
) -> ProgramYear:
    """Switch ``program`` on for ``year`` with ``sponsor``; ``settings`` are JSON values that its form checks.

    A year that was switched off comes back with these dates and settings. Raises :class:`ZhijiaError`.
    """
    with whole():
        program_year = switch_on(
            actor, program, year, sponsor, opens_on=opens_on, closes_on=closes_on, settings=settings
        )
        refuse_blocked(program_year, "open")
        details = {**dates_of(program_year), "settings": program_year.settings}
        record(actor, "program_year.enable", subject(program_year), sponsor.path, **details)
        db.session.commit()
    return program_year


def switch_on(
    actor: Actor,
    program: str,
    year: int,
    sponsor: Org,
    *,
    opens_on: date,
    closes_on: date | None,
    settings: Mapping[str, Any],
) -> ProgramYear:
    """What :func:`enable` does in the caller's transaction, before anybody is asked what blocks the year."""
    require(actor, "program.manage", sponsor.path, program)
    loaded = loaded_program(program)
    if not sponsor.active:
        raise Refused(_("%(sponsor)s is no longer active.", sponsor=sponsor.name), field="sponsor")
    _check_dates(year, opens_on, closes_on)
    checked = _checked(loaded, settings)
    program_year = _existing(program, year, sponsor)
    if program_year is None:
        program_year = _new(loaded, year, sponsor, opens_on, closes_on)
    elif program_year.enabled:
        raise _already(year)
    else:
        _refuse_closed(program_year)
        program_year.enabled, program_year.opens_on, program_year.closes_on = True, opens_on, closes_on
        program_year.settings_version += 1
    _keep(actor, program_year, checked)
    db.session.flush()
    refuse_unready(program_year, loaded)
    year_enabled(program_year)
    return program_year


def change_settings(
    actor: Actor, program_year: ProgramYear, settings: Mapping[str, Any], *, version: int
) -> ProgramYear:
    """Keep a new version of the settings; ``version`` is the one that the actor looked at.

    Nothing changed keeps the version. Raises :class:`Refused` when somebody else was faster, or the year is closed.
    """
    _begin(actor, program_year)
    checked = _checked(loaded_program(program_year.program), settings)
    if program_year.settings_version != version:
        raise Refused(_("Somebody else changed these settings meanwhile; look at them again before you change them."))
    before = program_year.settings
    if checked != before:
        program_year.settings_version += 1
        _keep(actor, program_year, checked)
        changed = {name: value for name, value in checked.items() if before.get(name) != value}
        former = {name: before.get(name) for name in changed}
        record(actor, "program_year.settings", subject(program_year), program_year.org_path,
               changed=changed, before=former)  # fmt: skip
    db.session.commit()
    return program_year


def change_dates(actor: Actor, program_year: ProgramYear, *, opens_on: date, closes_on: date | None) -> ProgramYear:
    """Move the first and the last day. Raises :class:`ZhijiaError`, also for what blocks its opening."""
    with whole():
        _begin(actor, program_year)
        _check_dates(program_year.year, opens_on, closes_on)
        before = dates_of(program_year)
        program_year.opens_on, program_year.closes_on = opens_on, closes_on
        db.session.flush()
        refuse_blocked(program_year, "open")
        record(actor, "program_year.dates", subject(program_year), program_year.org_path,
               **dates_of(program_year), before=before)  # fmt: skip
        db.session.commit()
    return program_year


def disable(actor: Actor, program_year: ProgramYear) -> None:
    """Switch a program year off: its pages, menu, jobs and hooks. Nothing is deleted.

    Raises :class:`Refused` while another program that is on builds on it.
    """
    with whole():
        _lock(actor, program_year)
        if not program_year.enabled:
            raise Refused(_("This program year is off already."))
        refuse_needed(program_year)
        program_year.enabled = False
        record(actor, "program_year.disable", subject(program_year), program_year.org_path)
        db.session.commit()


def close(actor: Actor, program_year: ProgramYear) -> None:
    """Close a program year for good: it stays readable, and nothing in it can be changed any more.

    Raises :class:`Refused` with everything that has to be finished first.
    """
    with whole():
        _begin(actor, program_year)
        refuse_blocked(program_year, "close")
        program_year.closed_at = datetime.now(UTC)
        record(actor, "program_year.close", subject(program_year), program_year.org_path)
        db.session.commit()


def loaded_program(code: str) -> Program:
    """The program with this code. Raises :class:`Refused` with the reason when its plugin is not loaded."""
    registry = registry_of()
    program = registry.programs.get(code)
    if program is not None:
        return program
    if code in registry.failed:
        why = _(
            "The plugin “%(code)s” is in quarantine: %(reason)s", code=code, reason=reason_of(registry.failed[code])
        )
        raise Refused(why, field="program")
    raise Refused(_("No plugin that is loaded has a program “%(code)s”.", code=code), field="program")


def subject(program_year: ProgramYear) -> str:
    """What the audit trail calls it."""
    return f"program_year:{program_year.id}"


def _new(program: Program, year: int, sponsor: Org, opens_on: date, closes_on: date | None) -> ProgramYear:
    program_year = ProgramYear(
        program=program.code,
        title={"zh": program.title_zh, "en": program.title_en},
        year=year,
        org_id=sponsor.id,
        org_path=sponsor.path,
        enabled=True,
        opens_on=opens_on,
        closes_on=closes_on,
        settings_version=1,
    )
    db.session.add(program_year)
    try:
        db.session.flush()
    except IntegrityError as error:  # two people at once: the unique constraint lets one through
        db.session.rollback()
        raise _already(year) from error
    return program_year


def _existing(program: str, year: int, sponsor: Org) -> ProgramYear | None:
    return db.session.scalar(
        select(ProgramYear)
        .where(ProgramYear.program == program, ProgramYear.year == year, ProgramYear.org_id == sponsor.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _already(year: int) -> Refused:
    return Refused(_("This sponsor has switched the program on for %(year)s already.", year=year))


def _checked(program: Program, settings: Mapping[str, Any]) -> dict[str, Any]:
    if program.settings_form is None:
        if settings:
            raise ZhijiaError(_("The program “%(code)s” has no settings.", code=program.code))
        return {}
    return checked_settings(program.settings_form, settings)


def _keep(actor: Actor, program_year: ProgramYear, settings: dict[str, Any]) -> None:
    program_year.settings = settings
    db.session.add(
        SettingsVersion(
            program_year_id=program_year.id,
            version=program_year.settings_version,
            settings=settings,
            user_id=actor.id,
        )
    )


def _lock(actor: Actor, program_year: ProgramYear) -> None:
    require(actor, "program.manage", program_year.org_path, program_year.program)
    db.session.refresh(program_year, with_for_update=True)


def _begin(actor: Actor, program_year: ProgramYear) -> None:
    """Lock the row for a change, and refuse one that is off or closed for good."""
    _lock(actor, program_year)
    if not program_year.enabled:
        raise Refused(_("This program year is off."))
    _refuse_closed(program_year)


def _refuse_closed(program_year: ProgramYear) -> None:
    if program_year.closed_at is not None:
        raise Refused(_("This program year is closed for good."))


def _check_dates(year: int, opens_on: date, closes_on: date | None) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        wrong = _("The year must lie between %(first)s and %(last)s.", first=FIRST_YEAR, last=LAST_YEAR)
        raise ZhijiaError(wrong, field="year")
    if closes_on is not None and closes_on < opens_on:
        raise ZhijiaError(_("It cannot close before it opens."), field="closes_on")


def dates_of(program_year: ProgramYear) -> dict[str, str | None]:
    """The two days as ISO text, for the audit trail."""
    closes_on = program_year.closes_on
    return {"opens_on": program_year.opens_on.isoformat(), "closes_on": closes_on.isoformat() if closes_on else None}
