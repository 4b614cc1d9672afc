"""The forms of people on file, and the fields that say how somebody is reached and paid."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from core.people.purposes import PURPOSES, Purpose
from core.web.forms import Form, options


def phone_field() -> StringField:
    """A phone number, as people write it."""
    return StringField(_l("Phone"), validators=[Optional(), Length(max=30)], render_kw={"autocomplete": "off"})


def bank_account_field() -> StringField:
    """The number of a bank account, as people write it."""
    return StringField(_l("Bank account"), validators=[Optional(), Length(max=40)], render_kw={"autocomplete": "off"})


def bank_name_field() -> StringField:
    """The bank of the account."""
    return StringField(_l("Bank"), validators=[Optional(), Length(max=100)])


class IdNumberForm(Form):
    """Sent by POST, so that the number stands in no address and in no log."""

    id_number = StringField(
        _l("Identity number"),
        validators=[InputRequired(_l("Please enter the identity number."))],
        render_kw={"autocomplete": "off", "maxlength": 30},
    )


class PurposeForm(Form):
    """What personal data is asked for in full for."""

    purpose = SelectField(
        _l("What is it for?"),
        choices=options({"": "", **PURPOSES}),
        validators=[InputRequired(_l("Choose what it is for."))],
    )
    note = StringField(
        _l("Note"),
        description=_l("Needed for something else. It stays on record: name nobody, and write no number."),
        validators=[Length(max=200)],
        render_kw={"autocomplete": "off"},
    )

    def asked(self) -> Purpose:
        """What was chosen."""
        return Purpose(self.purpose.data or "", self.note.data or "")


class CorrectionForm(Form):
    """Another phone or bank account, or none from now on; it never holds what is on file. What is empty stays."""

    bank_account = bank_account_field()
    bank_name = bank_name_field()
    no_account = BooleanField(_l("This person has no bank account any more"))
    phone = phone_field()
    no_phone = BooleanField(_l("This person has no phone any more"))
