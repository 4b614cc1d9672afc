"""The form of an aid centre or a service station."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, DecimalField, SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, Regexp
from wtforms.widgets import CheckboxInput, ListWidget

from core.api import OrgRecordForm, options
from plugins.hardship_aid.centres.models import EAST, NORTH, SOUTH, WEST
from plugins.hardship_aid.centres.words import FUNCTIONS, KINDS
from plugins.hardship_aid.files.forms import not_in_future


class CentreForm(OrgRecordForm):
    """Where it is, since when, and what it offers."""

    kind = SelectField(_l("Kind"), choices=options(KINDS))
    name = StringField(_l("Name of the place"), validators=[DataRequired(), Length(max=100)])
    address = StringField(_l("Address of the place"), default="", validators=[Length(max=200)])
    phone = StringField(
        _l("Phone of the office"),
        description=_l("Nobody's own: it is shown as it is."),
        default="",
        validators=[
            Optional(),
            Length(max=30),
            Regexp(r"[0-9 +()-]{5,30}$", message=_l("A phone number has digits, blanks, + and - only.")),
        ],
    )
    opened_on = DateField(_l("Opened on"), validators=[InputRequired(), not_in_future])
    closed_on = DateField(
        _l("Closed on"), description=_l("The last day; empty while it is open."), validators=[Optional()]
    )
    longitude = DecimalField(
        _l("Longitude (degrees)"),
        places=6,
        validators=[Optional(), NumberRange(min=WEST, max=EAST)],
        description=_l("Such as 108.948024; with it the place is a point on the map."),
    )
    latitude = DecimalField(
        _l("Latitude (degrees)"), places=6, validators=[Optional(), NumberRange(min=SOUTH, max=NORTH)]
    )
    functions = SelectMultipleField(
        _l("Functions"),
        choices=options(FUNCTIONS),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    checked_on = DateField(_l("Last checked on"), validators=[Optional(), not_in_future])

    def validate_closed_on(self, field: DateField) -> None:
        """Nothing closes before it opens."""
        if field.data and self.opened_on.data and field.data < self.opened_on.data:
            raise ValidationError(_("The place closes before it opens."))

    def validate(self, *args: object, **kwargs: object) -> bool:
        """A point has both numbers."""
        is_right = super().validate(*args, **kwargs)
        if not (self.longitude.errors or self.latitude.errors):
            lone = [field for field in (self.longitude, self.latitude) if field.data is None]
            if len(lone) == 1:
                lone[0].errors = [_("A place on the map has both a longitude and a latitude.")]
                return False
        return is_right
