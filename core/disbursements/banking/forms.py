"""Forms of what goes to the bank and comes back."""

from flask_babel import lazy_gettext as _l
from wtforms import DateField, FileField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from core.web.forms import Form


class ReturnForm(Form):
    """A return file."""

    file = FileField(_l("Return file (xlsx or CSV)"), validators=[InputRequired()])


class HandOutForm(Form):
    """What was handed out by a list."""

    on_day = DateField(_l("Handed out on"), validators=[InputRequired()])
    absent = TextAreaField(
        _l("Who did not come"),
        description=_l("Their references as the list shows them, one in a line; empty if everybody came."),
        validators=[Length(max=100_000)],
    )


class AccountForm(Form):
    """The bank account of a union."""

    bank_account = StringField(
        _l("Account number"), validators=[InputRequired()], render_kw={"autocomplete": "off", "inputmode": "numeric"}
    )
    bank_name = StringField(_l("Bank"), validators=[InputRequired(), Length(max=100)])


class StatementForm(Form):
    """A bank statement."""

    file = FileField(_l("Bank statement (xlsx or CSV)"), validators=[InputRequired()])
