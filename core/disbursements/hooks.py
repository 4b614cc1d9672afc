"""What the runs answer beside the plugins: when people become one, are looked up or erased, and when a year ends."""

from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, exists, or_, select

from core.disbursements.compute import hold_people
from core.disbursements.models import Candidate, Exclusion, Payment, Run
from core.disbursements.titles import reason_title
from core.errors import Refused
from core.extensions import db
from core.money import yuan
from core.people.models import Person
from core.people.numbers import mask_account
from core.plugin.hookspecs import hookimpl
from core.plugin.types import Blocker, PersonalDataAction, PersonalRecord
from core.programs.models import ProgramYear
from core.programs.queries import title_of
from core.web.labels import label_of

#: Runs that pay nobody (any more) and hold no money.
GIVEN_UP = ("cancelled", "failed")
#: Runs that nobody has to do anything for before a year is closed or a person is erased.
#: What the bank returns after that waits until the year is opened again.
SENT = ("sent", "settled", *GIVEN_UP)
#: Runs whose payees are frozen and in the books.
BOOKED = ("posted", "sent", "settled")


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    """Refuse while a run that is not posted names either: it may pay both. What is posted is never rewritten."""
    hold_people(alone=True)
    for person in (dropped, kept):
        run = _run_with(person, Run.state.not_in((*BOOKED, *GIVEN_UP)))
        if run is not None:
            raise Refused(
                _(
                    "%(person)s stands in the run “%(run)s”, which is not posted yet; finish or cancel it first.",
                    person=person.name,
                    run=run.title,
                )
            )


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """Each line of a run that names the person. Erasing leaves them, as the books must be kept."""
    if action == "show":
        return [_payment_record(*row) for row in _lines(Payment, person)] + [
            _exclusion_record(*row) for row in _lines(Exclusion, person)
        ]
    hold_people(alone=True)
    _refuse_erasing(person)
    count = len(_lines(Payment, person)) + len(_lines(Exclusion, person))
    if not count:
        return []
    stays = _("%(count)s lines stay as they were posted: the books must be kept.", count=count)
    return [PersonalRecord(title=_("Disbursement runs"), values={_("Kept"): stays})]


@hookimpl
def year_blockers(program_year: ProgramYear) -> list[Blocker]:
    """A year that is closed for good cannot pay any more, so every run is sent to the bank or given up by then."""
    unfinished = select(Run).where(Run.program_year_id == program_year.id, Run.state.not_in(SENT))
    return [Blocker(step="close", sentence=_why_open(run)) for run in db.session.scalars(unfinished.order_by(Run.id))]


def _why_open(run: Run) -> str:
    if run.state == "posted" and run.form != "bank":
        sentence = _("The run “%(run)s” is posted, but not every list is handed out and confirmed; have that done.")
    elif run.state == "posted":
        sentence = _("The run “%(run)s” is posted, but its bank files are not written yet; have them written first.")
    else:
        sentence = _("The run “%(run)s” is not finished (%(state)s); finish it or cancel it first.")
    return str(sentence % {"run": run.title, "state": label_of("run", run.state).title})


def _refuse_erasing(person: Person) -> None:
    run = _run_with(person, Run.state.not_in(SENT))
    if run is not None:
        raise Refused(
            _(
                "%(person)s stands in the run “%(run)s”, which is not sent to the bank yet; finish or cancel it first.",
                person=person.name,
                run=run.title,
            )
        )
    # Nothing leads from the number to an erased file: on file anew, the same person could be paid once more.
    run = _run_with(person, ProgramYear.closed_at.is_(None), Payment)
    if run is not None:
        raise Refused(
            _(
                "%(person)s was paid by the run “%(run)s” in a year that is not closed for good; close it first.",
                person=person.name,
                run=run.title,
            )
        )


def _run_with(person: Person, condition: ColumnElement[bool], *models: Any) -> Run | None:
    """The first run under the condition that names the person in a line of these models (of all, if none is given)."""
    lines = models or (Payment, Exclusion, Candidate)
    named = or_(*(exists().where(line.run_id == Run.id, line.payee_id == person.id) for line in lines))
    query = select(Run).join(ProgramYear, ProgramYear.id == Run.program_year_id).where(condition, named)
    return db.session.scalars(query.order_by(Run.id).limit(1)).first()


def _lines(model: Any, person: Person) -> list[tuple[Any, Run, ProgramYear]]:
    rows = db.session.execute(
        select(model, Run, ProgramYear)
        .join(Run, Run.id == model.run_id)
        .join(ProgramYear, ProgramYear.id == Run.program_year_id)
        .where(model.payee_id == person.id)
        .order_by(ProgramYear.year.desc(), Run.id.desc())
    )
    return [(line, run, program_year) for line, run, program_year in rows]


def _payment_record(line: Payment, run: Run, program_year: ProgramYear) -> PersonalRecord:
    state = _("Returned by the bank") if line.returned else str(label_of("run", run.state).title)
    values = {
        _("Amount"): _("%(amount)s yuan", amount=yuan(line.amount_fen)),
        _("State"): state,
        _("Payee"): line.payee_name,
        _("Bank account"): mask_account(line.account_tail),
    }
    return PersonalRecord(title=_("Payment"), values=_where(run, program_year) | values)


def _exclusion_record(line: Exclusion, run: Run, program_year: ProgramYear) -> PersonalRecord:
    values = {_("Reason"): reason_title(run.scheme, line.reason), _("State"): str(label_of("run", run.state).title)}
    if line.note:
        values[_("Note")] = line.note
    return PersonalRecord(title=_("Not paid"), values=_where(run, program_year) | values)


def _where(run: Run, program_year: ProgramYear) -> dict[str, str]:
    return {
        _("Program"): title_of(program_year, str(get_locale())),
        _("Year"): str(program_year.year),
        _("Disbursement run"): run.title,
    }
