"""What people fill in: the settings of a year, and a line of the register."""

from core.api import Form, PersonRecordForm, ProgramSettingsForm, YuanField, options
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Length

from .words import LEVELS


def more_than_nothing(_form: Form, field: YuanField) -> None:
    """An amount of 0 would leave a whole level out unseen."""
    if not field.data:
        raise ValidationError(_("The amount must be more than 0 yuan."))


class SettingsForm(ProgramSettingsForm):
    """The settings of a year: each level's amount, in fen, and the day on which one must study.

    The amounts that a new year begins with are those of 2014: 高中生每人每年2000元、大专生4000元、本科生5000元.
    """

    senior_school = YuanField(
        _l("Senior school, each (yuan)"), default=2000_00, validators=[InputRequired(), more_than_nothing]
    )
    junior_college = YuanField(
        _l("Junior college, each (yuan)"), default=4000_00, validators=[InputRequired(), more_than_nothing]
    )
    bachelor = YuanField(
        _l("Bachelor's course, each (yuan)"), default=5000_00, validators=[InputRequired(), more_than_nothing]
    )
    counted_on = DateField(
        _l("Counted on"),
        description=_l("Who studies on this day is paid for the year."),
        validators=[InputRequired()],
    )


class StudentForm(PersonRecordForm):
    """A line of the register; the core asks for the identity number first."""

    level = SelectField(_l("Level"), choices=options(LEVELS))
    school = StringField(_l("School"), validators=[InputRequired(), Length(max=100)])
    enrolled_on = DateField(_l("Enrolled on"), validators=[InputRequired()])
    graduates_on = DateField(_l("Graduates on"), validators=[InputRequired()])

    def validate_graduates_on(self, field: DateField) -> None:
        """One does not graduate before one enrols."""
        if field.data and self.enrolled_on.data and field.data <= self.enrolled_on.data:
            raise ValidationError(_("The day of graduation must come after the day of enrolment."))
