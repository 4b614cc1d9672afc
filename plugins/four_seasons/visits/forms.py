"""The forms of the pages of visits."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from core.api import (
    SOURCE_TITLES,
    Form,
    OnlyIf,
    YuanField,
    options,
    today,
)
from plugins.four_seasons.words import GIFT_TITLES, WHOM_TITLES


def number_or_none(value: str | None) -> int | None:
    """What a choice of a row sends; nothing chosen is none. Raises :class:`ValueError` for anything else."""
    if not value or value == "None":
        return None
    number = int(value)
    if not 0 < number < 2**63:
        raise ValueError(value)
    return number


class VisitForm(Form):
    """A visit: who went to whom on which day, what they brought, and who pays. ``key`` is one per visit."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    org_code = StringField(
        _l("Code of the paying union"),
        validators=[InputRequired(), Length(max=64)],
        description=_l("The visit is spent from this union's budget of the year."),
    )
    whom = SelectField(_l("Whom"), choices=options(WHOM_TITLES))
    id_number = StringField(
        _l("Identity number"),
        validators=[OnlyIf("whom", "person"), Length(max=30)],
        render_kw={"autocomplete": "off"},
    )
    post = SelectField(
        _l("Post in the heat"),
        coerce=number_or_none,
        validate_choice=False,
        validators=[OnlyIf("whom", "unit")],
        description=_l("The unit is then that of the post."),
    )
    unit = StringField(_l("Name of the unit"), validators=[OnlyIf("whom", "unit"), Length(max=100)])
    visited_on = DateField(_l("Day of the visit"), validators=[InputRequired()])
    party = StringField(_l("Who went"), validators=[DataRequired(_l("Please say who went.")), Length(max=100)])
    leader = SelectField(
        _l("Leader who went"),
        coerce=number_or_none,
        validate_choice=False,
        description=_l("A leader of the paying union; counted in the report of leaders."),
    )
    kind = SelectField(_l("What was brought"), choices=options(GIFT_TITLES))
    gift = StringField(
        _l("Goods"), validators=[OnlyIf("kind", "goods"), Length(max=100)], description=_l("Rice, oil, a quilt.")
    )
    amount = YuanField(
        _l("Amount (yuan)"), description=_l("Of goods, what they cost."), validators=[OnlyIf("kind", "cash", "goods")]
    )
    source = SelectField(
        _l("Source of money"),
        choices=options(SOURCE_TITLES),
        default="union",
        validate_choice=False,
        validators=[OnlyIf("kind", "cash", "goods")],
    )
    lot = SelectField(
        _l("Lot in stock"),
        coerce=number_or_none,
        validate_choice=False,
        validators=[OnlyIf("kind", "stock")],
        description=_l("Of the paying union; its goods were spent when they were bought."),
    )
    quantity = IntegerField(
        _l("Quantity"), validators=[OnlyIf("kind", "stock"), InputRequired(), NumberRange(min=1, max=10_000_000)]
    )
    effective_on = DateField(
        _l("Effective day"),
        validators=[Optional()],
        description=_l("The day of the visit, unless its month is closed already."),
    )
    again = BooleanField(_l("Book it although the worker was given something this year"))

    def validate_id_number(self, field: StringField) -> None:
        """A worker is found by it."""
        if not field.data:
            raise ValidationError(_("Please enter the identity number."))

    def validate_unit(self, field: StringField) -> None:
        """A unit has a name; that of a post is known."""
        if not field.data and not ("post" in self and self.post.data):
            raise ValidationError(_("Please enter the name of the unit."))

    def validate_amount(self, field: YuanField) -> None:
        """Money or goods that are bought for the visit cost something."""
        if field.data is None:
            raise ValidationError(_("Please enter the amount."))

    def validate_lot(self, field: SelectField) -> None:
        """Goods come from a lot."""
        if field.data is None:
            raise ValidationError(_("Please choose a lot."))

    def validate_gift(self, field: StringField) -> None:
        """Goods are named."""
        if not field.data:
            raise ValidationError(_("Please say which goods."))

    def validate_visited_on(self, field: DateField) -> None:
        """What is written down has happened."""
        if field.data and field.data > today():
            raise ValidationError(_("This day lies in the future; a visit is written down when it was paid."))

    def validate_effective_on(self, field: DateField) -> None:
        """A late visit is booked later than it was."""
        if field.data and self.visited_on.data and field.data < self.visited_on.data:
            raise ValidationError(_("The effective day lies before the visit."))


class UndoForm(Form):
    """Why a visit is undone."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    reason = StringField(_l("Reason"), validators=[InputRequired(), Length(max=200)])
