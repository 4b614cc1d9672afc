"""The plugin under test; the other fixtures come from Zhijia (docs/writing-a-plugin.md lists them)."""

from collections.abc import Callable
from datetime import date

import pytest
from core.api import Org, Person, ProgramYear
from flask_sqlalchemy import SQLAlchemy

from mine_study_aid import plugin
from mine_study_aid.models import Student


@pytest.fixture
def plugins() -> dict[str, object]:
    """Load this plugin and no other."""
    return {"mine_study_aid": plugin}


@pytest.fixture
def year(small_tree: dict[str, Org], program_year: Callable[..., ProgramYear]) -> ProgramYear:
    """2014, run by an industry union, counted on 1 October, with the amounts of that year."""
    return program_year("mine_study_aid", sponsor="61-transport", counted_on="2014-10-01")


@pytest.fixture
def enrol(db: SQLAlchemy, year: ProgramYear, make_person: Callable[..., Person]) -> Callable[..., Student]:
    """``enrol(level, enrolled_on=..., graduates_on=..., org_code=...)`` is a new student on the register."""

    def put(
        level: str = "senior_school",
        enrolled_on: str = "2012-09-01",
        graduates_on: str = "2015-07-01",
        org_code: str = "610102-bus",
        with_account: bool = True,
    ) -> Student:
        person = make_person(org_code, with_account=with_account)
        student = Student(
            sponsor_id=year.org_id,
            person_id=person.id,
            org_id=person.org_id,
            org_path=person.org_path,
            level=level,
            school="安康中学",
            enrolled_on=date.fromisoformat(enrolled_on),
            graduates_on=date.fromisoformat(graduates_on),
        )
        db.session.add(student)
        db.session.commit()
        return student

    return put
