"""Pairs and visits when two files become one person, and when somebody is looked up or erased."""

from flask_babel import gettext as _
from sqlalchemy import and_, case, delete, exists, func, select, update
from sqlalchemy.orm import aliased

from core.api import Person, PersonalDataAction, PersonalRecord, db, yuan
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.pairing.models import Pair, PairVisit
from plugins.hardship_aid.pairing.words import RANKS

_PLAIN = {"synchronize_session": False}


def merge_pairs(kept: Person, dropped: Person) -> None:
    """Pairs and visits name the kept person, once; a pair that both have spans the days of both.

    Called before files are merged: a pair must name somebody with a file. Where only ``dropped`` has one, that file
    takes its pairs and visits along (``ON UPDATE CASCADE``), and there is nothing to do here.
    """
    if db.session.scalar(select(exists().where(File.person_id == kept.id))):
        _widen(kept, dropped)
        _move(Pair, kept, dropped, "leader", "post", "unit")
        _move(PairVisit, kept, dropped, "leader", "visited_on")
        for model in (PairVisit, Pair):
            db.session.execute(delete(model).where(model.person_id == dropped.id).execution_options(**_PLAIN))


def _widen(kept: Person, dropped: Person) -> None:
    """A pair that both have lasts from the earlier beginning to the later end, or stands."""
    other = aliased(Pair)
    same = and_(other.leader == Pair.leader, other.post == Pair.post, other.unit == Pair.unit)
    stands = Pair.ended_on.is_(None) | other.ended_on.is_(None)
    widened = {
        "paired_on": func.least(Pair.paired_on, other.paired_on),
        "ended_on": case((stands, None), else_=func.greatest(Pair.ended_on, other.ended_on)),
    }
    db.session.execute(
        update(Pair)
        .where(Pair.person_id == kept.id, other.person_id == dropped.id, same)
        .values(**widened)
        .execution_options(**_PLAIN)
    )


def _move(model: type[Pair] | type[PairVisit], kept: Person, dropped: Person, *told_by: str) -> None:
    """What ``kept`` has not yet, told by these columns, becomes theirs."""
    other = aliased(model)
    same = [getattr(other, name) == getattr(model, name) for name in told_by]
    db.session.execute(
        update(model)
        .where(model.person_id == dropped.id, ~exists().where(other.person_id == kept.id, *same))
        .values(person_id=kept.id)
        .execution_options(**_PLAIN)
    )


def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """Who is paired with the worker, and the visits; erasing blanks what was said, that there was a visit stays."""
    records = [*_pairs(person), *_visits(person)]
    if action == "erase":
        db.session.execute(update(PairVisit).where(PairVisit.person_id == person.id).values(note=""))
    return records


def _pairs(person: Person) -> list[PersonalRecord]:
    rows = db.session.scalars(select(Pair).where(Pair.person_id == person.id).order_by(Pair.id))
    return [
        PersonalRecord(
            title=_("Pair of leader and worker"),
            values={
                _("Paired leader"): f"{row.unit} {row.post} {row.leader}",
                _("Rank"): str(RANKS[row.rank]),
                _("Paired on"): row.paired_on.isoformat(),
                _("Ended on"): row.ended_on.isoformat() if row.ended_on else "—",
            },
        )
        for row in rows
    ]


def _visits(person: Person) -> list[PersonalRecord]:
    rows = db.session.scalars(select(PairVisit).where(PairVisit.person_id == person.id).order_by(PairVisit.id))
    return [
        PersonalRecord(
            title=_("Visit by a paired leader"),
            values={
                _("Day of the visit"): row.visited_on.isoformat(),
                _("Leader who visited"): row.leader,
                _("What was said or done"): row.note or "—",
                _("Gift worth (yuan)"): yuan(row.gift_fen),
            },
        )
        for row in rows
    ]
