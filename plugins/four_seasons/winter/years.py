"""What a campaign does when its year is switched on, copied, opened and closed: targets, and what must be finished."""

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from core.api import Blocker, Copied, Org, ProgramYear, db, subtree
from plugins.four_seasons.winter.models import Target


def begin(program_year: ProgramYear) -> None:
    """Give each paying union below the sponsor its line among the targets, empty until somebody sets it."""
    unions = select(literal(program_year.id), Org.id, Org.path).where(
        Org.level == program_year.settings["paying_level"], Org.active, subtree(Org.path, program_year.org_path)
    )
    columns = ["program_year_id", "org_id", "org_path"]
    db.session.execute(insert(Target).from_select(columns, unions).on_conflict_do_nothing())


def copy_targets(source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """Take the targets over that were set; a union that has gone since keeps none."""
    former, line = aliased(Target), Target
    taken = db.session.scalars(
        update(line)
        .where(
            line.program_year_id == target.id,
            former.program_year_id == source.id,
            former.org_id == line.org_id,
            or_(former.workers > 0, former.points > 0),
        )
        .values(workers=former.workers, points=former.points)
        .returning(line.id)
        .execution_options(synchronize_session=False)
    ).all()
    return [Copied(title=_l("Targets of unions"), rows=len(taken))]


def blockers(program_year: ProgramYear) -> list[Blocker]:
    """Campaign days outside the open period block the opening."""
    return [Blocker(step="open", sentence=sentence) for sentence in _days_outside(program_year)]


def _days_outside(program_year: ProgramYear) -> list[str]:
    starts_on, ends_on = (_day(program_year, name) for name in ("starts_on", "ends_on"))
    found = []
    if starts_on and starts_on < program_year.opens_on:
        day = program_year.opens_on.isoformat()
        found.append(_("The campaign begins before the year opens on %(day)s; move one of the two.", day=day))
    if ends_on and program_year.closes_on and ends_on > program_year.closes_on:
        day = program_year.closes_on.isoformat()
        found.append(_("The campaign ends after the year closes on %(day)s; move one of the two.", day=day))
    return found


def _day(program_year: ProgramYear, name: str) -> date | None:
    text = program_year.settings.get(name)
    return date.fromisoformat(text) if text else None
