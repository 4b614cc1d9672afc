"""The settings of a year: the line, and the multiples of it and shares by which somebody is in hardship."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, ValidationError
from wtforms.validators import InputRequired, NumberRange

from core.api import ProgramSettingsForm, YuanField
from plugins.hardship_aid.lines.forms import more_than_nothing


class SettingsForm(ProgramSettingsForm):
    """The settings of a year of aid to workers in hardship (困难职工帮扶).

    Multiples are hundredths of the line: 100 is the line itself. The rule is that of domain.md, R1.
    """

    line = YuanField(
        _l("Subsistence line per head and month (yuan)"),
        description=_l("Where no union above a worker has a line of its own (低保标准)."),
        validators=[InputRequired(), more_than_nothing],
    )
    deep_percent = IntegerField(
        _l("Deep hardship: income below so many percent of the line"),
        default=100,
        validators=[InputRequired(), NumberRange(min=1, max=1000)],
    )
    relative_percent = IntegerField(
        _l("Relative hardship: income below so many percent of the line"),
        default=200,
        validators=[InputRequired(), NumberRange(min=1, max=1000)],
    )
    loss_percent = IntegerField(
        _l("Caused by accident: loss above so many percent of the yearly income"),
        default=80,
        validators=[InputRequired(), NumberRange(min=1, max=1000)],
    )
    review_days = IntegerField(
        _l("Working days for each review"), default=5, validators=[InputRequired(), NumberRange(min=1, max=60)]
    )
    visits_a_year = IntegerField(
        _l("Visits in a year by each paired leader, at least"),
        default=1,
        validators=[InputRequired(), NumberRange(min=0, max=365)],
    )
    remind_from_month = IntegerField(
        _l("Remind of missing visits from the beginning of this month"),
        default=10,
        validators=[InputRequired(), NumberRange(min=1, max=12)],
    )

    recheck_months = IntegerField(
        _l("Files are checked again after so many months"),
        default=12,
        validators=[InputRequired(), NumberRange(min=1, max=60)],
    )

    def validate_relative_percent(self, field: IntegerField) -> None:
        """What is relative begins where what is deep ends."""
        if field.data and self.deep_percent.data and field.data < self.deep_percent.data:
            raise ValidationError(_("This must not be less than the percentage of deep hardship."))
