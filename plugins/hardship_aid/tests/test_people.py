"""Files and households when two people on file become one, and when somebody is looked up or erased."""

from datetime import date

import pytest

from core.api import SYSTEM, Person, Refused, Scope, User, db
from core.disbursements.testing import MakePerson
from core.people.merging import merge
from core.people.personal import erase, show_data
from plugins.hardship_aid.files.flow import FLOW
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.people import GIVES_WAY
from plugins.hardship_aid.tests.test_flow import MakeFile, stop
from plugins.hardship_aid.tests.test_flow import clerk as clerk
from plugins.hardship_aid.tests.test_flow import make_file as make_file

EVERYWHERE = Scope(("/61/",))


def merge_into(kept: Person, file: File) -> None:
    merge(SYSTEM, EVERYWHERE, kept.id, file.person_id)
    db.session.expire_all()


def test_the_only_file_goes_over_with_its_household_to_the_union_of_the_one_who_is_kept(
    make_file: MakeFile, make_person: MakePerson
) -> None:
    file, kept = make_file(2), make_person("610103")
    merge_into(kept, file)
    assert (file.person_id, file.org_id, file.org_path) == (kept.id, kept.org_id, kept.org_path)
    members = db.session.query(Member).all()
    assert {(one.person_id, one.org_path) for one in members} == {(kept.id, kept.org_path)}
    assert len(members) == 2


@pytest.mark.parametrize("state", FLOW.states)
def test_of_two_files_that_of_the_one_who_is_kept_stays_unless_the_other_counts(
    make_file: MakeFile, clerk: User, state: str
) -> None:
    mine, other = make_file(1), make_file(1)
    stop(clerk, other, state)
    kept = db.session.get_one(Person, mine.person_id)
    if state in GIVES_WAY:
        merge_into(kept, other)
        assert [file.id for file in db.session.query(File)] == [mine.id]
        assert [member.person_id for member in db.session.query(Member)] == [kept.id]
        return
    with pytest.raises(Refused, match="Both have a file of workers in hardship"):
        merge_into(kept, other)
    db.session.rollback()
    assert db.session.query(File).count() == 2


def test_files_under_way_and_on_file_do_not_give_way() -> None:
    assert set(FLOW.states) - set(GIVES_WAY) == {
        "unit_review", "visit", "comparison", "notice", "approval", "on_file", "recheck"
    }  # fmt: skip


def test_a_merge_of_people_without_files_is_none_of_ours(make_file: MakeFile, make_person: MakePerson) -> None:
    file, dropped = make_file(1), make_person("610103")
    merge(SYSTEM, EVERYWHERE, file.person_id, dropped.id)
    assert db.session.query(File).one().id == file.id


def test_everything_is_shown_and_no_name_or_reason_outlives_an_erasure(make_file: MakeFile) -> None:
    file = make_file(2, head="spouse", head_name="户主甲", cause_note="某种病", visitors="李某")
    file.decided, file.decided_because = "deep", "看过病历"
    for member in db.session.query(Member):
        member.name, member.school, member.born_on = f"双胞胎{member.id}", "某中学", date(2005, 6, 7)
    db.session.commit()
    said = [value for record in show_data(SYSTEM, EVERYWHERE, file.person_id) for value in record.values.values()]
    told = ["户主甲", "某种病", "李某", "看过病历", "双胞胎1", "双胞胎2", "某中学", "2005-06-07", "2014-01-06"]
    assert [word for word in told if word not in said] == []
    erase(SYSTEM, EVERYWHERE, file.person_id, "asked for it")
    db.session.expire_all()
    assert (file.head, file.head_name, file.cause_note, file.visitors) == ("spouse", "—", "", "")
    assert (file.decided, file.decided_because, file.income_fen) == ("deep", "—", 48_000_00)
    rows = db.session.query(Member).order_by(Member.id)
    assert [(row.name, row.school, row.born_on) for row in rows] == [
        (f"—{row.id}", "", date(2005, 1, 1)) for row in rows
    ]


def test_a_head_who_is_the_worker_has_no_name_to_erase(make_file: MakeFile) -> None:
    file = make_file(0)
    erase(SYSTEM, EVERYWHERE, file.person_id, "asked for it")
    db.session.expire_all()
    assert (file.head, file.head_name, file.decided_because) == ("self", "", "")


def test_nothing_is_shown_of_who_has_no_file(make_file: MakeFile, make_person: MakePerson) -> None:
    make_file(1)
    records = show_data(SYSTEM, EVERYWHERE, make_person("610102").id)
    assert [str(record.title) for record in records] == ["Personal data"]
