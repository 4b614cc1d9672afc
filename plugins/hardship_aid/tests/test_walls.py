"""Nobody beside a union is given its files, what they came to, or what was found about them."""

import io
from datetime import date

import pytest
from flask_sqlalchemy import SQLAlchemy

from core.api import Person, ProgramYear, decrypt
from core.plugin.testing import AssertWalls
from core.users.testing import MakeUser
from plugins.hardship_aid.categories import outside
from plugins.hardship_aid.categories.models import Hit
from plugins.hardship_aid.centres.models import Centre
from plugins.hardship_aid.files.models import Member
from plugins.hardship_aid.lines.models import SubsistenceLine
from plugins.hardship_aid.tests.households import MakeFile
from plugins.hardship_aid.tests.households import make_file as make_file
from plugins.hardship_aid.tests.paired import pair, visit
from plugins.hardship_aid.transfers import services

pytestmark = pytest.mark.services


def test_every_page_keeps_to_the_walls(
    db: SQLAlchemy,
    program_year: ProgramYear,
    make_file: MakeFile,
    make_user: MakeUser,
    assert_walls: AssertWalls,
) -> None:
    file = make_file(name="王秦安", state="comparison", computed="deep", computed_year=2014, line_fen=1_062_00,
                     decided="relative", decided_because="财产核查另有说明")  # fmt: skip
    place = {"org_id": file.org_id, "org_path": file.org_path}
    member = Member(
        sponsor_id=file.sponsor_id, person_id=file.person_id, name="李秦安", relation="spouse",
        born_on=date(1980, 1, 1), **place,
    )  # fmt: skip
    line = SubsistenceLine(program_year_id=program_year.id, monthly_fen=777_77, **place)
    db.session.add_all([member, line])
    db.session.commit()
    paired = pair(program_year, db.session.get_one(Person, file.person_id), leader="李厅长秦")
    visited = visit(program_year, paired)
    settled = make_file(name="王秦安")
    centre = Centre(sponsor_id=file.sponsor_id, kind="centre", name="秦安援助中心", opened_on=date(2010, 1, 1), **place)
    db.session.add(centre)
    db.session.commit()
    number = decrypt("id_number", db.session.get_one(Person, file.person_id).id_number)
    content = io.BytesIO(f"身份证号,类别\n{number},车辆\n".encode())
    assert outside.compare(make_user("clerk", "610102"), program_year, content, "新城车辆.csv").hits == 1
    assert db.session.query(Hit).count() == 1
    handed = services.ask(make_user("clerk", "610102"), program_year, settled.id, "610102001", "已调至街道")
    asked = assert_walls(
        program_year,
        hidden=[
            "王秦安",
            "王*安",
            "李秦安",
            number,
            number[-4:],
            "777.77",
            "财产核查",
            "新城车辆",
            "李厅长秦",
            "已调至街道",
        ],
        rows={
            "files": file.id,
            "members": member.id,
            "lines": line.id,
            "pairs": paired.id,
            "pair_visits": visited.id,
            "centres": centre.id,
        },
        file_id=file.id,
        transfer_id=handed.id,
    )
    assert asked > 60
