"""The registers of pairs and of the visits to them, with what a row must keep to beside other rows."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, exists, func, or_
from sqlalchemy.orm import aliased

from core.api import Column, ProgramYear, Register, Rule
from plugins.hardship_aid.files.links import TO_FILE
from plugins.hardship_aid.files.rules import NO_FILE
from plugins.hardship_aid.pairing.forms import PairForm, PairVisitForm
from plugins.hardship_aid.pairing.models import Pair, PairVisit
from plugins.hardship_aid.pairing.queries import stood_on
from plugins.hardship_aid.pairing.words import RANKS
from plugins.hardship_aid.words import EDIT, PROGRAM, VIEW

Row = Mapping[str, ColumnElement[Any]]


def has_no_pair(row: Row, _year: ProgramYear) -> ColumnElement[bool]:
    """A visit is paid by a leader whose pair with the worker stood on the day."""
    paired = Pair.person_id == row["person_id"], Pair.leader == row["leader"], stood_on(Pair, row["visited_on"])
    return ~exists().where(*paired)


def is_of_another_year(row: Row, year: ProgramYear) -> ColumnElement[bool]:
    """A visit counts for the calendar year that the program year is called by."""
    return func.extract("year", row["visited_on"]) != year.year


def leaves_visits_behind(row: Row, _year: ProgramYear) -> ColumnElement[bool]:
    """What is changed of a pair must not take it away from visits that no other pair covers."""
    before, other = aliased(Pair), aliased(Pair)
    covered = and_(PairVisit.leader == row["leader"], PairVisit.visited_on >= row["paired_on"],
                   or_(row["ended_on"].is_(None), PairVisit.visited_on <= row["ended_on"]))  # fmt: skip
    another = exists().where(
        other.person_id == PairVisit.person_id,
        other.leader == PairVisit.leader,
        other.id != before.id,
        stood_on(other, PairVisit.visited_on),
    )
    return exists().where(
        before.id == row["id"],
        PairVisit.person_id == before.person_id,
        PairVisit.leader == before.leader,
        stood_on(before, PairVisit.visited_on),
        ~covered,
        ~another,
    )


def is_visited() -> ColumnElement[bool]:
    """A pair that visits tell of stays; it can be ended."""
    visit = aliased(PairVisit)
    return exists().where(
        visit.person_id == Pair.person_id, visit.leader == Pair.leader, stood_on(Pair, visit.visited_on)
    )


PAIRS = Register(
    code="hardship_aid.pairs",
    program=PROGRAM,
    title=_l("Pairs of leaders and workers"),
    model=Pair,
    form=PairForm,
    columns=(
        Column(name="leader", title=_l("Name of the leader")),
        Column(name="post", title=_l("Post")),
        Column(name="rank", title=_l("Rank"), kind="choice", choices=RANKS),
        Column(name="unit", title=_l("Unit of the leader")),
        Column(name="paired_on", title=_l("Paired on"), kind="day"),
        Column(name="ended_on", title=_l("Ended on"), kind="day", hidden=True),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
    stays=is_visited,
    stays_because=_l("Visits tell of this pair; enter the day on which it ended instead of removing it."),
    rules=(
        NO_FILE,
        Rule(
            broken=leaves_visits_behind,
            sentence=_l("Visits by this leader lie outside of what the pair would be then."),
            field="paired_on",
        ),
    ),
    links=(TO_FILE,),
)
PAIR_VISITS = Register(
    code="hardship_aid.pair_visits",
    program=PROGRAM,
    title=_l("Visits by paired leaders"),
    model=PairVisit,
    form=PairVisitForm,
    columns=(
        Column(name="leader", title=_l("Leader who visited")),
        Column(name="visited_on", title=_l("Day of the visit"), kind="day"),
        Column(name="note", title=_l("What was said or done"), hidden=True),
        Column(name="gift_fen", title=_l("Gift worth"), kind="yuan", total=True),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
    rules=(
        NO_FILE,
        Rule(
            broken=is_of_another_year,
            sentence=_l("This day does not lie in the year of these pages; enter the visit in its own year."),
            field="visited_on",
        ),
        Rule(
            broken=has_no_pair,
            sentence=_l("No pair of this worker with a leader of this name stands on the day of the visit."),
            field="leader",
        ),
    ),
    links=(TO_FILE,),
)
