"""Files and their households: what the form, an import and the table take."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.api import SYSTEM, Org, Person, ProgramYear, Register, db, decrypt
from core.imports import services as imports
from core.imports.fields import fields_of, matched
from core.imports.models import ImportRow
from core.programs.services import enable
from core.registers import services as registers
from core.registers.history import values_of
from core.users.testing import AsUser, MakeUser
from plugins.hardship_aid.files.models import File, Member
from plugins.hardship_aid.files.registers import FILES, MEMBERS
from plugins.hardship_aid.tests.conftest import LINE, PAGES

VALUES = {
    "worker": "employed",
    "household_size": "3",
    "head": "self",
    "income_fen": "4.8万元",
    "rigid_fen": "15000",
    "loss_fen": "0",
    "cause": "illness",
    "barrier": "none",
    "applied_on": "2014-01-06",
}


def send(clerk: FlaskClient, person: Person, **values: str) -> Any:
    """Fill in the form of a file for somebody on file."""
    known = {"id_number": decrypt("id_number", person.id_number), "name": person.name, "org_code": "610102"}
    return clerk.post(f"{PAGES}/registers/files/add", data=VALUES | known | values)


def test_an_application_makes_a_file(
    program_year: ProgramYear, as_user: AsUser, make_person: Callable[..., Person]
) -> None:
    person = make_person("610102")
    assert send(as_user("clerk", "610102"), person).status_code == 302
    file = db.session.scalars(select(File)).one()
    assert (file.person_id, file.org_path, file.state) == (person.id, person.org_path, "draft")
    assert (file.income_fen, file.rigid_fen, file.loss_fen) == (48_000_00, 15_000_00, 0)
    assert (file.head, file.head_name, file.applied_on) == ("self", "", date(2014, 1, 6))
    assert (file.computed, file.computed_year, file.line_fen) == ("deep", 2014, LINE)


def test_the_category_follows_what_is_changed(
    program_year: ProgramYear, as_user: AsUser, make_user: MakeUser, make_person: Callable[..., Person]
) -> None:
    """On the line is not below it: (53,232 - 15,000) / 12 / 3 = 1,062 yuan, which is relative hardship."""
    clerk = make_user("clerk", "610102")
    send(as_user(clerk), make_person("610102"))
    file = db.session.scalars(select(File)).one()
    for income, category in ((53_231_99, "deep"), (53_232_00, "relative"), (91_464_00, "none")):
        registers.change(clerk, FILES, program_year, file, {"income_fen": income}, values_of(FILES, file))
        db.session.refresh(file)
        assert file.computed == category, income


def test_the_category_is_that_of_the_latest_open_year(
    program_year: ProgramYear, as_user: AsUser, make_user: MakeUser, make_person: Callable[..., Person]
) -> None:
    """Also where the figures change on the pages of an earlier one; a year that is switched off counts for nothing."""
    sponsor, opened = db.session.get_one(Org, program_year.org_id), date(2014, 1, 1)
    later, off = (
        enable(SYSTEM, "hardship_aid", year, sponsor, opens_on=opened, settings=program_year.settings | {"line": line})
        for year, line in ((2015, 500_00), (2016, 1_00))
    )
    off.enabled = False
    clerk = make_user("clerk", "610102")
    send(as_user(clerk), make_person("610102"))
    file = db.session.scalars(select(File)).one()
    assert (file.computed, file.computed_year) == ("relative", later.year)
    registers.change(clerk, FILES, program_year, file, {"income_fen": 30_000_00}, values_of(FILES, file))
    db.session.refresh(file)
    assert (file.computed, file.computed_year) == ("deep", later.year)


def test_the_categories_of_imported_files_are_there_with_them(
    program_year: ProgramYear, make_person: Callable[..., Person], make_user: MakeUser
) -> None:
    clerk, poor, rich = make_user("clerk", "610102"), make_person("610102"), make_person("610102")
    lines = [",".join(["身份证号", "姓名", "所属工会代码", *VALUES])]
    for person, income in ((poor, "48000"), (rich, "980000")):
        known = [decrypt("id_number", person.id_number), person.name, "610102"]
        lines.append(",".join([*known, *(VALUES | {"income_fen": income}).values()]))
    one = imports.upload(clerk, FILES, program_year, BytesIO("\n".join(lines).encode()), "files.csv")
    imports.start_merge(clerk, one, FILES, program_year, only_good=False)
    imports.merge_by_job(clerk, one, FILES, program_year, lambda _done, _total: None)
    assert dict(db.session.execute(select(File.person_id, File.computed)).all()) == {poor.id: "deep", rich.id: "none"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"head": "spouse"}, "A household needs a head: enter the name."),
        ({"head": ""}, "Not a valid choice."),
        ({"household_size": "0"}, "Number must be between 1 and 30."),
        ({"applied_on": "2999-01-01"}, "This day lies in the future."),
    ],
)
def test_what_no_file_can_say_is_told_at_its_field(
    program_year: ProgramYear,
    as_user: AsUser,
    make_person: Callable[..., Person],
    values: dict[str, str],
    sentence: str,
) -> None:
    page = send(as_user("clerk", "610102"), make_person("610102"), **values)
    assert page.status_code == 400
    assert sentence in page.text
    assert db.session.scalars(select(File)).first() is None


def test_a_worker_has_one_file(program_year: ProgramYear, as_user: AsUser, make_person: Callable[..., Person]) -> None:
    clerk, person = as_user("clerk", "610102"), make_person("610102")
    send(clerk, person)
    again = send(clerk, person)
    assert again.status_code == 400
    assert "This person is in the register already." in again.text
    with pytest.raises(IntegrityError, match="uq_hardship_aid_file_person_id"):
        db.session.execute(
            text(
                "INSERT INTO hardship_aid_file (sponsor_id, person_id, org_id, org_path, worker, household_size, head,"
                " income_fen, rigid_fen, cause, applied_on) SELECT sponsor_id, person_id, org_id, org_path, worker,"
                " household_size, head, income_fen, rigid_fen, cause, applied_on FROM hardship_aid_file"
            )
        )


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("head = 'spouse'", "head"),
        ("head_name = '某人'", "head"),
        ("household_size = 0", "household_size"),
        ("decided = 'deep'", "decided"),
        ("computed = NULL", "computed_year"),
    ],
)
def test_the_table_keeps_the_rules_itself(
    program_year: ProgramYear, as_user: AsUser, make_person: Callable[..., Person], change: str, rule: str
) -> None:
    send(as_user("clerk", "610102"), make_person("610102"))
    with pytest.raises(IntegrityError, match=f"ck_hardship_aid_file_{rule}"):
        db.session.execute(text(f"UPDATE hardship_aid_file SET {change}"))  # noqa: S608  # of the list above


@pytest.mark.parametrize("register", [FILES, MEMBERS])
def test_an_import_knows_every_heading_of_its_template(program_year: ProgramYear, register: Register) -> None:
    fields = fields_of(register)
    headings = [field.heading for field in fields]
    assert matched(headings, fields, {}) == [field.name for field in fields]
    assert len(set(headings)) == len(headings)
    assert [heading for heading in headings if heading.count("yuan") > 1] == []


def test_an_import_refuses_a_second_file_and_a_household_without_a_head(
    program_year: ProgramYear, as_user: AsUser, make_person: Callable[..., Person], make_user: MakeUser
) -> None:
    """A worker with a file is told as such; of two rows about one worker the second is wrong."""
    clerk, known, new, headless = make_user("clerk", "610102"), *(make_person("610102") for _each in range(3))
    assert send(as_user(clerk), known).status_code == 302
    head = ",".join(["身份证号", "姓名", "所属工会代码", *VALUES])

    def line(person: Person, **values: str) -> str:
        return ",".join([decrypt("id_number", person.id_number), person.name, "610102", *(VALUES | values).values()])

    rows = [head, line(known), line(new), line(new), line(headless, head="spouse")]
    one = imports.upload(clerk, FILES, program_year, BytesIO("\n".join(rows).encode()), "files.csv")
    staged = select(ImportRow.line, ImportRow.errors).where(ImportRow.import_id == one.id)
    told: dict[int, list[str]] = dict(db.session.execute(staged).all())
    assert told == {
        2: [],  # as it is there already
        3: [],
        4: ["The same entry stands in line 3 already."],
        5: ["“Name of the head”: A household needs a head: enter the name."],
    }
    assert db.session.scalar(select(ImportRow.there).where(ImportRow.import_id == one.id, ImportRow.line == 2))


def test_members_are_imported_by_the_number_of_the_worker(
    program_year: ProgramYear, as_user: AsUser, make_person: Callable[..., Person], make_user: MakeUser
) -> None:
    person, clerk = make_person("610102"), make_user("clerk", "610102")
    assert send(as_user(clerk), person).status_code == 302
    number = decrypt("id_number", person.id_number)
    head = ",".join(field.heading for field in fields_of(MEMBERS))
    line = f"{number},某家属,Child,2005-06-07,Healthy,某中学,0"
    one = imports.upload(clerk, MEMBERS, program_year, BytesIO(f"{head}\n{line}\n".encode()), "members.csv")
    assert (one.state, one.good, one.bad) == ("staged", 1, 0)
    imports.start_merge(clerk, one, MEMBERS, program_year, only_good=False)
    imports.merge_by_job(clerk, one, MEMBERS, program_year, lambda _done, _total: None)
    member = db.session.query(Member).one()
    assert (member.person_id, member.name, member.relation) == (person.id, "某家属", "child")


def test_a_household_is_that_of_a_worker_with_a_file(
    program_year: ProgramYear, as_user: AsUser, make_person: Callable[..., Person]
) -> None:
    clerk, person = as_user("clerk", "610102"), make_person("610102")
    member = {"name": "李小草", "relation": "child", "born_on": "2005-01-01", "health": "healthy", "income_fen": "0"}
    values = member | {"id_number": decrypt("id_number", person.id_number)}
    refused = clerk.post(f"{PAGES}/registers/members/add", data=values)
    assert refused.status_code == 400
    assert "This worker has no file; open one first." in refused.text
    assert send(clerk, person).status_code == 302
    assert clerk.post(f"{PAGES}/registers/members/add", data=values).status_code == 302
