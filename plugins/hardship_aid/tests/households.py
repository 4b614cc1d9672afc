"""Files of households for the tests of categories, put into the table as they are."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from core.api import Org, Person, db
from plugins.hardship_aid.files.models import File

MakeFile = Callable[..., File]
VALUES: dict[str, Any] = {
    "worker": "employed", "household_size": 3, "head": "self", "income_fen": 48_000_00, "rigid_fen": 15_000_00,
    "cause": "illness", "applied_on": date(2014, 1, 6), "state": "on_file",
}  # fmt: skip


@pytest.fixture
def make_file(small_tree: dict[str, Org], make_person: Callable[..., Person]) -> MakeFile:
    """``make_file(org_code="610102", sponsor="61", **columns) -> File``: the family of the worked example."""

    def make(org_code: str = "610102", *, sponsor: str = "61", name: str | None = None, **columns: Any) -> File:
        person = make_person(org_code, name=name)
        place = {"sponsor_id": small_tree[sponsor].id, "org_id": person.org_id, "org_path": person.org_path}
        file = File(person_id=person.id, **place, **(VALUES | columns))
        db.session.add(file)
        db.session.commit()
        return file

    return make
