"""The form beneath an entry: a comment, and the level for a step back."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, TextAreaField

from core.web.forms import Form


class MoveForm(Form):
    """What is said with a step; the button says which one. The choices of ``level`` are those of the entry."""

    comment = TextAreaField(_l("Comment"), render_kw={"rows": 2, "maxlength": 500})
    level = SelectField(_l("Return to"), choices=[], validate_choice=False)
