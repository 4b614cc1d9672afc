"""Kitchens of unions (职工食堂): a whole register in forty lines, which a test counts."""

from sqlalchemy.orm import DeclarativeBase, Mapped
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import InputRequired

from core import api

KINDS = {"canteen": "Canteen", "stall": "Stall"}


class Base(DeclarativeBase):
    metadata = api.metadata
    type_annotation_map = api.TYPES


class Kitchen(api.YearColumns, api.FlowColumns, Base):
    __tablename__ = "meals_kitchen"
    name: Mapped[str]
    kind: Mapped[str]
    seats: Mapped[int]
    cost_fen: Mapped[api.Fen]


class KitchenForm(api.OrgRecordForm):
    name = StringField("Name", validators=[InputRequired()])
    kind = SelectField("Kind", choices=api.options(KINDS))
    seats = IntegerField("Seats", validators=[InputRequired()])
    cost_fen = api.YuanField("Cost", validators=[InputRequired()])


LEVELS = ("township", "county", "city", "province")
KITCHENS = api.Register(
    code="meals.kitchens",
    program="meals",
    title="Kitchens",
    model=Kitchen,
    form=KitchenForm,
    columns=(
        api.Column(name="name", title="Name"),
        api.Column(name="kind", title="Kind", kind="choice", choices=KINDS),
        api.Column(name="seats", title="Seats", kind="number", total=True),
        api.Column(name="cost_fen", title="Cost", kind="yuan", total=True),
    ),
    view_permission="program.view",
    edit_permission="meals.edit",
    flow=api.review_flow(submitted_by="meals.edit", reviewed_by="meals.review", levels=LEVELS, working_days=5),
)
