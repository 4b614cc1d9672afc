"""Pairs and visits when two files become one person, and when somebody is looked up or erased."""

from collections.abc import Callable
from datetime import date

from click.testing import Result
from sqlalchemy import select, update

from core.api import SYSTEM, Person, ProgramYear, Scope, db
from core.people.merging import merge
from core.plugin import hooks
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.pairing.models import Pair, PairVisit
from plugins.hardship_aid.tests.paired import open_file, pair, visit

MakePerson = Callable[..., Person]


def pairs_of(person: Person) -> list[tuple[str, date, date | None]]:
    rows = db.session.scalars(select(Pair).where(Pair.person_id == person.id).order_by(Pair.leader))
    return [(row.leader, row.paired_on, row.ended_on) for row in rows]


def visits_of(person: Person) -> list[tuple[str, date]]:
    rows = db.session.scalars(select(PairVisit).where(PairVisit.person_id == person.id).order_by(PairVisit.id))
    return [(row.leader, row.visited_on) for row in rows]


def test_two_files_become_one_person_with_the_pairs_of_both(program_year: ProgramYear, make_person: MakePerson) -> None:
    kept, dropped = make_person("610102"), make_person("610102")
    open_file(program_year, kept)
    open_file(program_year, dropped, state="out")
    both = pair(program_year, kept, leader="甲", paired_on=date(2014, 2, 1), ended_on=date(2014, 3, 1))
    same = pair(program_year, dropped, leader="甲", paired_on=date(2014, 1, 1), ended_on=date(2014, 2, 1))
    ended = pair(program_year, kept, leader="乙", ended_on=date(2014, 3, 31))
    stands = pair(program_year, dropped, leader="乙", paired_on=date(2014, 4, 1))
    alone = pair(program_year, dropped, leader="丙")
    visit(program_year, both, date(2014, 2, 1))
    visit(program_year, same, date(2014, 2, 1))
    visit(program_year, same, date(2014, 1, 1))
    visit(program_year, ended, date(2014, 3, 31))
    visit(program_year, stands, date(2014, 4, 1))
    visit(program_year, alone)
    merge(SYSTEM, Scope(("/",)), kept.id, dropped.id)
    db.session.expire_all()
    assert pairs_of(kept) == [
        ("丙", date(2014, 1, 10), None),
        ("乙", date(2014, 1, 10), None),
        ("甲", date(2014, 1, 1), date(2014, 3, 1)),
    ]
    assert visits_of(kept) == [
        ("甲", date(2014, 2, 1)),
        ("甲", date(2014, 1, 1)),
        ("乙", date(2014, 3, 31)),
        ("乙", date(2014, 4, 1)),
        ("丙", date(2014, 3, 5)),
    ]
    assert (pairs_of(dropped), visits_of(dropped)) == ([], [])


def test_a_file_that_takes_another_person_takes_pairs_and_visits_along(
    program_year: ProgramYear, make_person: MakePerson
) -> None:
    kept, dropped = make_person("610102"), make_person("610102")
    open_file(program_year, dropped)
    visit(program_year, pair(program_year, dropped))
    merge(SYSTEM, Scope(("/",)), kept.id, dropped.id)
    db.session.execute(update(File).where(File.person_id == dropped.id).values(person_id=kept.id))
    db.session.commit()
    assert len(pairs_of(kept)) == len(visits_of(kept)) == 1


def test_what_is_kept_about_somebody_is_shown_and_erased(program_year: ProgramYear, make_person: MakePerson) -> None:
    person, other = make_person("610102"), make_person("610102")
    for one in (person, other):
        open_file(program_year, one)
        visit(program_year, pair(program_year, one, ended_on=date(2014, 12, 1)), note="子女考上大学", gift_fen=300_00)
    shown = {record.title: dict(record.values) for record in hooks.personal_data(person, "show")}
    assert shown["Pair of leader and worker"]["Paired leader"] == "市教育局 副局长 张建国"
    assert shown["Pair of leader and worker"]["Ended on"] == "2014-12-01"
    assert shown["Visit by a paired leader"]["What was said or done"] == "子女考上大学"
    assert shown["Visit by a paired leader"]["Gift worth (yuan)"] == "300.00"
    hooks.personal_data(person, "erase")
    db.session.commit()
    notes = dict(db.session.execute(select(PairVisit.person_id, PairVisit.note)).all())
    assert notes == {person.id: "", other.id: "子女考上大学"}


def test_the_tables_are_as_the_models_say(program_year: ProgramYear, run_command: Callable[..., Result]) -> None:
    checked = run_command("db", "check", "--plugin", "hardship_aid")
    assert checked.exit_code == 0, checked.output
