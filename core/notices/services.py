"""Public notices: posting, withdrawing, objections and the decisions on them; and the days of the calendar.

Every function takes the acting user, refuses with a sentence, writes its audit line and commits once. Days are local
(Asia/Shanghai). What an objection says is no matter for the audit trail, which names the line alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, exists, func, insert, literal, null, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from core.audit.services import Actor, record
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db, whole
from core.notices import queries
from core.notices.calendar import add_working_days
from core.notices.models import CalendarDay, Notice, NoticeLine, Objection, state_of_notice
from core.notices.snapshot import columns_to_show, headings, shown_values
from core.org.models import Org
from core.people.numbers import parse_phone
from core.people.secrets import decrypt, encrypt
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.registers.queries import is_of_sponsor
from core.users.access import require, today
from core.users.models import User
from core.wall import beyond_scope


def set_day(actor: Actor, org: Org, day: date, *, working: bool, reason: str) -> None:
    """Say whether ``day`` is worked, against the published calendar or before there is one; ``org`` decided it.

    Notices that run keep the end that was announced. Raises :class:`ZhijiaError` where the reason is missing.
    """
    if not reason.strip():
        raise ZhijiaError(_("Please give the reason, such as the number of the document that says so."), field="reason")
    values = {"working": working, "reason": reason.strip()}
    statement = upsert(CalendarDay).values(day=day, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=["day"], set_=values))
    record(actor, "calendar.set", f"day:{day.isoformat()}", org.path, **values)
    db.session.commit()


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A notice to be posted: ``columns`` are names of the register's, ``expected`` the number of rows last seen."""

    org: Org
    title: str
    text: str
    contact: str
    working_days: int
    columns: Sequence[str]
    expected: int


def post(actor: User, register: Register, program_year: ProgramYear, rows: Select[int], draft: Draft) -> Notice:
    """Show the chosen rows (ids) for some working days from today, which does not count; their texts are frozen.

    Raises :class:`Forbidden`; :class:`NotFound` for a union that is not the sponsor's; :class:`Refused` when the year
    is not open, or a row is not the issuing union's, or stands under a notice that runs, or the rows are not as many as
    the actor saw. One statement whatever the number of rows.
    """
    require(actor, "notice.post", draft.org.path, program_year.program)
    if state_of(program_year) != "open":
        raise Refused(_("The program is not open; nothing can be posted."))
    if not is_of_sponsor(program_year, draft.org.path):
        raise NotFound(_("The sponsor of the program has no such union."), field="org_code")
    for field in ("title", "contact"):
        if not getattr(draft, field).strip():
            raise ZhijiaError(_("This must not be empty."), field=field)
    with whole():
        # One at a time for a register: else two notices could take the same row, and neither would see the other.
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"notice:{register.code}", 0))))
        _refuse_rows(register, rows, draft)
        notice = _made(actor, register, program_year, draft)
        if _write_lines(register, notice, rows, draft.columns) != draft.expected:
            raise Refused(_other_number())
        record(actor, "notice.post", f"notice:{notice.id}", notice.org_path, lines=notice.lines,
               until=notice.ends_on.isoformat())  # fmt: skip
        db.session.commit()
    return notice


def withdraw(actor: User, notice: Notice, reason: str) -> None:
    """Take back a notice that runs; its rows can be shown anew, and objections to it stay.

    Raises :class:`Forbidden`, :class:`Refused` when it does not run, :class:`ZhijiaError` without a reason.
    """
    require(actor, "notice.post", notice.org_path, _program(notice))
    if not reason.strip():
        raise ZhijiaError(_("Say why the notice is withdrawn."), field="reason")
    with whole():
        db.session.refresh(notice, with_for_update=True)
        _refuse_unless_running(notice)
        notice.withdrawn_on, notice.withdrawn_by, notice.withdrawal_reason = today(), actor.id, reason.strip()
        record(actor, "notice.withdraw", f"notice:{notice.id}", notice.org_path, reason=reason.strip())
        db.session.commit()


def object_to(
    actor: User, notice: Notice, line: NoticeLine, *, text: str, raised_by: str, contact: str, received_on: date
) -> Objection:
    """Record what somebody has against a line; the entry is held back from now on.

    Raises :class:`Forbidden`; :class:`Refused`, with the day, when the notice has ended or was withdrawn;
    :class:`ZhijiaError` at the field for an empty text, a day outside the notice, a contact that is no phone number.
    """
    require(actor, "notice.object", line.org_path, _program(notice))
    if not text.strip():
        raise ZhijiaError(_("Say what the objection is."), field="text")
    if not notice.posted_on <= received_on <= today():
        sentence = _("The day lies before the notice was posted, or in the future.")
        raise ZhijiaError(sentence, field="received_on")
    number = parse_contact(contact)
    with whole():
        with beyond_scope("notices.object_to"):  # a notice of a union above is seen here, but a lock takes more
            db.session.refresh(notice, with_for_update={"read": True})
        _refuse_unless_running(notice)
        db.session.refresh(line, with_for_update=True)
        objection = Objection(
            notice_line_id=line.id,
            text=text.strip(),
            raised_by=raised_by.strip(),
            contact=encrypt("contact", number) if number else None,
            received_on=received_on,
            recorded_by=actor.id,
        )
        db.session.add(objection)
        line.held = True
        db.session.flush()
        record(actor, "notice.object", f"notice:{notice.id}", line.org_path, line=line.id, objection=objection.id)
        db.session.commit()
    return objection


def parse_contact(text: str) -> str:
    """The phone number in what somebody typed, or nothing. Raises :class:`ZhijiaError` at the field."""
    try:
        return parse_phone(text) if text.strip() else ""
    except ZhijiaError as error:
        raise ZhijiaError(error.message, field="contact") from error


def decide(actor: User, notice: Notice, line: NoticeLine, objection: Objection, *, upheld: bool, reason: str) -> None:
    """Uphold the objection, which holds the entry back for good, or not, which lets it go unless others hold it.

    Never by who recorded it or posted the notice, and once. Raises :class:`Forbidden`, :class:`Refused`, and
    :class:`ZhijiaError` without a reason.
    """
    require(actor, "notice.decide", line.org_path, _program(notice))
    if not reason.strip():
        raise ZhijiaError(_("Give the reason of the decision."), field="reason")
    if actor.id in (objection.recorded_by, notice.created_by):
        raise Refused(_("Nobody decides on their own work: you recorded this objection or posted the notice."))
    with whole():
        db.session.refresh(line, with_for_update=True)
        db.session.refresh(objection, with_for_update=True)
        if objection.upheld is not None:
            raise Refused(_("Somebody else has decided on this objection meanwhile."))
        objection.upheld, objection.reason = upheld, reason.strip()
        objection.decided_on, objection.decided_by = today(), actor.id
        db.session.flush()
        line.held = db.session.scalar(select(_holding(line))) or False
        record(actor, "notice.decide", f"notice:{notice.id}", line.org_path, line=line.id, objection=objection.id,
               upheld=upheld)  # fmt: skip
        db.session.commit()


def show_contact(actor: User, notice: Notice, line: NoticeLine, objection: Objection) -> str:
    """The phone number of whoever objects, in full; that the actor looked goes on record."""
    require(actor, "notice.decide", line.org_path, _program(notice))
    if objection.contact is None:
        raise NotFound(_("There is nothing here, or nothing that you may see."))
    number = decrypt("contact", objection.contact)
    record(actor, "notice.contact_shown", f"notice:{notice.id}", line.org_path, objection=objection.id,
           purpose="contact")  # fmt: skip
    db.session.commit()
    return number


def _refuse_rows(register: Register, rows: Select[int], draft: Draft) -> None:
    count = queries.count_of(rows)
    if count == 0:
        raise Refused(_("Choose some rows of the list first."))
    if count != draft.expected:
        raise Refused(_other_number())
    model = register.model
    outside = queries.count_of(rows.where(~queries.reach_of(draft.org).covers(model.org_path)))
    if outside:
        sentence = _(
            "%(count)s of the entries do not belong to %(org)s, which is to issue the notice.",
            count=outside,
            org=draft.org.name,
        )
        raise Refused(sentence, field="org_code")
    running = queries.running_with(register, rows)
    if running:
        notice, taken = running
        raise Refused(
            _(
                "%(count)s of the entries stand under the notice “%(title)s” already, which runs until %(day)s.",
                count=taken,
                title=notice.title,
                day=notice.ends_on.isoformat(),
            )
        )


def _made(actor: User, register: Register, program_year: ProgramYear, draft: Draft) -> Notice:
    posted_on = today()
    columns = [column for column in columns_to_show(register) if column.name in draft.columns]
    notice = Notice(
        register=register.code,
        program_year_id=program_year.id,
        org_id=draft.org.id,
        org_path=draft.org.path,
        title=draft.title.strip(),
        text=draft.text.strip(),
        contact=draft.contact.strip(),
        columns=headings(register, columns),
        lines=draft.expected,
        working_days=draft.working_days,
        posted_on=posted_on,
        ends_on=add_working_days(posted_on, draft.working_days),
        created_by=actor.id,
    )
    db.session.add(notice)
    db.session.flush()
    return notice


def _write_lines(register: Register, notice: Notice, rows: Select[int], names: Sequence[str]) -> int:
    """Freeze what the notice shows; how many lines that were."""
    model = register.model
    columns = [column for column in columns_to_show(register) if column.name in names]
    lines = (
        queries.shown_lines(register, rows)
        .with_only_columns(
            literal(notice.id),
            model.id,
            model.person_id if register.of_people else null(),
            model.org_id,
            model.org_path,
            shown_values(register, columns),
        )
        .order_by(model.org_path, model.id)
    )
    into = ["notice_id", "row_id", "person_id", "org_id", "org_path", "shown"]
    statement = insert(NoticeLine).from_select(into, lines).execution_options(preserve_rowcount=True)
    return int(db.session.connection().execute(statement).rowcount)


def _holding(line: NoticeLine) -> ColumnElement[bool]:
    return exists().where(
        Objection.notice_line_id == line.id, or_(Objection.upheld.is_(None), Objection.upheld.is_(True))
    )


def _refuse_unless_running(notice: Notice) -> None:
    match state_of_notice(notice, today()):
        case "ended":
            raise Refused(_("The notice ended on %(day)s.", day=notice.ends_on.isoformat()))
        case "withdrawn" if notice.withdrawn_on:
            raise Refused(_("The notice was withdrawn on %(day)s.", day=notice.withdrawn_on.isoformat()))


def _other_number() -> str:
    return str(_("The rows are not the same any more as when you looked; look at them again, then post."))


def _program(notice: Notice) -> str:
    return db.session.get_one(ProgramYear, notice.program_year_id).program
