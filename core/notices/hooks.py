"""What notices answer beside the plugins: when people become one, are looked up or erased, and when a year ends."""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select, update

from core.errors import Refused
from core.extensions import db
from core.notices.models import Notice, NoticeLine, Objection, state_of_notice
from core.notices.queries import objections_to, open_objections, running_in
from core.people.models import Person
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import registry_of
from core.plugin.types import Blocker, PersonalDataAction, PersonalRecord, Register
from core.programs.models import ProgramYear
from core.registers.queries import belongs
from core.users.access import today
from core.web.labels import label_of


@hookimpl(tryfirst=True)  # the typed front asks those last: the plugins have moved or removed their rows by then
def person_merged(kept: Person, dropped: Person) -> None:
    """The lines are about ``kept`` from now on; an entry that is gone must not take with it what holds it back."""
    db.session.flush()
    for notice, line in _lines_about(dropped):
        if line.held:
            _follow(notice, line, kept)
    db.session.execute(update(NoticeLine).where(NoticeLine.person_id == dropped.id).values(person_id=kept.id))


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """Where the person was shown, and what was objected. Erasing blanks both, and waits for the notice to end."""
    lines = _lines_about(person)
    if action == "show":
        return [_shown(notice, line) for notice, line in lines]
    for notice, line in lines:
        _refuse_erasing(person, notice, line)
    ids = [line.id for _notice, line in lines]
    if not ids:
        return []
    db.session.execute(update(NoticeLine).where(NoticeLine.id.in_(ids)).values(shown={}))
    about = Objection.notice_line_id.in_(ids)
    db.session.execute(update(Objection).where(about).values(text="", raised_by="", contact=None, reason=""))
    erased = _("%(count)s lines of notices were blanked.", count=len(ids))
    return [PersonalRecord(title=_("Public notices"), values={_("Erased"): erased})]


@hookimpl
def year_blockers(program_year: ProgramYear) -> list[Blocker]:
    """A year that is closed for good takes no objection any more, and no decision."""
    found = [
        _("The notice “%(title)s” runs until %(day)s; wait for its end or withdraw it.", title=notice.title,
          day=notice.ends_on.isoformat())
        for notice in running_in(program_year)
    ]  # fmt: skip
    undecided = {
        notice.id: notice.title for year, notice, _line, _one in open_objections() if year.id == program_year.id
    }
    found += [
        _("An objection to an entry of the notice “%(title)s” is not decided; decide on it first.", title=title)
        for title in undecided.values()
    ]
    return [Blocker(step="close", sentence=sentence) for sentence in found]


def _lines_about(person: Person) -> Sequence[tuple[Notice, NoticeLine]]:
    rows = db.session.execute(
        select(Notice, NoticeLine)
        .join(NoticeLine, NoticeLine.notice_id == Notice.id)
        .where(NoticeLine.person_id == person.id)
        .order_by(Notice.id.desc())
    )
    return [(notice, line) for notice, line in rows]


def _refuse_erasing(person: Person, notice: Notice, line: NoticeLine) -> None:
    if state_of_notice(notice, today()) == "running":
        raise Refused(
            _(
                "%(person)s stands in the notice “%(title)s”, which runs until %(day)s; wait for its end.",
                person=person.name,
                title=notice.title,
                day=notice.ends_on.isoformat(),
            )
        )
    if any(one.upheld is None for one in objections_to(line)):
        raise Refused(
            _(
                "An objection to %(person)s in the notice “%(title)s” is not decided; decide on it first.",
                person=person.name,
                title=notice.title,
            )
        )


def _follow(notice: Notice, line: NoticeLine, kept: Person) -> None:
    """Where the entry of a held line is gone, hold back the entry that took its place."""
    register = registry_of().registers.get(notice.register)
    if register is None or not register.of_people or db.session.get(register.model, line.row_id) is not None:
        return
    row_id = _row_of(register, notice, kept)
    if row_id is None:
        return
    beside = db.session.scalars(
        select(NoticeLine).where(NoticeLine.notice_id == notice.id, NoticeLine.row_id == row_id)
    ).one_or_none()
    if beside is None:
        line.row_id = row_id
    else:  # both stood in the notice
        db.session.execute(
            update(Objection).where(Objection.notice_line_id == line.id).values(notice_line_id=beside.id)
        )
        line.held, beside.held = False, True
    db.session.flush()


def _row_of(register: Register, notice: Notice, person: Person) -> int | None:
    program_year = db.session.get_one(ProgramYear, notice.program_year_id)
    model = register.model
    same = belongs(register, program_year)
    return db.session.scalars(select(model.id).where(model.person_id == person.id, *same).order_by(model.id)).first()


def _shown(notice: Notice, line: NoticeLine) -> PersonalRecord:
    values = {
        _("Notice"): notice.title,
        _("From"): notice.posted_on.isoformat(),
        _("Until"): notice.ends_on.isoformat(),
        _("State"): str(label_of("notice", state_of_notice(notice, today())).title),
    }
    values |= {column["title"]: line.shown[column["name"]] for column in notice.columns if column["name"] in line.shown}
    objections = [one.text for one in objections_to(line) if one.text]
    if objections:
        values[_("Objections")] = "; ".join(objections)
    return PersonalRecord(title=_("Public notice"), values=values)
