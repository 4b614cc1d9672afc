"""The form to find one person by their identity number."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired

from core.web.forms import Form


class IdNumberForm(Form):
    """Sent by POST, so that the number stands in no address and in no log."""

    id_number = StringField(
        _l("Identity number"),
        validators=[InputRequired(_l("Please enter the identity number."))],
        render_kw={"autocomplete": "off", "maxlength": 30},
    )
