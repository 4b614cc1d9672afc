"""Guests, who stay from year to year: every reviewer of the county is heard, then two of the sponsor admit them."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column
from wtforms import StringField

from core.api import BigId, Column, Flow, FlowColumns, OrgPath, PersonRecordForm, Register, Transition, org_reference
from tests.plugins_for_tests.meals.bids import Base


class Guest(FlowColumns, Base):
    """Somebody who eats with a sponsor."""

    __tablename__ = "meals_guest"
    __table_args__ = (org_reference(),)

    id: Mapped[BigId]
    sponsor_id: Mapped[int] = mapped_column(ForeignKey("core_org.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    likes: Mapped[str]


class GuestForm(PersonRecordForm):
    """One guest."""

    likes = StringField("Likes")


def step(code: str, source: str, target: str, **more: object) -> Transition:
    """A step of reviewers."""
    return Transition(code=code, title=code, source=source, target=target, permission="meals.review", **more)  # type: ignore[arg-type]


FLOW = Flow(
    states={"draft": "Draft", "hearing": "Hearing", "panel": "Panel", "admitted": "Admitted", "returned": "Returned"},
    transitions=(
        Transition(
            code="submit", title="Submit", source=("draft", "returned"), target="hearing", permission="meals.edit",
            not_creator=False,
        ),
        step("hear", "hearing", "panel", level="county", votes="all"),
        step("admit", "panel", "admitted", level="province", votes=2),
        step("return", "panel", "returned", level="province", comment=True),
    ),
)  # fmt: skip
GUESTS = Register(
    code="meals.guests",
    program="meals",
    title="Guests",
    model=Guest,
    form=GuestForm,
    columns=(Column(name="likes", title="Likes"),),
    view_permission="program.view",
    edit_permission="meals.edit",
    flow=FLOW,
)
