"""Hot meals of 2014 with their bids and guests, and short ways to take steps with them."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.extensions import db
from core.flows import services
from core.flows.models import FlowStep
from core.flows.queries import options_of, the_move
from core.flows.services import Done
from core.org.models import Org
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.registers.services import add
from core.users.models import User
from core.users.testing import MakeUser
from tests.plugins_for_tests.meals import plugin as meals_plugin
from tests.plugins_for_tests.meals.bids import BIDS, Bid

URL = "/2014/61/meals/registers/"
AddBid = Callable[..., Bid]


@pytest.fixture(autouse=True)
def english(english: None) -> None:
    """Every test here reads English."""


@pytest.fixture
def plugins() -> dict[str, object]:
    """Hot meals."""
    return {"meals": meals_plugin}


def switch_on(sponsor: Org, **settings: Any) -> ProgramYear:
    """Hot meals of 2014 at a sponsor, open."""
    return enable(SYSTEM, "meals", 2014, sponsor, opens_on=date(2014, 1, 1), settings={"review_days": 5} | settings)


@pytest.fixture
def meals(small_tree: dict[str, Org]) -> ProgramYear:
    """Hot meals of 2014, run by the province, open."""
    return switch_on(small_tree["61"])


def bid(clerk: User, year: ProgramYear, org_code: str = "610102001", dish: str = "面") -> Bid:
    """A bid of a union, made by a clerk."""
    made = add(clerk, BIDS, year, {"org_code": org_code, "dish": dish})
    assert isinstance(made, Bid)
    return made


def take(user: User, year: ProgramYear, row: Any, code: str, register: Register = BIDS, **more: Any) -> Done:
    """Take a step with an entry, as it stands now."""
    assert register.flow is not None
    step = register.flow.transition(code)
    assert step is not None
    more.setdefault("comment", "because" if step.comment else "")
    return services.move(the_move(user, register, year, step, **more), row.id)


def stands(row: Any) -> tuple[str, str | None]:
    """Where an entry stands: state and level."""
    db.session.refresh(row)
    return row.state, row.at_level


def may(user: User, year: ProgramYear, row: Any, register: Register = BIDS) -> list[str]:
    """The steps that the page offers a user."""
    db.session.refresh(row)
    return [step.code for step in options_of(user, register, year, row).steps]


def steps(row: Any, register: Register = BIDS) -> list[FlowStep]:
    """What was done with an entry, the oldest first."""
    mine = select(FlowStep).where(FlowStep.register == register.code, FlowStep.row_id == row.id)
    return list(db.session.scalars(mine.order_by(FlowStep.id)))


def as_seen(row: Any) -> datetime:
    """What a page would say that it has shown."""
    db.session.refresh(row)
    since: datetime = row.state_since
    return since


@pytest.fixture
def sent(meals: ProgramYear, make_user: MakeUser) -> Bid:
    """A bid of a township that waits at its county."""
    clerk = make_user("clerk", "610102")
    row = bid(clerk, meals)
    take(clerk, meals, row, "submit")
    return row
