"""The forms of erasing, of consents and of the settings of how long data is kept."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from core.web.forms import Form, SignedForm


class EraseForm(SignedForm):
    """Why somebody is erased, and that it is known that nothing brings it back."""

    reason = StringField(
        _l("Reason"),
        description=_l("It stays in the audit trail, so name nobody."),
        validators=[InputRequired(_l("Say why the person is erased.")), Length(max=500)],
        render_kw={"autocomplete": "off"},
    )
    sure = BooleanField(_l("I know that it cannot be undone"), validators=[InputRequired()])


class ConsentForm(Form):
    """What a person agreed to."""

    processing = SelectField(_l("What for"), choices=[], validators=[InputRequired(_l("Choose what was agreed to."))])
    given_on = DateField(_l("Given on"), validators=[InputRequired()])
    evidence = StringField(
        _l("Evidence"),
        description=_l("Where the signed paper or the attachment is; no number of a person."),
        validators=[InputRequired(_l("Say where the paper or the attachment is.")), Length(max=200)],
    )


def _number(title: str) -> IntegerField:
    return IntegerField(title, validators=[InputRequired(), NumberRange(min=1, max=36_500)])


class RuleForm(Form):
    """What holds from a year on."""

    first_year = IntegerField(_l("First year"), validators=[InputRequired(), NumberRange(min=2000, max=2200)])
    shown_a_day = _number(_l("People whose numbers one user may look at in a day before the auditors are told"))
    import_days = _number(_l("Days that rows and files of lists are kept that nobody merged"))
    export_days = _number(_l("Days that the files of exports are kept"))
    message_days = _number(_l("Days that messages are kept after they were read"))
    quiet_years = _number(_l("Years without a record after which a person is due for erasing"))
