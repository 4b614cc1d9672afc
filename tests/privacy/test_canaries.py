"""Nothing personal in logs, jobs, messages, mails, Redis and the audit trail: known people walk through the house."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import redis
from flask import Flask, abort
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DataError, IntegrityError

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.config import Settings
from core.discretion import discreet
from core.exports import services as exports
from core.exports.sources import source_of
from core.extensions import db
from core.imports import services as imports
from core.jobs.models import Job
from core.jobs.services import enqueue
from core.lists.queries import Asked
from core.org.scope import Scope
from core.people.correcting import Correction, correct_person
from core.people.models import Person
from core.people.personal import erase
from core.people.purposes import Purpose
from core.people.queries import version_of
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.programs.models import ProgramYear
from core.tasks.models import Mail, Message
from core.users.models import User
from core.users.testing import AsUser, Browser, MakeUser
from tests.imports.conftest import good_row, xlsx
from tests.plugins_for_tests.reading_club.registers import MEMBERS
from tests.registers.conftest import clubs as clubs
from tests.registers.conftest import id_number
from tests.registers.conftest import plugins as plugins

pytestmark = pytest.mark.services
NAME, NUMBER, PHONE, ACCOUNT = "金丝雀甲", id_number(7), "13987650123", "6222020000098765432"
WRONG_PHONE, NEW_ACCOUNT = "139876501239", "6222020000011112222"
CANARIES = (NAME, NUMBER, PHONE, ACCOUNT, WRONG_PHONE, NEW_ACCOUNT)
EVERYWHERE = Scope.of(["/61/"])


def person_in_trouble() -> dict[str, object]:
    """A row of a person that the table refuses, so that the database repeats it."""
    row = {column.name: getattr(db.session.query(Person).first(), column.name) for column in Person.__table__.columns}
    return {name: value for name, value in row.items() if name != "id"} | {"gender": "?"}


def fail(_context: object) -> None:
    """A job that runs into the database with somebody's row in its hands."""
    db.session.execute(insert(Person), [person_in_trouble()])


def fail_with_number(_context: object) -> None:
    raise ValueError(f"cannot send to {PHONE}, {NUMBER}")


@pytest.fixture
def failing(app: Flask) -> Iterator[None]:
    """Two jobs and a page that fail."""
    registry = registry_of()
    for name, func in (("canary.row", fail), ("canary.number", fail_with_number)):
        registry.jobs[name] = JobSpec(name=name, title=name, func=func)

    @app.get("/canary")
    def canary() -> str:
        fail(None)
        abort(418)

    yield
    del registry.jobs["canary.row"], registry.jobs["canary.number"]


def walk(clubs: ProgramYear, user: User, clerk: Browser, run_jobs: Callable[[], int]) -> None:
    """What a year brings, for one person: a list with faults, pages, an export, failures, a correction, erasing."""
    row = good_row(7, name=NAME, phone=PHONE, bank_account=ACCOUNT)
    bad = good_row(8, name=NAME, phone=WRONG_PHONE)
    one = imports.upload(user, MEMBERS, clubs, io.BytesIO(xlsx([row, bad])), "list.xlsx")
    run_jobs()
    imports.start_merge(user, one, replace(MEMBERS, import_bad_share=1.0), clubs, only_good=True)
    run_jobs()
    person = db.session.query(Person).filter_by(name=NAME).one()
    clerk.post(f"/people/{person.id}/numbers", data={"purpose": "contact"})
    clerk.post("/people/view", data={"id_number": NUMBER})
    clerk.get("/people", query_string={"text": NAME})
    exports.ask(user, source_of(user, "people", None), None, Asked(args={}), [], "csv", Purpose("report"))
    for name in ("canary.row", "canary.number"):
        enqueue(name, user, user.org_path)
    run_jobs()
    assert clerk.get("/canary").status_code == 500
    clerk.post("/login", data={"username": "nobody", "password": NUMBER})
    wanted = Correction(bank_account=NEW_ACCOUNT, bank_name="长安银行")
    correct_person(user, EVERYWHERE, person.id, version_of(person), wanted)
    erase(SYSTEM, EVERYWHERE, person.id, "本人申请")


def everything_said(settings: Settings) -> dict[str, str]:
    """All that is kept of jobs, messages, mails, the audit trail and in Redis."""
    tables = {model.__tablename__: model.__table__ for model in (Job, Message, Mail, AuditLine)}
    said = {name: str(db.session.execute(select(table)).all()) for name, table in tables.items()}
    server = redis.Redis.from_url(settings.redis_url or "")
    said["redis"] = "".join(str((key, server.dump(key))) for key in server.keys("*"))
    return said


def test_a_person_leaves_no_trace_where_people_must_not_stand(
    app: Flask,
    settings: Settings,
    clubs: ProgramYear,
    as_user: AsUser,
    make_user: MakeUser,
    run_jobs: Callable[[], int],
    failing: None,
    capfd: pytest.CaptureFixture[str],
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.config["TESTING"] = False
    clerk = make_user("clerk")
    walk(clubs, clerk, as_user(clerk), run_jobs)
    out, err = capfd.readouterr()
    assert "request crashed" in err and "Failing row" not in err
    said = everything_said(settings) | {"log": out + err}
    failed = list(db.session.scalars(select(Job).where(Job.state == "failed").order_by(Job.id)))
    assert [job.name for job in failed] == ["canary.row", "canary.number"]
    assert "violates check constraint" in (failed[0].error or "")
    assert failed[1].error == "ValueError: cannot send to ****, ****"
    assert {(place, canary) for place, text in said.items() for canary in CANARIES if canary in text} == set()
    assert said["redis"] and said["core_audit"] and said["core_job"]
    ends = {canary[-4:] for canary in (ACCOUNT, NEW_ACCOUNT)}
    assert not [end for end in ends if f"'{end}'" in said["core_audit"]]


def test_what_the_database_repeats_is_left_out(app: Flask) -> None:
    with pytest.raises(DataError) as wrong:
        db.session.execute(text(f"SELECT CAST('{NAME}' AS bigint)"))
    db.session.rollback()
    for said in (str(wrong.value.orig), repr(wrong.value.orig)):
        assert NAME in said and NAME not in discreet(said)
        assert "invalid input syntax for type bigint" in discreet(said)
    with pytest.raises(IntegrityError) as twice:
        db.session.execute(text("CREATE TEMP TABLE t (n text UNIQUE)"))
        db.session.execute(text("INSERT INTO t VALUES (:name), (:name)"), {"name": NAME})
    for said in (str(twice.value.orig), repr(twice.value.orig)):
        assert NAME in said and NAME not in discreet(said)
        assert "t_n_key" in discreet(said)


@pytest.mark.parametrize(
    "kept",
    [
        "request_id=1a2345678b line 123456",
        "bench.run of 2026-11-22 10:15:00",
        "KeyError: 'x' of 123456",
        "0x7f0123456789",
    ],
)
def test_what_is_no_number_of_a_person_stays(kept: str) -> None:
    assert discreet(kept) == kept
