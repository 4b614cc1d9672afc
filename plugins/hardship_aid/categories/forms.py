"""The forms of a decision and of a list to compare with."""

from flask_babel import lazy_gettext as _l
from wtforms import FileField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from core.api import Form, options
from plugins.hardship_aid.words import OUTCOMES


class DecisionForm(Form):
    """In which category a household is, against what the rule came to."""

    decided = SelectField(_l("Category decided"), choices=options(OUTCOMES))
    decided_because = TextAreaField(
        _l("Why"),
        description=_l("What the rule does not know of, and on which papers it rests."),
        validators=[InputRequired(_l("Please say why.")), Length(max=500)],
    )


class OutsideForm(Form):
    """A list from civil affairs or another office."""

    file = FileField(_l("List (xlsx or CSV)"), validators=[InputRequired()])
