from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from wtforms import StringField

from core.api import (
    TYPES,
    BigId,
    Column,
    Flow,
    FlowColumns,
    OrgPath,
    OrgRecordForm,
    Register,
    Transition,
    metadata,
    org_reference,
    review,
)  # fmt: skip

STATES = {"draft": "Draft", "review": "Under review", "approved": "Approved", "returned": "Returned",
          "refused": "Refused", "paid": "Paid"}  # fmt: skip


class Base(DeclarativeBase):
    metadata = metadata
    type_annotation_map = TYPES


class Bid(FlowColumns, Base):
    __tablename__ = "meals_bid"
    __table_args__ = (org_reference(),)
    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    dish: Mapped[str]


class BidForm(OrgRecordForm):
    dish = StringField("Dish")


FLOW = Flow(states=STATES, transitions=(
    Transition(code="submit", title="Submit", source=("draft", "returned"), target="review", permission="meals.edit",
               not_creator=False),
    *review("review", permission="meals.review", levels=("township", "county", "city", "province"),
            working_days="review_days"),
    Transition(code="withdraw", title="Withdraw", source="review", target="draft", permission="meals.edit",
               not_creator=False),
    Transition(code="pay", title="Pay", source="approved", target="paid", permission="meals.pay", working_days=3),
))  # fmt: skip
BIDS = Register(
    code="meals.bids", program="meals", title="Bids", model=Bid, form=BidForm,
    columns=(Column(name="dish", title="Dish"), Column(name="state", title="State", kind="choice", choices=STATES)),
    view_permission="program.view", edit_permission="meals.edit", flow=FLOW,
)  # fmt: skip
