"""Somebody goes over to another union: what is refused, what goes along, and what both unions read of it."""

import pytest
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.people.merging import merge
from core.people.models import Person, PersonPlace
from core.people.moving import move_person, shown_people
from core.users.access import reach_of
from core.users.testing import MakeUser
from core.wall import reach_as

pytestmark = pytest.mark.services
Pair = tuple[Person, Person]


def union(code: str) -> Org:
    return db.session.scalars(select(Org).where(Org.code == code)).one()


def test_another_union_answers_for_a_person_and_both_have_it_on_record(pair: Pair) -> None:
    person, _other = pair
    source, org = person.org_id, union("610103")
    moved = move_person(SYSTEM, person.id, org, agreed_by=source)
    db.session.commit()
    assert (moved.id, moved.org_id, moved.org_path) == (person.id, org.id, org.path)
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "people.move").order_by(AuditLine.id))
    assert [(line.org_path, line.data) for line in lines] == [
        ("/61/6101/610102/610102001/", {"to": "610103"}), (org.path, {"to": "610103"}),
    ]  # fmt: skip
    assert db.session.scalars(select(PersonPlace.org_id)).all() == [source]


def test_nothing_is_committed_by_the_move_itself(pair: Pair) -> None:
    person, _other = pair
    source = person.org_id
    move_person(SYSTEM, person.id, union("610103"), agreed_by=source)
    db.session.rollback()
    assert person.org_id == source


def test_files_that_were_merged_go_along(pair: Pair) -> None:
    kept, dropped = pair
    merge(SYSTEM, Scope.of(["/61/"]), kept.id, dropped.id)
    move_person(SYSTEM, kept.id, union("6102"), agreed_by=kept.org_id)
    db.session.commit()
    assert {file.org_path for file in db.session.query(Person)} == {union("6102").path}


def test_somebody_who_is_elsewhere_by_now_or_not_on_file_stays(pair: Pair) -> None:
    person, dropped = pair
    for person_id, agreed_by in [(person.id, dropped.org_id), (999, person.org_id)]:
        with pytest.raises(Refused, match="no longer on file at the union that agreed"):
            move_person(SYSTEM, person_id, union("6102"), agreed_by=agreed_by)
    source = dropped.org_id
    merge(SYSTEM, Scope.of(["/61/"]), person.id, dropped.id)
    with pytest.raises(Refused, match="no longer on file at the union that agreed"):
        move_person(SYSTEM, dropped.id, union("6102"), agreed_by=source)


def test_neither_the_own_union_nor_an_inactive_one_receives(pair: Pair) -> None:
    person, _other = pair
    with pytest.raises(Refused, match="the worker's own union"):
        move_person(SYSTEM, person.id, union("610102001"), agreed_by=person.org_id)
    union("6102").active = False
    db.session.commit()
    with pytest.raises(Refused, match="no longer active"):
        move_person(SYSTEM, person.id, union("6102"), agreed_by=person.org_id)


def test_who_receives_reaches_through_the_wall_only_here(pair: Pair, make_user: MakeUser) -> None:
    person, other = pair
    person_id, source, other_id = person.id, person.org_id, other.id
    user, org = make_user("clerk", "610103"), union("610103")
    db.session.commit()
    reach_as(reach_of(user))
    assert db.session.scalars(select(Person.id)).all() == [other_id]
    assert [view.id_number[:14] for view in shown_people([person_id]).values()] == ["*" * 14]
    move_person(user, person_id, org, agreed_by=source)
    db.session.commit()
    assert set(db.session.scalars(select(Person.id).where(Person.org_id == org.id))) == {person_id, other_id}
