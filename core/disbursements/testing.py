"""Fixtures of a program that pays, for tests of the core and of plugins; core/testing.py exports them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, or_, select

from core.audit.services import SYSTEM
from core.disbursements import payout, services
from core.disbursements.candidates import paying_level
from core.disbursements.models import Run
from core.ledger.allotting import fund_from_own
from core.org.models import Org
from core.org.scope import Scope, subtree
from core.people.fictional import fictional_people
from core.people.models import Person
from core.people.secrets import digest
from core.people.services import PersonRow, register_people
from core.programs.models import ProgramYear
from core.programs.services import enable, loaded_program
from core.users.access import today
from core.users.testing import MakeUser, plant

#: What each paying union has to spend in a test: ten million yuan.
PLENTY = 10_000_000_00
SwitchOn = Callable[..., ProgramYear]
MakePerson = Callable[..., Person]
PayOut = Callable[..., Run]


@pytest.fixture
def program_year(db: SQLAlchemy) -> SwitchOn:
    """``program_year(code, year=2014, sponsor="61", **settings) -> ProgramYear`` switches a program on.

    It is open from 1 January of that year, or from today when that comes first, with no end. Settings are JSON values:
    money in fen, days as ISO text. Unless told otherwise a run needs no public notice, so that a test can pay at once.
    """

    def switch_on(code: str, year: int = 2014, sponsor: str = "61", **settings: Any) -> ProgramYear:
        form = loaded_program(code).settings_form
        if form is not None and "notice_working_days" in form():
            settings = {"notice_working_days": 0} | settings
        opens_on = min(date(year, 1, 1), today())
        return enable(SYSTEM, code, year, plant(sponsor), opens_on=opens_on, settings=settings)

    return switch_on


@pytest.fixture
def make_person(db: SQLAlchemy) -> MakePerson:
    """``make_person(org_code="610102", *, with_account=True, name=None) -> Person`` takes a new person on file.

    The people are fictional; their numbers have valid check digits. ``decrypt("id_number", person.id_number)`` gives
    the number that a form asks for.
    """
    stream: Iterator[PersonRow] = fictional_people(1, "tests", ["610102001"])

    def make(org_code: str = "610102", *, with_account: bool = True, name: str | None = None) -> Person:
        row = replace(next(stream), org_code=plant(org_code).code)
        row = replace(row, name=name or row.name)
        if not with_account:
            row = replace(row, bank_account=None, bank_name=None)
        register_people(SYSTEM, [row], Scope(("/",)))
        return db.session.scalars(
            select(Person).where(Person.id_number_digest == digest("id_number", row.id_number))
        ).one()

    return make


@pytest.fixture
def pay_out(db: SQLAlchemy, make_user: MakeUser, run_jobs: Callable[[], int]) -> PayOut:
    """``pay_out(program_year, scheme_code, org_code=None) -> Run`` takes a run from nothing to posted.

    Made by a clerk of the sponsor for ``org_code`` (else for the sponsor), computed, submitted, approved by as
    many reviewers as the settings ask for, posted by finance; the paying unions get more than enough money first.
    """

    def pay(program_year: ProgramYear, scheme_code: str, org_code: str | None = None) -> Run:
        sponsor = db.session.get_one(Org, program_year.org_id)
        org = plant(org_code) if org_code else sponsor
        clerk, finance = make_user("clerk", sponsor.code), make_user("finance", sponsor.code)
        run = services.create_run(clerk, program_year, scheme_code, "测试发放", org)
        payers = db.session.scalars(_may_pay(org, paying_level(run.settings)))
        fund_from_own(
            finance, program_year, key=f"run:{run.id}", amounts=dict.fromkeys(payers, PLENTY),
            effective_on=today(), description="测试自筹",
        )  # fmt: skip
        services.start_computing(clerk, run)
        run_jobs()
        db.session.refresh(run)
        assert run.state == "computed", run.error
        services.submit(clerk, run)
        while run.state == "submitted":
            services.decide(make_user("reviewer", sponsor.code), run, approve=True, comment="")
        payout.post(finance, run, today())
        return run

    return pay


def _may_pay(org: Org, level: str) -> Any:
    """The ids of all unions from whose money a run for ``org`` could take."""
    near = or_(subtree(Org.path, org.path), func.starts_with(org.path, Org.path))
    return select(Org.id).where((Org.id == org.id) | (Org.level == level) & near)
