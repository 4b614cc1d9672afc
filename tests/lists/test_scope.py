"""Every list of the house keeps to the scope on every path: one test over all registers and the core's own lists."""

from collections.abc import Iterator

import pytest
from werkzeug.datastructures import MultiDict

from core.extensions import db
from core.ledger.listing import activities_of
from core.ledger.queries import templates
from core.ledger.scope import BookScope
from core.ledger.services import record_activity
from core.lists.filters import Reading
from core.lists.forms import PREFIX, SPANS, filtered
from core.lists.queries import Asked, every_line, has_more_than, is_about, page_of, person_in, rows_of, totals_of
from core.lists.types import Line, Listing
from core.org.listing import ORGS
from core.org.models import Org
from core.org.scope import Scope
from core.people.listing import PEOPLE
from core.people.models import Person
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.registers.listing import listing_of
from core.users.listing import USERS
from core.users.testing import MakeUser
from tests.lists.conftest import MakeCorner
from tests.plugins_for_tests.reading_club.registers import MEMBERS_OF, Member, Reader
from tests.registers.conftest import MakePerson, id_number

pytestmark = pytest.mark.services
XIAN, TONGCHUAN, NOWHERE = Scope(("/61/6101/",)), Scope(("/61/6102/",)), Scope()


@pytest.fixture
def everything(
    clubs: ProgramYear,
    make_corner: MakeCorner,
    make_person: MakePerson,
    make_user: MakeUser,
    small_tree: dict[str, Org],
) -> ProgramYear:
    """One row of each kind in Xi'an and one in Tongchuan, alike in all but their place."""
    for serial, code in ((1, "610102"), (2, "610202")):
        make_corner("书屋", code, cost_fen=100)
        person = make_person(serial, code)
        db.session.add(
            Reader(
                sponsor_id=clubs.org_id, person_id=person.id, org_id=person.org_id, org_path=person.org_path, likes="诗"
            )
        )
        db.session.add(
            Member(
                program_year_id=clubs.id,
                person_id=person.id,
                org_id=person.org_id,
                org_path=person.org_path,
                kind=next(iter(MEMBERS_OF)),
                note="诗社",
                active=True,
            )
        )
        clerk = make_user("clerk", code)
        for template in templates():
            data = {column["key"]: "走访" for column in template.columns}
            key = f"{template.code}:{code}"
            day = clubs.opens_on
            record_activity(clerk, template, small_tree[code], program_year=None, held_on=day, data=data, key=key)
    db.session.commit()
    return clubs


def listings(year: ProgramYear, scope: Scope) -> Iterator[Listing]:
    yield from (PEOPLE, ORGS, USERS)
    yield from (activities_of(template, BookScope(scope)) for template in templates())
    registers = [register for register in registry_of().registers.values() if register.program == year.program]
    assert len(registers) == 3
    yield from (listing_of(register, year) for register in registers)


def addresses(listing: Listing, rows: list[Line]) -> Iterator[dict[str, str]]:
    """An address for each way to ask: every sort, every filter filled in with what a row has, every search."""
    yield {}
    for column in listing.columns:
        if column.sort:
            yield from ({"sort": column.name}, {"sort": "-" + column.name})
    for column in filtered(listing):
        value = next((row.values[column.name] for row in rows if row.values[column.name] is not None), None)
        if value is None:
            continue
        if column.kind in SPANS:
            yield {f"{PREFIX}{column.name}-from": "2000-01-01" if SPANS[column.kind] == "date" else "0"}
        elif column.kind == "choice":
            yield {PREFIX + column.name: str(value[0] if isinstance(value, list) else value)}
        else:
            yield {PREFIX + column.name: str(value)[:1]}
    yield {"text": "王"}
    yield {"text": "w"}
    yield {"org": "610102"}


def test_no_list_shows_a_row_of_others_on_any_path(everything: ProgramYear) -> None:
    year = everything
    for listing in listings(year, XIAN):
        mine = list(every_line(listing, XIAN, Asked(), listing.columns))
        assert mine, listing.code
        for asked in addresses(listing, mine):
            reading = Reading(listing, XIAN, MultiDict(asked))
            assert not reading.failed, (listing.code, asked)
            page = page_of(listing, XIAN, reading.asked, listing.columns)
            paths = [
                line.org_path for line in [*page.lines, *every_line(listing, XIAN, reading.asked, listing.columns)]
            ]
            assert all(path.startswith("/61/6101/") for path in paths), (listing.code, asked)
            count = len(page.lines)
            assert totals_of(listing, XIAN, reading.asked, listing.columns).count == count, (listing.code, asked)
            assert len(db.session.scalars(rows_of(listing, XIAN, reading.asked)).all()) == count
            assert not has_more_than(count, listing, XIAN, reading.asked)
        assert Reading(listing, XIAN, MultiDict({"org": "6102"})).failed, listing.code


def test_who_has_no_scope_sees_no_row_of_any_list(everything: ProgramYear) -> None:
    for listing in listings(everything, NOWHERE):
        assert totals_of(listing, NOWHERE, Asked(), listing.columns).count == 0, listing.code
        assert list(every_line(listing, NOWHERE, Asked(), listing.columns)) == []


def test_nobody_of_others_is_found_by_number(everything: ProgramYear) -> None:
    others = db.session.query(Person.id).filter(Person.org_path.startswith("/61/6102/")).scalar()
    asked = [listing for listing in listings(everything, XIAN) if listing.person_id is not None]
    assert len(asked) == 3
    for listing in asked:
        assert person_in(listing, XIAN, id_number(2)) is None
        assert person_in(listing, TONGCHUAN, id_number(2)) == others
        assert list(every_line(listing, XIAN, Asked((is_about(listing, others),)), listing.columns)) == []
