"""Workers with files, and pairs and visits of theirs, for the tests of pairing."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import xlsxwriter

from core.api import Person, ProgramYear, db, decrypt
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.pairing.models import Pair, PairVisit

LEADER, POST, UNIT = "张建国", "副局长", "市教育局"
PAIR = {"leader": LEADER, "post": POST, "rank": "division", "unit": UNIT, "paired_on": "2014-01-10"}
VISIT = {"leader": LEADER, "visited_on": "2014-03-05", "note": "了解子女就学情况", "gift_fen": "500"}


def number_of(person: Person) -> str:
    """The identity number in full."""
    return decrypt("id_number", person.id_number)


def open_file(year: ProgramYear, person: Person, **changes: Any) -> File:
    """A file of somebody who is on file."""
    values: dict[str, Any] = {
        "worker": "employed",
        "household_size": 3,
        "head": "self",
        "income_fen": 10_000_00,
        "rigid_fen": 0,
        "cause": "illness",
        "applied_on": date(2013, 12, 2),
        "state": "on_file",
    }
    whose = {"person_id": person.id, "org_id": person.org_id, "org_path": person.org_path}
    file = File(sponsor_id=year.org_id, **whose, **(values | changes))
    db.session.add(file)
    db.session.commit()
    return file


def pair(year: ProgramYear, person: Person, **changes: Any) -> Pair:
    """A pair of somebody with a file."""
    values: dict[str, Any] = {**PAIR, "paired_on": date(2014, 1, 10)}
    whose = {"person_id": person.id, "org_id": person.org_id, "org_path": person.org_path}
    made = Pair(sponsor_id=year.org_id, **whose, **(values | changes))
    db.session.add(made)
    db.session.commit()
    return made


def visit(year: ProgramYear, paired: Pair, on: date = date(2014, 3, 5), **changes: Any) -> PairVisit:
    """A visit by the leader of a pair."""
    whose = {"person_id": paired.person_id, "org_id": paired.org_id, "org_path": paired.org_path}
    made = PairVisit(program_year_id=year.id, **whose, **({"leader": paired.leader, "visited_on": on} | changes))
    db.session.add(made)
    db.session.commit()
    return made


def sheet(headings: Sequence[str], *rows: Sequence[object]) -> io.BytesIO:
    """An xlsx with these headings and rows."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        page = book.add_worksheet()
        for line, row in enumerate([headings, *rows]):
            page.write_row(line, 0, row)
    target.seek(0)
    return target
