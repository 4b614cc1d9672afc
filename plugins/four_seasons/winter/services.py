"""Making a hardship list for a demonstration."""

from sqlalchemy import case, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from core.api import (
    Actor,
    Person,
    ProgramYear,
    db,
    record,
    subtree,
)
from plugins.four_seasons.winter.models import Hardship


def make_list(actor: Actor, program_year: ProgramYear) -> int:
    """Put everybody on file below the sponsor on the list, for a demonstration; returns how many were added.

    The mix depends on the person's id alone: of twenty, five deep, eleven relative and four by accident.
    """
    part = func.mod(Person.id, 20)
    category = case((part < 5, "deep"), (part < 16, "relative"), else_="accidental")
    cause = case((part < 5, "本人重病"), (part < 16, "子女上学"), else_="意外灾害")
    people = (
        select(literal(program_year.id), Person.id, Person.org_id, Person.org_path, category, cause)
        .where(subtree(Person.org_path, program_year.org_path), Person.active)
        .order_by(Person.org_path, Person.id)
    )
    columns = ["program_year_id", "person_id", "org_id", "org_path", "category", "cause"]
    result = db.session.connection().execute(
        insert(Hardship).from_select(columns, people).on_conflict_do_nothing(),
        execution_options={"preserve_rowcount": True},
    )
    if result.rowcount:
        db.session.execute(text(f"ANALYZE {Hardship.__tablename__}"))  # a run may come before autovacuum does
        record(actor, "hardship.make", f"program_year:{program_year.id}", program_year.org_path, added=result.rowcount)
    db.session.commit()
    return int(result.rowcount)
