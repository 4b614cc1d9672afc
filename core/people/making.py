"""Putting fictional people on file."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from flask_babel import gettext as _

from core.audit.services import Actor, record
from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.org.queries import township_codes
from core.org.scope import Scope
from core.people.fictional import fictional_people
from core.people.services import PersonRow, count_same_people, insert_staged, stage_people

#: Enough for every measurement, and far from using up the numbers of an area.
MOST_PEOPLE = 5_000_000


@dataclass(frozen=True, slots=True)
class Made:
    """How many people were put on file, and how many of this seed were there before."""

    added: int
    already: int


def make_people(actor: Actor, count: int, seed: int, org: Org) -> Made:
    """Put ``count`` fictional people of this seed on file under the townships of ``org``; adds only those missing.

    A number that another seed has used already is left to that person, and one more person of the stream is taken.
    Raises :class:`Refused` for a count out of range or an org without townships.
    """
    if not 1 <= count <= MOST_PEOPLE:
        raise Refused(_("The number of people must be 1 to %(most)d.", most=MOST_PEOPLE), field="count")
    stream = people_of(seed, org)
    added = present = 0
    while present < count:
        stage_people(islice(stream, count - present))
        added += insert_staged(Scope.of([org.path]))[0].added
        present += count_same_people()
    if added:
        record(actor, "people.make", f"org:{org.code}", org.path, seed=seed, count=count, added=added)
    db.session.commit()
    return Made(added, count - added)


def people_of(seed: int, org: Org) -> Iterator[PersonRow]:
    """The endless stream of the people of this seed. Raises :class:`Refused` for an org without townships."""
    townships = township_codes(org.path)
    if not townships:
        raise Refused(_("There is no township union at or below %(name)s to put people in.", name=org.name))
    return fictional_people(seed, org.code, townships)
