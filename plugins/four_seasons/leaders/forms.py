"""The form of a leader."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from core.api import OrgRecordForm


class LeaderForm(OrgRecordForm):
    """Who leads a union, and as what."""

    name = StringField(_l("Name of the leader"), validators=[DataRequired(), Length(max=60)])
    position = StringField(_l("Position"), validators=[DataRequired(), Length(max=100)])
