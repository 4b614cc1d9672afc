"""The settings of a spring campaign, and the forms of its registers."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.api import Form, NewPersonRecordForm, OrgRecordForm, options, today
from plugins.four_seasons.words import JOB_FORMS, JOB_WAYS


class SpringSettingsForm(Form):
    """Settings of a year's spring campaign (春送岗位): its days, and what the whole of it is to reach."""

    employers = IntegerField(_l("Employers to bring"), default=0, validators=[InputRequired(), NumberRange(min=0)])
    placed = IntegerField(_l("Workers to place"), default=0, validators=[InputRequired(), NumberRange(min=0)])
    starts_on = DateField(_l("First day of the campaign"), validators=[Optional()])
    ends_on = DateField(_l("Last day of the campaign"), validators=[Optional()])

    def validate_ends_on(self, field: DateField) -> None:
        """The campaign must not end before it begins."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day of the campaign lies before the first."))


class SpringTargetForm(OrgRecordForm):
    """What a union is to reach."""

    employers = IntegerField(_l("Employers to bring"), validators=[InputRequired(), NumberRange(min=0, max=10_000_000)])
    placed = IntegerField(_l("Workers to place"), validators=[InputRequired(), NumberRange(min=0, max=10_000_000)])


def not_in_future(_form: Form, field: DateField) -> None:
    """What is written down has happened."""
    if field.data and field.data > today():
        raise ValidationError(_("This day lies in the future."))


class EmployerForm(OrgRecordForm):
    """An employer, and what it offers."""

    name = StringField(_l("Name of the employer"), validators=[InputRequired(), Length(max=100)])
    posts = IntegerField(_l("Posts offered"), validators=[InputRequired(), NumberRange(min=1, max=1_000_000)])
    form = SelectField(_l("Where they are offered"), choices=options(JOB_FORMS))
    offered_on = DateField(_l("Offered on"), validators=[InputRequired()])


class PlacementForm(NewPersonRecordForm):
    """A worker who found a job."""

    employer = StringField(_l("Name of the employer"), validators=[InputRequired(), Length(max=100)])
    way = SelectField(_l("How"), choices=options(JOB_WAYS))
    placed_on = DateField(_l("Employed since"), validators=[InputRequired(), not_in_future])
