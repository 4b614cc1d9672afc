"""Who has had no record for so long that erasing is due. Nobody is erased by a job: a person decides."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, select

from core.audit.services import SYSTEM, record
from core.disbursements.models import Payment, Run
from core.extensions import db
from core.jobs.context import JobContext
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.privacy.queries import rule_of
from core.programs.models import ProgramYear
from core.tasks.kinds import TaskKind
from core.tasks.services import open_tasks
from core.users.access import today

DATA = "people.data"
DUE = TaskKind(
    code="privacy.due", title=_l("%(count)s people on file are due for erasing"), endpoint="privacy.due_people"
)
PAGE = 200


def due(scope: Scope, limit: int = PAGE) -> Sequence[tuple[Person, str]]:
    """People due for erasing and their union, those on file longest first."""
    query = select(Person, Org.name).join(Org, Org.id == Person.org_id)
    rows = db.session.execute(query.where(_is_due(), scope.covers(Person.org_path)).order_by(Person.id).limit(limit))
    return [(person, org) for person, org in rows]


def look(_context: JobContext) -> None:
    """Let it wait for those who hold ``people.data`` at the union that is responsible."""
    opened = open_tasks(DUE, _by_union())
    if opened:
        record(SYSTEM, "privacy.due", "privacy", "/", unions=opened)
    db.session.commit()


def _by_union() -> Select[*tuple[object, ...]]:
    found = (
        select(Person.org_id, Person.org_path, func.count().label("people"))
        .where(_is_due())
        .group_by(Person.org_id, Person.org_path)
        .subquery()
    )
    return select(
        func.concat("org:", found.c.org_id).label("subject"),
        found.c.org_id,
        found.c.org_path,
        literal(DATA).label("permission"),
        func.jsonb_build_object("count", found.c.people).label("data"),
    )


def _is_due() -> ColumnElement[bool]:
    """On file, and no record, payment or file that young; the year of today counts as not over."""
    first = today().year - rule_of().quiet_years
    began = datetime(first, 1, 1, tzinfo=UTC)
    parts = [Person.erased_at.is_(None), Person.merged_into_id.is_(None), Person.created_at < began]
    paid = exists().where(
        Payment.payee_id == Person.id,
        Run.id == Payment.run_id,
        Run.payees == "people",
        ProgramYear.id == Payment.program_year_id,
        ProgramYear.year >= first,
    )
    parts.append(~paid)
    for register in registry_of().registers.values():
        if register.of_people:
            model = register.model
            recent = [model.person_id == Person.id]
            if hasattr(model, "program_year_id"):
                recent += [ProgramYear.id == model.program_year_id, ProgramYear.year >= first]
            parts.append(~exists().where(*recent))
    return and_(*parts)


JOBS = [
    JobSpec(
        name="privacy.due",
        title=_l("Look for people who are due for erasing"),
        func=look,
        queue="bulk",
        schedule="30 4 * * *",
        sees_all="it looks at everybody on file",
    )
]
