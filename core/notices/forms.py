"""Forms of notices and of objections."""

from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.web.forms import Form, options


class NoticeForm(Form):
    """A notice to be posted. ``expected`` is the number of rows that its writer last saw."""

    title = StringField(_l("Title of the notice"), validators=[InputRequired(), Length(max=100)])
    text = TextAreaField(
        _l("Text above the list"),
        description=_l("What is decided, on which ground. The period and the table are added by themselves."),
        validators=[Length(max=2000)],
        render_kw={"rows": 3},
    )
    contact = StringField(
        _l("Where objections go"),
        description=_l("Office, address and phone of whoever takes objections; printed below the table."),
        validators=[InputRequired(), Length(max=200)],
    )
    working_days = IntegerField(
        _l("Working days"),
        description=_l("The day of posting does not count; days off do not either."),
        validators=[InputRequired(), NumberRange(min=1, max=60)],
    )
    org_code = StringField(
        _l("Code of the union that issues it"),
        validators=[InputRequired(), Length(max=64)],
        render_kw={"autocomplete": "off"},
    )
    columns = SelectMultipleField(
        _l("Columns to show"),
        description=_l("Beside whose entry it is. Names and numbers are masked; show no illness and nothing private."),
    )
    expected = IntegerField(validators=[InputRequired()])


class ObjectionForm(Form):
    """What somebody has against a line."""

    text = TextAreaField(_l("Objection"), validators=[InputRequired(), Length(max=2000)], render_kw={"rows": 3})
    raised_by = StringField(
        _l("Raised by"),
        description=_l("Name or union; empty for an anonymous objection."),
        validators=[Length(max=60)],
    )
    contact = StringField(
        _l("Their phone number"),
        description=_l("Stored encrypted."),
        validators=[Length(max=30)],
        render_kw={"autocomplete": "off"},
    )
    received_on = DateField(_l("Received on"), validators=[InputRequired()])


class DecisionForm(Form):
    """Whether an objection is right."""

    upheld = SelectField(
        _l("Is the objection right?"),
        choices=options({"": "", "yes": _l("Uphold: the entry is held back for good"), "no": _l("Do not uphold")}),
        validators=[InputRequired()],
    )
    reason = TextAreaField(
        _l("Reason of the decision"), validators=[InputRequired(), Length(max=2000)], render_kw={"rows": 2}
    )


class WithdrawalForm(Form):
    """Why a notice is taken back."""

    reason = StringField(_l("Reason"), validators=[InputRequired(), Length(max=500)])


class PageForm(Form):
    """Where a list of notices goes on."""

    before = IntegerField(validators=[Optional(), NumberRange(min=1, max=2**63 - 1)])
