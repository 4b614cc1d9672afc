"""Renewal until graduation: who got study aid last year and has not graduated applies anew, without anybody's doing."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from core.api import Actor, Copied, Person, ProgramYear, db, record, today
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.rules import is_elsewhere
from plugins.four_seasons.autumn.schemes import first_day
from plugins.four_seasons.payments import is_paid, is_posted

#: Where a renewed application stands: a reviewer only confirms it.
CONFIRMED_FROM = "approval"
_TAKEN = ("person_id", "org_id", "org_path", "parent", "parent_id", "basis", "level", "school", "admitted_on",
          "graduates_on", "other_aid")  # fmt: skip


def begin(program_year: ProgramYear) -> int:
    """Take over whom posted runs of the year before paid, if they have not graduated; returns how many are new.

    In the caller's transaction, in one statement; whoever applies in this year already, here or in another program, is
    left alone, so it may be done again. The student's union is the one of today.
    """
    former, person = aliased(Application), aliased(Person)
    taken = [getattr(person if name in ("org_id", "org_path") else former, name) for name in _TAKEN]
    until = program_year.settings.get("applications_until")
    applied_on = min(today().isoformat(), until) if until else today().isoformat()
    awarded = (
        select(
            literal(program_year.id),
            *taken,
            literal(applied_on).cast(Application.applied_on.type),
            literal(CONFIRMED_FROM),
            literal(True),
        )
        .join(ProgramYear, ProgramYear.id == former.program_year_id)
        .join(person, person.id == former.person_id)
        .where(
            ProgramYear.program == program_year.program,
            ProgramYear.org_id == program_year.org_id,
            ProgramYear.year == program_year.year - 1,
            former.graduates_on > literal(first_day(program_year.settings, program_year.year)),
            is_paid(former, is_posted()),
            person.active,
            ~is_elsewhere(former.person_id, program_year),
        )
        .order_by(former.org_path, former.id)
    )
    columns = ["program_year_id", *_TAKEN, "applied_on", "state", "renewed"]
    result = db.session.connection().execute(
        insert(Application).from_select(columns, awarded).on_conflict_do_nothing(),
        execution_options={"preserve_rowcount": True},
    )
    return int(result.rowcount)


def renew(actor: Actor, program_year: ProgramYear) -> int:
    """The same by a command, for whoever was paid after the new year had been switched on; returns how many are new."""
    count = begin(program_year)
    if count:
        record(actor, "study_aid.renew", f"program_year:{program_year.id}", program_year.org_path, added=count)
    db.session.commit()
    return count


def renewed(_source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """How many applications the new year began with (:func:`begin`)."""
    count = db.session.scalar(select(func.count()).where(Application.program_year_id == target.id, Application.renewed))
    return [Copied(title=_l("Study aid renewed until graduation"), rows=count or 0)]
