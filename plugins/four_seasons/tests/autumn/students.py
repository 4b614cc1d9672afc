"""Students, parents and hardship files for the tests of study aid."""

from datetime import date
from io import BytesIO
from typing import Any, ClassVar

from sqlalchemy import Select, func, literal, select, update

from core.api import (
    SYSTEM,
    Offer,
    Person,
    Program,
    ProgramYear,
    Register,
    User,
    by_code,
    db,
    decrypt,
    hookimpl,
)
from core.files.records import record_of
from core.files.services import attach
from core.flows import services as flows
from core.flows.queries import the_move
from core.notices import services as notices
from core.notices.models import Notice
from core.programs.services import enable
from core.registers.services import add
from plugins.four_seasons import plugin as four_seasons
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.registers import AUTUMN_APPLICATIONS

PAGES = "/2014/61/autumn_study_aid"
APPLIED = date(2014, 8, 20)
AMOUNTS = {
    "senior_on_file": 3_000_00,
    "junior_on_file": 4_000_00,
    "bachelor_on_file": 5_000_00,
    "senior_difficult": 2_000_00,
    "junior_difficult": 3_000_00,
    "bachelor_difficult": 4_000_00,
}
SETTINGS: dict[str, Any] = AMOUNTS | {
    "notice_working_days": 0,
    "applications_until": "2014-08-27",
    "starts_on": "2014-08-01",
    "ends_on": "2014-09-30",
}
#: What a browser sends besides whose application it is.
SENT = {
    "parent": "",
    "basis": "difficult",
    "level": "bachelor",
    "school": "西秦大学",
    "admitted_on": "2014-08-10",
    "graduates_on": "2018-07-01",
    "other_aid": "none",
    "applied_on": "2014-08-20",
}
VALUES: dict[str, Any] = SENT | {
    "admitted_on": date(2014, 8, 10),
    "graduates_on": date(2018, 7, 1),
    "applied_on": APPLIED,
}


class Files:
    """A program of workers in hardship, as another plugin would bring it: ``on_file`` are the ids of who is on file."""

    on_file: ClassVar[set[int]] = set()

    @hookimpl
    def programs(self) -> list[Program]:
        return [Program(code="dossiers", title="Files", title_zh="档案", title_en="Files")]

    @hookimpl
    def offers(self) -> list[Offer]:
        return [Offer(code="dossiers.on_file", program="dossiers", kind="hardship", select=self.select)]

    @classmethod
    def select(cls, _program_year: ProgramYear) -> Select[*tuple[Any, ...]]:
        words = literal("deep").label("category"), literal("").label("cause")
        return select(Person.id.label("person_id"), Person.org_id, Person.org_path, *words).where(
            Person.id.in_(cls.on_file)
        )


def plugins_with_files() -> dict[str, object]:
    """The campaigns, and the program of workers in hardship, with nobody on file."""
    Files.on_file = set()
    return {"four_seasons": four_seasons, "dossiers": Files()}


def switch_on(program: str, year: int = 2014, **settings: Any) -> ProgramYear:
    """A program of study aid of the province."""
    province = by_code("61")
    assert province is not None
    return enable(SYSTEM, program, year, province, opens_on=date(year, 1, 1), settings=settings)


def whose(person: Person) -> dict[str, str]:
    """What a form asks for about whose application it is."""
    org = db.session.execute(select(func.max(Person.org_path)).where(Person.id == person.id)).scalar_one()
    code = org.strip("/").rpartition("/")[2]
    return {"id_number": number_of(person), "name": person.name, "org_code": code}


def number_of(person: Person) -> str:
    """The identity number in full."""
    return decrypt("id_number", person.id_number)


def applied(
    clerk: User, year: ProgramYear, student: Person, register: Register = AUTUMN_APPLICATIONS, **values: Any
) -> Application:
    """An application that the clerk enters; ``parent`` may be a person."""
    given = {name: value for name, value in (VALUES | values).items() if hasattr(register.form, name)}
    form = register.form(data={})
    parent = given.get("parent")
    if isinstance(parent, Person):
        form["parent"].process_formdata([number_of(parent)])
        given["parent"] = form["parent"].data
    row = add(clerk, register, year, whose(student) | given)
    assert isinstance(row, Application)
    return row


def letter(clerk: User, year: ProgramYear, row: Application, register: Register = AUTUMN_APPLICATIONS) -> None:
    """Attach the admission letter."""
    attach(clerk, record_of(register, year, row), "录取通知书.pdf", BytesIO(b"%PDF-1.4\nfictional\n%%EOF\n"))


def take(
    user: User,
    year: ProgramYear,
    row: Application,
    code: str,
    comment: str | None = None,
    register: Register = AUTUMN_APPLICATIONS,
) -> str:
    """Take a step; the state that the application is in afterwards."""
    assert register.flow is not None
    step = register.flow.transition(code)
    assert step is not None
    said = ("because" if step.comment else "") if comment is None else comment
    flows.move(the_move(user, register, year, step, comment=said), row.id)
    db.session.refresh(row)
    return row.state


def stop(row: Application, state: str) -> None:
    """Put an application into a state, as if it had gone there."""
    level = "county" if state == "county_review" else None
    db.session.execute(
        update(Application)
        .where(Application.id == row.id)
        .values(state=state, at_level=level, state_since=func.clock_timestamp())
    )
    db.session.commit()
    db.session.refresh(row)


def post_notice(clerk: User, year: ProgramYear, row: Application, posted: date, ends: date) -> Notice:
    """Put the application under a notice that runs between these days."""
    org = by_code("610102")
    assert org is not None
    draft = notices.Draft(
        org=org, title="公示", text="公示", contact="87654321", working_days=5, columns=("level",), expected=1
    )
    rows = select(Application.id).where(Application.id == row.id)
    notice = notices.post(clerk, AUTUMN_APPLICATIONS, year, rows, draft)
    db.session.execute(update(Notice).where(Notice.id == notice.id).values(posted_on=posted, ends_on=ends))
    db.session.commit()
    return notice
