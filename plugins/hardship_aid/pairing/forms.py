"""The forms of a pair, and of a visit."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from core.api import PersonRecordForm, YuanField, options
from plugins.hardship_aid.files.forms import not_in_future
from plugins.hardship_aid.pairing.words import RANKS


class PairForm(PersonRecordForm):
    """A worker with a file, and the leader who looks after them."""

    leader = StringField(_l("Name of the leader"), validators=[DataRequired(), Length(max=60)])
    post = StringField(_l("Post"), validators=[DataRequired(), Length(max=100)])
    rank = SelectField(_l("Rank"), choices=options(RANKS))
    unit = StringField(_l("Unit of the leader"), validators=[DataRequired(), Length(max=100)])
    paired_on = DateField(_l("Paired on"), validators=[InputRequired(), not_in_future])
    ended_on = DateField(
        _l("Ended on"), description=_l("The last day; empty while the pair stands."), validators=[Optional()]
    )

    def validate_ended_on(self, field: DateField) -> None:
        """A pair does not end before it begins."""
        if field.data and self.paired_on.data and field.data < self.paired_on.data:
            raise ValidationError(_("The pair ends before it begins."))


class PairVisitForm(PersonRecordForm):
    """A visit to the worker by a leader who is paired with them."""

    leader = StringField(
        _l("Leader who visited"),
        description=_l("The name as it stands in the pair."),
        validators=[DataRequired(), Length(max=60)],
    )
    visited_on = DateField(_l("Day of the visit"), validators=[InputRequired(), not_in_future])
    note = TextAreaField(_l("What was said or done"), default="", validators=[Length(max=1000)])
    gift_fen = YuanField(_l("Gift worth (yuan)"), default=0, validators=[Optional()])

    def validate_gift_fen(self, field: YuanField) -> None:
        """Nothing typed is nothing brought."""
        if field.data is None:
            field.data = 0
        if field.data < 0:
            raise ValidationError(_("The gift cannot be worth less than nothing."))
