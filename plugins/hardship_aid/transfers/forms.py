"""The form that asks for a transfer, and the answer to it."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from core.api import Form


class TransferForm(Form):
    """To which union, and why."""

    org_code = StringField(
        _l("Code of the receiving union"),
        validators=[InputRequired(_l("Please enter the code of the union.")), Length(max=64)],
        render_kw={"autocomplete": "off"},
    )
    reason = TextAreaField(
        _l("Reason for the transfer"),
        description=_l("The receiving union reads it: that the worker works or lives there now, say."),
        validators=[InputRequired(_l("Please say why.")), Length(max=500)],
    )


class AnswerForm(Form):
    """Why a transfer is declined; nothing is said where it is accepted or withdrawn."""

    answer = TextAreaField(
        _l("Reason of the answer"),
        description=_l("Owed where it is declined."),
        default="",
        validators=[Length(max=500)],
    )
