"""What spring does when its year is switched on or copied, and its figures."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from core.api import Card, Copied, Org, ProgramYear, User, db, scope_of, subtree
from plugins.four_seasons.spring import reports
from plugins.four_seasons.spring.models import SpringTarget
from plugins.four_seasons.words import VIEW


def begin(program_year: ProgramYear) -> None:
    """Give each city union below the sponsor its line among the targets, empty until somebody sets it."""
    unions = select(literal(program_year.id), Org.id, Org.path).where(
        Org.level == "city", Org.active, subtree(Org.path, program_year.org_path)
    )
    columns = ["program_year_id", "org_id", "org_path"]
    db.session.execute(insert(SpringTarget).from_select(columns, unions).on_conflict_do_nothing())


def copy_targets(source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """Take the targets over that were set; a union that has gone since keeps none."""
    former, line = aliased(SpringTarget), SpringTarget
    taken = db.session.scalars(
        update(line)
        .where(
            line.program_year_id == target.id,
            former.program_year_id == source.id,
            former.org_id == line.org_id,
            former.employers + former.placed > 0,
        )
        .values(employers=former.employers, placed=former.placed)
        .returning(line.id)
        .execution_options(synchronize_session=False)
    ).all()
    return [Copied(title=_l("Targets of unions"), rows=len(taken))]


def cards_of(user: User, program_year: ProgramYear) -> list[Card]:
    """Employers and workers placed, of the unions that the user may see, beside what the year is to reach."""
    scope = scope_of(user, VIEW, program_year.program)
    found = []
    for title, rows, unit, name in (
        (_l("Employers"), reports.employers(program_year), _l("employers"), "employers"),
        (_l("Workers placed"), reports.placed(program_year), _l("people"), "placed"),
    ):
        count = db.session.scalar(select(func.count()).select_from(rows).where(scope.covers(rows.c.org_path)))
        wanted = program_year.settings.get(name) or 0
        value = f"{count:,} / {wanted:,}" if wanted and scope.includes(program_year.org_path) else f"{count:,}"
        found.append(Card(title=title, value=value, unit=unit, weight=10))
    return found
