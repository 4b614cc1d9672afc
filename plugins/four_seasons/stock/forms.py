"""The form of a lot."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from core.api import SOURCE_TITLES, Form, YuanField, options, today


class LotForm(Form):
    """Goods that were bought, and who pays. ``key`` is one per lot."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    org_code = StringField(
        _l("Code of the paying union"),
        validators=[InputRequired(), Length(max=64)],
        description=_l("The goods are spent from this union's budget of the year, and only it gives them out."),
    )
    goods = StringField(_l("Goods"), validators=[DataRequired(_l("Please say which goods.")), Length(max=100)])
    quantity = IntegerField(_l("Quantity"), validators=[InputRequired(), NumberRange(min=1, max=10_000_000)])
    measure = StringField(
        _l("Unit of measure"), validators=[DataRequired(), Length(max=20)], description=_l("A box, a bottle.")
    )
    price = YuanField(_l("Price of one (yuan)"), validators=[InputRequired()])
    source = SelectField(_l("Source of money"), choices=options(SOURCE_TITLES), default="union")
    supplier = StringField(_l("Supplier"), validators=[Length(max=100)])
    bought_on = DateField(_l("Bought on"), validators=[InputRequired()])
    effective_on = DateField(
        _l("Effective day"),
        validators=[Optional()],
        description=_l("The day on which the goods were bought, unless its month is closed already."),
    )

    def validate_price(self, field: YuanField) -> None:
        """Goods cost something."""
        if not field.data or field.data <= 0:
            raise ValidationError(_("The price must be more than 0 yuan."))

    def validate_bought_on(self, field: DateField) -> None:
        """What is written down has happened."""
        if field.data and field.data > today():
            raise ValidationError(_("This day lies in the future; goods are written down when they were bought."))

    def validate_effective_on(self, field: DateField) -> None:
        """A late lot is booked later than it was."""
        if field.data and self.bought_on.data and field.data < self.bought_on.data:
            raise ValidationError(_("The effective day lies before the day on which the goods were bought."))
