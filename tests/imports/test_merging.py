"""From upload to register and back: what is refused, what is merged, and what taking back leaves."""

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from core.errors import Forbidden, Refused
from core.extensions import db
from core.imports import merging, services
from core.imports.models import ImportRow
from core.jobs.models import Job
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.programs.models import ProgramYear
from core.registers import services as registers
from core.registers.history import values_of
from core.registers.models import RecordChange
from core.users.access import today
from core.users.models import Grant, User
from core.users.testing import MakeUser
from tests.imports.conftest import RunJobs, Upload, errors_of, good_row, merge, xlsx
from tests.plugins_for_tests.reading_club.registers import CORNERS, MEMBERS, READERS, Corner, Member, Reader
from tests.registers.conftest import MakePerson, id_number

pytestmark = pytest.mark.services
PROVINCE = Scope(("/61/",))


def hundred_rows() -> list[list[object]]:
    """A hundred rows of which five are wrong."""
    return [good_row(number, **({"kind": "?"} if number % 20 == 9 else {})) for number in range(100)]


def test_good_rows_are_merged_only_when_the_bad_ones_are_left_out_on_purpose(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    one = upload(xlsx(hundred_rows()))
    assert (one.good, one.bad, one.there, one.new_people) == (95, 5, 0, 95)
    assert list(errors_of(one)) == [11, 31, 51, 71, 91]
    assert db.session.query(Member).count() == db.session.query(Person).count() == 0
    with pytest.raises(Refused, match="5 rows are wrong"):
        services.start_merge(clerk, one, MEMBERS, clubs, only_good=False)
    assert db.session.query(Job).count() == 0
    merge(one, clerk, clubs, run_jobs, only_good=True)
    assert (one.state, one.added, db.session.query(Member).count()) == ("merged", 95, 95)
    assert db.session.query(Person).count() == 95


def test_a_row_of_the_register_is_what_the_file_said_and_its_history_begins_with_the_import(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    merge(upload(xlsx([good_row(1)])), clerk, clubs, run_jobs)
    member, person = db.session.query(Member).one(), db.session.query(Person).one()
    assert (member.program_year_id, member.person_id, member.org_id, member.org_path) == (
        clubs.id, person.id, person.org_id, "/61/6101/610102/610102001/",
    )  # fmt: skip
    assert (person.name, person.bank_name, person.bank_account_tail) == ("李静", "中国建设银行", "0001")
    assert (member.kind, member.books, member.fee_fen, member.joined_on) == ("guest", 3, 12_50, date(2014, 1, 5))
    change = db.session.query(RecordChange).one()
    assert (change.action, change.row_id, change.person_id, change.user_id) == (
        "import",
        member.id,
        person.id,
        clerk.id,
    )
    assert change.values == {name: [None, value] for name, value in values_of(MEMBERS, member).items()}


@pytest.mark.parametrize(("bad", "refused"), [(5, False), (6, True)])
def test_too_large_a_share_of_bad_rows_keeps_the_good_ones_out_too(
    upload: Upload, clerk: User, clubs: ProgramYear, bad: int, refused: bool
) -> None:
    one = upload(xlsx([good_row(number, **({"kind": "?"} if number < bad else {})) for number in range(10)]))
    if refused:
        with pytest.raises(Refused, match="Too many rows are wrong"):
            services.start_merge(clerk, one, MEMBERS, clubs, only_good=True)
    else:
        services.start_merge(clerk, one, MEMBERS, clubs, only_good=True)
    assert db.session.query(Job).count() == (0 if refused else 1)


def test_merging_twice_puts_everybody_there_once(upload: Upload, clerk: User, clubs: ProgramYear) -> None:
    one = upload(xlsx([good_row(number) for number in range(7)]))
    services.start_merge(clerk, one, MEMBERS, clubs, only_good=False)
    seen: list[tuple[int, int]] = []
    assert merging.merge(clerk, one, MEMBERS, clubs, PROVINCE, lambda *step: seen.append(step)) == 7
    assert merging.merge(clerk, one, MEMBERS, clubs, PROVINCE, lambda *_step: None) == 7
    assert (db.session.query(Member).count(), seen) == (7, [(7, 7)])


def test_a_merge_that_died_after_taking_people_on_file_goes_on(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = upload(xlsx([good_row(number) for number in range(5)]))
    services.start_merge(clerk, one, MEMBERS, clubs, only_good=False)
    monkeypatch.setattr(merging, "BATCH", 2)

    def die(done: int, _total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merging.merge(clerk, one, MEMBERS, clubs, PROVINCE, die)
    db.session.rollback()
    assert (db.session.query(Person).count(), db.session.query(Member).count()) == (4, 0)
    run_jobs()
    assert (db.session.query(Person).count(), db.session.query(Member).count()) == (5, 5)


def test_who_is_in_the_register_already_is_counted_and_left_alone(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    merge(upload(xlsx([good_row(1)])), clerk, clubs, run_jobs)
    one = upload(xlsx([good_row(1, kind="Full member"), good_row(2)]))
    assert (one.good, one.bad, one.there, one.new_people) == (1, 0, 1, 1)
    merge(one, clerk, clubs, run_jobs)
    assert (one.added, one.there) == (1, 1)
    assert [member.kind for member in db.session.query(Member)] == ["guest", "guest"]


def test_who_came_in_by_another_way_meanwhile_is_there_and_not_added(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    first, second = upload(xlsx([good_row(1), good_row(2)])), upload(xlsx([good_row(2), good_row(3)]))
    merge(first, clerk, clubs, run_jobs)
    merge(second, clerk, clubs, run_jobs)
    assert (first.added, second.added, second.there, db.session.query(Member).count()) == (2, 1, 1, 3)


def test_the_second_row_of_one_person_names_the_first(upload: Upload) -> None:
    one = upload(xlsx([good_row(1), good_row(2), good_row(1)]))
    assert errors_of(one) == {4: ["The same entry stands in line 2 already."]}


def test_people_of_others_and_under_other_names_are_told_apart(
    upload: Upload, clubs: ProgramYear, make_person: MakePerson, make_user: MakeUser
) -> None:
    make_person(1, "610202", "李静")
    make_person(2, "610102001", "王芳")
    make_person(3, "610102001", "李梅")
    db.session.execute(update(Person).where(Person.name == "李梅").values(active=False))
    db.session.commit()
    rows = [good_row(1), good_row(2), good_row(3), good_row(4, org_code="610202"), good_row(5)]
    one = upload(xlsx(rows), user=make_user("clerk", "6101"))
    assert errors_of(one) == {
        2: ["This worker is on file at another union; ask for a transfer first."],
        3: ["This identity number is on file under another name."],
        4: ["This worker is no longer on file."],
        5: ["This sponsor has no union with the code “610202” that you answer for."],
    }
    assert one.good == 1


def test_a_register_of_people_on_file_takes_nobody_else(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs, make_person: MakePerson
) -> None:
    make_person(1)
    headings = ("Identity number", "Name", "Likes")
    rows = [[id_number(1), "王芳", "诗"], [id_number(2), "", "诗"]]
    one = upload(xlsx(rows, headings), register=READERS)
    nobody = "Nobody with this identity number is on file in a union of this sponsor that you answer for."
    assert errors_of(one) == {3: [nobody]}
    other = upload(xlsx([[id_number(1), "王方", "诗"]], headings), register=READERS)
    assert errors_of(other) == {2: ["This identity number is on file under another name."]}
    services.start_merge(clerk, one, READERS, clubs, only_good=True)
    run_jobs()
    reader = db.session.query(Reader).one()
    assert (reader.likes, reader.sponsor_id) == ("诗", clubs.org_id)


def test_a_register_of_unions_knows_its_own_uniqueness(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    headings = ("工会代码*", "Name", "Kind", "Volumes", "Cost（万元）", "Opened")
    rows = [
        ["610102", "一楼", "Library", 10, "1.5", ""],
        ["610102", "二楼", "Library", 10, "1.5元", ""],
        ["610102", "一楼", "Library", 11, "", ""],
        ["610202", "一楼", "Library", 11, "", ""],
    ]
    one = upload(xlsx(rows, headings), register=CORNERS)
    assert errors_of(one) == {4: ["The same entry stands in line 2 already."]}
    services.start_merge(clerk, one, CORNERS, clubs, only_good=True)
    run_jobs()
    made = [(row.name, row.org_path, row.cost_fen) for row in db.session.query(Corner).order_by(Corner.id)]
    assert made == [
        ("一楼", "/61/6101/610102/", 15_000_00),
        ("二楼", "/61/6101/610102/", 1_50),
        ("一楼", "/61/6102/610202/", None),
    ]


def test_an_industry_union_imports_for_its_members_only(
    upload: Upload, clerk: User, small_tree: dict[str, Org], clubs: ProgramYear, make_user: MakeUser
) -> None:
    clubs.org_id, clubs.org_path = small_tree["61-transport"].id, small_tree["61-transport"].path
    db.session.commit()
    rows = [good_row(1, org_code="610102-bus"), good_row(2)]
    assert list(errors_of(upload(xlsx(rows)))) == [3]


def test_what_changed_between_preview_and_merge_is_left_out_and_said(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs, make_person: MakePerson
) -> None:
    make_person(1, "610102001", "李静")
    one = upload(xlsx([good_row(1), good_row(2)]))
    db.session.execute(update(Person).values(name="李净"))
    merge(one, clerk, clubs, run_jobs)
    assert (one.state, one.added, one.bad) == ("merged", 1, 1)
    assert errors_of(one) == {2: ["This identity number is on file under another name."]}


def test_a_permission_lost_meanwhile_is_said_and_nothing_is_merged(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    one = upload(xlsx([good_row(1)]))
    services.start_merge(clerk, one, MEMBERS, clubs, only_good=False)
    db.session.query(Grant).delete()
    db.session.commit()
    run_jobs()
    db.session.refresh(one)
    assert (one.state, one.error) == ("staged", "You may not change this register for any union.")
    assert db.session.query(Member).count() == db.session.query(Person).count() == 0


def test_a_year_closed_meanwhile_is_said_and_nothing_is_merged(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    one = upload(xlsx([good_row(1)]))
    services.start_merge(clerk, one, MEMBERS, clubs, only_good=False)
    clubs.closes_on = date(2014, 2, 1)
    run_jobs()
    db.session.refresh(one)
    assert one.state == "staged"
    assert "closed" in one.error
    with pytest.raises(Forbidden, match="closed"):
        services.start_merge(clerk, one, MEMBERS, clubs, only_good=False)
    with pytest.raises(Forbidden, match="closed"):
        upload(xlsx([good_row(2)]))


def test_what_the_table_itself_forbids_is_said_and_nothing_is_merged(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    one = merge(upload(xlsx([good_row(1), good_row(2, fee_fen="10000")])), clerk, clubs, run_jobs)
    assert one.state == "staged"
    assert "ck_reading_club_member_fee" in one.error
    assert db.session.query(Member).count() == 0


def test_staged_numbers_are_never_in_the_clear_and_leave_with_the_merge(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    one = upload(xlsx([good_row(1), good_row(2, id_number="610102198001010021", phone="12")]))
    for row in db.session.query(ImportRow):
        held = bytes(row.secret or b"") + str(row.values).encode()
        assert not any(number in held for number in (b"610102198", b"62220200000", b"13800000000"))
    assert merging.secrets_of(db.session.get_one(ImportRow, (one.id, 3)))["phone"] == "12"
    merge(one, clerk, clubs, run_jobs, only_good=True)
    row = db.session.get_one(ImportRow, (one.id, 2))
    assert (row.values, row.secret, row.id_number_digest, row.id_number_tail) == ({}, None, None, "")
    assert row.row_id == db.session.query(Member).one().id
    assert db.session.get_one(ImportRow, (one.id, 3)).secret is not None


def test_taking_back_removes_what_the_import_made_and_keeps_the_people(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    merge(upload(xlsx([good_row(9)])), clerk, clubs, run_jobs)
    one = merge(upload(xlsx([good_row(number) for number in range(3)])), clerk, clubs, run_jobs)
    services.undo(clerk, one, MEMBERS, clubs)
    assert (one.state, one.removed) == ("undone", 3)
    assert (db.session.query(Member).count(), db.session.query(Person).count()) == (1, 4)
    assert db.session.query(RecordChange).filter_by(action="remove").count() == 3
    with pytest.raises(Refused, match="only on the day"):
        services.undo(clerk, one, MEMBERS, clubs)


def test_taking_back_leaves_what_was_changed_or_must_stay(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs
) -> None:
    rows = [good_row(1), good_row(2), good_row(3, note="stays")]
    one = merge(upload(xlsx(rows)), clerk, clubs, run_jobs)
    first = db.session.query(Member).order_by(Member.id).first()
    assert first is not None
    seen = values_of(MEMBERS, first)
    registers.change(clerk, MEMBERS, clubs, first, {"kind": "full"}, seen)
    services.undo(clerk, one, MEMBERS, clubs)
    assert (one.state, one.removed) == ("merged", 1)
    assert {member.note for member in db.session.query(Member)} == {"n", "stays"}
    assert first.id in {member.id for member in db.session.query(Member)}
    with pytest.raises(Refused, match="This member stays"):
        registers.remove(clerk, MEMBERS, clubs, db.session.query(Member).filter_by(note="stays").one())


def test_taking_back_leaves_what_another_table_refers_to(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs, make_person: MakePerson
) -> None:
    make_person(1)
    make_person(2)
    one = upload(xlsx([[id_number(1), "诗"], [id_number(2), "诗"]], ("Identity number", "Likes")), register=READERS)
    services.start_merge(clerk, one, READERS, clubs, only_good=False)
    run_jobs()
    lent = db.session.query(Reader).order_by(Reader.id).first()
    assert lent is not None
    db.session.execute(db.text("INSERT INTO reading_club_loan (reader_id) VALUES (:id)"), {"id": lent.id})
    db.session.commit()
    db.session.refresh(one)
    services.undo(clerk, one, READERS, clubs)
    assert (one.removed, [row.id for row in db.session.query(Reader)]) == (1, [lent.id])


def test_an_import_of_yesterday_stays(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = merge(upload(xlsx([good_row(1)])), clerk, clubs, run_jobs)
    tomorrow = today() + timedelta(days=1)
    monkeypatch.setattr(services, "today", lambda: tomorrow)
    with pytest.raises(Refused, match="only on the day"):
        services.undo(clerk, one, MEMBERS, clubs)
    assert db.session.query(Member).count() == 1
