"""Computing the categories of files, and deciding against what the rule came to."""

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import and_, exists, func, select

from core.api import (
    SYSTEM,
    Actor,
    Forbidden,
    NotFound,
    ProgramYear,
    Refused,
    Scope,
    User,
    db,
    enqueue,
    record,
    require,
    scope_of,
    state_of,
)
from plugins.hardship_aid.categories.computing import compute, counts_in
from plugins.hardship_aid.categories.queries import outcomes
from plugins.hardship_aid.categories.rule import is_open_file
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.words import EDIT, OUTCOMES, PROGRAM, REVIEW

CLASSIFY = "hardship_aid.classify"


@dataclass(frozen=True)
class Classified:
    """What classifying did: files by outcome (``""``: not computed) before and after, and how many were written."""

    before: dict[str, int]
    after: dict[str, int]
    changed: int


def ask_to_classify(actor: User, program_year: ProgramYear) -> None:
    """Have a worker compute all files of the sponsor.

    Raises :class:`Forbidden`; :class:`Refused` in a closed year, and where there is no file.
    """
    require(actor, EDIT, program_year.org_path, PROGRAM)
    _refuse_unless_open(program_year)
    if not db.session.scalar(select(exists().where(File.sponsor_id == program_year.org_id, is_open_file()))):
        raise Refused(_("There is no open file to compute."))
    key = f"{CLASSIFY}:{program_year.id}:{actor.id}"
    job = enqueue(CLASSIFY, actor, program_year.org_path, program_year_id=program_year.id, key=key)
    record(actor, "hardship.ask", f"program_year:{program_year.id}", program_year.org_path, job=job.id)
    db.session.commit()


def classify(actor: Actor, program_year: ProgramYear, file_id: int | None = None) -> Classified:
    """Compute the categories of the sponsor's files in reach of the actor, or of one, by the rule of the year.

    Only what changes is written, so that it may run again; two of all files take turns. What a later year came to
    stays, as several years may be open. Raises :class:`Forbidden` where the actor may change none, :class:`Refused` in
    a year that is not open, and for one file that is not among these.
    """
    _refuse_unless_open(program_year)
    scope = _scope(actor)
    if file_id is None:  # of two that meet the same files in another order, each would wait for the other
        name = f"{CLASSIFY}:{program_year.org_id}"
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    chosen = and_(
        counts_in(program_year),
        scope.covers(File.org_path),
        *([File.id == file_id] if file_id is not None else []),
    )
    before = outcomes(chosen)
    if file_id is not None and not before:
        raise Refused(_("This file is not computed: it is closed, a later year counts, or you may not change it."))
    changed = compute(program_year, chosen)
    done = Classified(before, outcomes(chosen), changed)
    subject = f"program_year:{program_year.id}" if file_id is None else f"hardship_aid.files:{file_id}"
    counts = {"before": done.before, "after": done.after, "changed": done.changed}
    record(actor, "hardship.classify", subject, program_year.org_path, **counts)
    db.session.commit()
    return done


def look_at(actor: User, file: File) -> None:
    """Leave on record that somebody looked at a file."""
    record(actor, "register.entry_shown", f"hardship_aid.files:{file.id}", file.org_path, person=file.person_id)
    db.session.commit()


def decide(actor: User, program_year: ProgramYear, file_id: int, category: str, reason: str) -> None:
    """Decide that the household is in another category than the rule came to, and why.

    Raises :class:`NotFound`, :class:`Forbidden`, and :class:`Refused` for whoever made the file, for a closed one, one
    that is not computed, without a reason, and where the rule says just that.
    """
    file = _to_decide(actor, program_year, file_id)
    if category not in OUTCOMES:
        raise Refused(_("There is no such category."), field="decided")
    if not reason.strip():
        raise Refused(_("Please say why."), field="decided_because")
    if file.computed is None:
        raise Refused(_("The category of this file has not been computed yet."), field="decided")
    if category == file.computed:
        raise Refused(_("That is what the rule says; nothing needs to be decided."), field="decided")
    former = file.decided
    file.decided, file.decided_because = category, reason.strip()
    said = {"computed": file.computed, "former": former, "decided": category, "reason": file.decided_because}
    record(actor, "hardship.decide", f"hardship_aid.files:{file.id}", file.org_path, **said)
    db.session.commit()


def take_back(actor: User, program_year: ProgramYear, file_id: int) -> None:
    """Let the rule count again. Raises as :func:`decide` does, and :class:`Refused` where nothing was decided."""
    file = _to_decide(actor, program_year, file_id)
    if file.decided is None:
        raise Refused(_("Nothing was decided about this file."))
    said = {"computed": file.computed, "former": file.decided, "reason": file.decided_because}
    file.decided, file.decided_because = None, ""
    record(actor, "hardship.take_back", f"hardship_aid.files:{file.id}", file.org_path, **said)
    db.session.commit()


def _to_decide(actor: User, program_year: ProgramYear, file_id: int) -> File:
    """The file, held until the end of the transaction, if the actor may decide about it."""
    _refuse_unless_open(program_year)
    query = select(File).where(File.id == file_id, File.sponsor_id == program_year.org_id).with_for_update()
    file = db.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if file is None:
        raise NotFound(_("There is no such file, or none that you may see."))
    require(actor, REVIEW, file.org_path, PROGRAM)
    if file.made_by == actor.id:
        raise Refused(_("Who made a file does not decide about it."))
    if not db.session.scalar(select(is_open_file()).where(File.id == file.id)):
        raise Refused(_("This file is closed."))
    return file


def _scope(actor: Actor) -> Scope:
    """Where the actor may change files; :data:`SYSTEM` everywhere."""
    if actor is SYSTEM:
        return Scope(("/",))
    scope = scope_of(actor, EDIT, PROGRAM) if isinstance(actor, User) else Scope()
    if not scope.paths:
        raise Forbidden(_("You may not change files of workers in hardship for any union."))
    return scope


def _refuse_unless_open(program_year: ProgramYear) -> None:
    if state_of(program_year) != "open":
        raise Refused(_("This year is not open."))
