"""The settings of a summer campaign, and the forms of its registers."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from core.api import SOURCE_TITLES, Form, OrgRecordForm, YuanField, options
from plugins.four_seasons.spring.forms import not_in_future

#: Degrees Celsius of 防暑降温措施管理办法 (2012), article 8; from which a post counts as hot is for the year to say.
THRESHOLDS = {"stop_at": 40, "limit_at": 37, "high_at": 35, "visit_from": 35}
_DEGREES = (InputRequired(), NumberRange(min=20, max=60))


class SummerSettingsForm(Form):
    """Settings of a year's summer campaign (夏送清凉): its days, and what temperatures (°C) mean."""

    starts_on = DateField(_l("First day of the campaign"), validators=[Optional()])
    ends_on = DateField(_l("Last day of the campaign"), validators=[Optional()])
    stop_at = IntegerField(
        _l("Work outdoors stops from (°C)"), default=THRESHOLDS["stop_at"], validators=[*_DEGREES]
    )  # fmt: skip
    limit_at = IntegerField(
        _l("Hours of work are limited from (°C)"), default=THRESHOLDS["limit_at"], validators=[*_DEGREES]
    )  # fmt: skip
    high_at = IntegerField(_l("High temperature from (°C)"), default=THRESHOLDS["high_at"], validators=[*_DEGREES])
    visit_from = IntegerField(
        _l("A post is to be visited from (°C)"), default=THRESHOLDS["visit_from"], validators=[*_DEGREES]
    )  # fmt: skip

    def validate_ends_on(self, field: DateField) -> None:
        """The campaign must not end before it begins."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day of the campaign lies before the first."))

    def validate_limit_at(self, field: IntegerField) -> None:
        """What stops work is hotter than what limits it."""
        if field.data is not None and self.stop_at.data is not None and field.data >= self.stop_at.data:
            raise ValidationError(_("Hours are limited at a lower temperature than that at which work stops."))

    def validate_high_at(self, field: IntegerField) -> None:
        """What limits work is hotter than a high temperature."""
        if field.data is not None and self.limit_at.data is not None and field.data >= self.limit_at.data:
            raise ValidationError(_("A high temperature begins below that at which hours are limited."))


class PostForm(OrgRecordForm):
    """A post, and how hot it was there when it was last measured."""

    unit = StringField(_l("Name of the unit"), validators=[DataRequired(), Length(max=100)])
    post = StringField(_l("Post in the heat"), validators=[DataRequired(), Length(max=100)])
    workers = IntegerField(_l("Workers there"), validators=[InputRequired(), NumberRange(min=1, max=1_000_000)])
    temperature = IntegerField(
        _l("Temperature (°C)"),
        description=_l("Whole degrees, rounded down."),
        validators=[InputRequired(), NumberRange(min=0, max=80)],
    )
    measured_on = DateField(_l("Measured on"), validators=[InputRequired(), not_in_future])


class PlanForm(OrgRecordForm):
    """A visit that is planned."""

    unit = StringField(_l("Name of the unit"), validators=[DataRequired(), Length(max=100)])
    post = StringField(_l("Post in the heat"), default="", validators=[Length(max=100)])
    planned_on = DateField(_l("Planned for"), validators=[InputRequired()])
    amount_fen = YuanField(_l("Amount (yuan)"), validators=[InputRequired()])
    source = SelectField(_l("Source of money"), choices=options(SOURCE_TITLES), default="union")

    def validate_amount_fen(self, field: YuanField) -> None:
        """A visit costs something."""
        if not field.data or field.data <= 0:
            raise ValidationError(_("The amount must be more than 0 yuan."))
