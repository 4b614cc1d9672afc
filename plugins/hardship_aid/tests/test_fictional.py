"""A fictional year: everybody has a file that its own rule gives a category, once."""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import func, select

from core.api import NotFound, Person, ProgramYear, db
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.files.offers import on_file
from plugins.hardship_aid.pairing.models import Pair, PairVisit


def test_everybody_has_a_file_with_a_household_and_a_category(
    app: Flask, program_year: ProgramYear, make_person: Callable[..., Person]
) -> None:
    for _number in range(20):
        make_person("610102")
    runner = app.test_cli_runner()
    command = ["hardship-aid", "make-files", "--year", "2014", "--sponsor", "61"]
    printed = runner.invoke(args=command).output.split("\n")
    assert {"files 20", "deep 5", "relative 11", "accidental 4", "pairs 20", "visits 20"} <= set(printed)
    assert db.session.scalar(select(func.count()).select_from(on_file(program_year).subquery())) == 20
    heads = dict(db.session.execute(select(File.person_id, File.household_size)).all())
    members = dict(db.session.execute(select(Member.person_id, func.count()).group_by(Member.person_id)).all())
    assert members == {person: size - 1 for person, size in heads.items()}
    again = runner.invoke(args=command).output.split("\n")
    assert {"files 0", "pairs 0", "visits 0"} <= set(again)
    for model in (File, Pair, PairVisit):
        assert db.session.scalar(select(func.count()).select_from(model)) == 20


def test_a_year_that_is_not_on_is_named(app: Flask, program_year: ProgramYear) -> None:
    result = app.test_cli_runner().invoke(args=["hardship-aid", "make-files", "--year", "2015", "--sponsor", "61"])
    assert isinstance(result.exception, NotFound) and "not enabled for 2015" in str(result.exception)
