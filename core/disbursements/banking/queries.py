"""Reading what came of a run: its return files, their faults, the lines that came back, the lists handed out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, null, select, tuple_
from sqlalchemy.orm import aliased

from core.disbursements.banking.models import BankReturn, HandOut, PaymentResult, ReturnFault
from core.disbursements.models import Payment, Run, RunChunk
from core.extensions import db
from core.jobs.models import Job
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.users.models import User

PAGE = 50
#: Faults that the page of a return file shows; all of them are in the file that can be downloaded.
SHOWN = 200
#: Lines of a list to sign that are one document: a browser prints no more at once.
PART = 2_000


@dataclass(frozen=True)
class Outcome:
    """How many payments arrived, came back, or are not known of yet; fen likewise."""

    lines: int
    paid: int
    failed: int
    total_fen: int
    failed_fen: int

    @property
    def pending(self) -> int:
        """Of how many nothing is known yet."""
        return self.lines - self.paid - self.failed


@dataclass(frozen=True)
class FailedRow:
    """One payment that came back."""

    payee_id: int
    payee_name: str
    account_tail: str
    org_name: str
    org_path: str
    amount_fen: int
    reason: str
    on_day: Any


def outcome_of(run: Run, chunks: Sequence[Any]) -> Outcome:
    """What came of the payments of these chunks (rows of ``chunks_of``)."""
    org_ids = [chunk.org.id for chunk in chunks]
    rows = db.session.execute(
        select(PaymentResult.state, func.count(), func.sum(Payment.amount_fen))
        .join(Payment, (Payment.run_id == PaymentResult.run_id) & (Payment.payee_id == PaymentResult.payee_id))
        .where(PaymentResult.run_id == run.id, Payment.chunk_org_id.in_(org_ids))
        .group_by(PaymentResult.state)
    )
    found = {state: (count, int(fen)) for state, count, fen in rows}
    failed, failed_fen = found.get("failed", (0, 0))
    lines, total_fen = sum(chunk.paid for chunk in chunks), sum(chunk.total_fen for chunk in chunks)
    return Outcome(lines, found.get("paid", (0, 0))[0], failed, total_fen, failed_fen)


def returns_of(run: Run, scope: Scope) -> list[tuple[BankReturn, str]]:
    """The return files of the run that were sent from within the scope, newest first, each with its sender's name."""
    rows = db.session.execute(
        select(BankReturn, User.name)
        .join(User, User.id == BankReturn.user_id)
        .where(BankReturn.run_id == run.id, scope.covers(BankReturn.org_path))
        .order_by(BankReturn.id.desc())
    )
    return list(rows)


def find_return(run: Run, scope: Scope, return_id: int) -> BankReturn | None:
    """A return file of the run, if it was sent from within the scope."""
    mine = (BankReturn.run_id == run.id) & (BankReturn.id == return_id) & scope.covers(BankReturn.org_path)
    return db.session.scalars(select(BankReturn).where(mine)).one_or_none()


def job_of(one: BankReturn) -> Job | None:
    """The newest job that reads the file."""
    key = f"run:{one.run_id}:return:{one.id}"
    return db.session.scalars(select(Job).where(Job.key == key).order_by(Job.id.desc()).limit(1)).first()


def faults_of(one: BankReturn) -> list[ReturnFault]:
    """The first faults of a return file, by line."""
    query = select(ReturnFault).where(ReturnFault.return_id == one.id).order_by(ReturnFault.no)
    return list(db.session.scalars(query.limit(SHOWN)))


def every_fault(one: BankReturn) -> Iterator[ReturnFault]:
    """All that were kept, streaming."""
    query = select(ReturnFault).where(ReturnFault.return_id == one.id).order_by(ReturnFault.no)
    return iter(db.session.scalars(query.execution_options(yield_per=2_000)))


def failed_of(run: Run, scope: Scope, after: tuple[str, int] | None) -> list[FailedRow]:
    """A page of the payments that came back, in the order of union and payee."""
    query = (
        select(
            Payment.payee_id,
            Payment.payee_name,
            Payment.account_tail,
            Org.name,
            Payment.org_path,
            Payment.amount_fen,
            PaymentResult.reason,
            PaymentResult.on_day,
        )
        .join(PaymentResult, (PaymentResult.run_id == Payment.run_id) & (PaymentResult.payee_id == Payment.payee_id))
        .join(Org, Org.id == Payment.org_id)
        .where(Payment.run_id == run.id, Payment.returned, scope.covers(Payment.org_path))
    )
    if after is not None:
        query = query.where(tuple_(Payment.org_path, Payment.payee_id) > after)
    query = query.order_by(Payment.org_path, Payment.payee_id).limit(PAGE + 1)
    return [FailedRow(*row) for row in db.session.execute(query)]


def followers_of(run: Run) -> list[Run]:
    """The runs that pay again what came back from this one."""
    return list(db.session.scalars(select(Run).where(Run.follows == run.id).order_by(Run.id)))


def hand_outs_of(run: Run) -> dict[int, HandOut]:
    """Org id -> what it handed out."""
    return {one.org_id: one for one in db.session.scalars(select(HandOut).where(HandOut.run_id == run.id))}


def names_of(run: Run) -> dict[int, str]:
    """User id -> name of those who said or confirmed what was handed out by this run."""
    asked = select(HandOut.recorded_by).where(HandOut.run_id == run.id)
    also = select(HandOut.confirmed_by).where(HandOut.run_id == run.id)
    return dict(db.session.execute(select(User.id, User.name).where(User.id.in_(asked) | User.id.in_(also))).all())


def chunk_of(run: Run, scope: Scope, code: str) -> tuple[RunChunk, Org] | None:
    """One union's part of the run, if it lies in the scope."""
    row = db.session.execute(
        select(RunChunk, Org)
        .join(Org, Org.id == RunChunk.org_id)
        .where(RunChunk.run_id == run.id, Org.code == code, scope.covers(RunChunk.org_path))
    ).first()
    return (row[0], row[1]) if row else None


def lines_to_sign(run: Run, org: Org, part: int) -> list[Any]:
    """``payee id, name, number's tail, union, fen, quantity``: one part of a union's list, counted from 1."""
    place = aliased(Org)
    tail = Person.id_number_tail if run.payees == "people" else null()
    query = (
        select(Payment.payee_id, Payment.payee_name, tail, place.name, Payment.amount_fen, Payment.quantity)
        .join(place, place.id == Payment.org_id)
        .where(Payment.run_id == run.id, Payment.chunk_org_id == org.id)
        .order_by(Payment.org_path, Payment.payee_id)
    )
    if run.payees == "people":
        query = query.join(Person, Person.id == Payment.payee_id)
    return list(db.session.execute(query.offset((part - 1) * PART).limit(PART)))
