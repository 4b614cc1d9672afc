"""The forms of the pages of imports."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FileField
from wtforms.validators import InputRequired

from core.web.forms import Form


class UploadForm(Form):
    """A list as xlsx or CSV."""

    file = FileField(_l("File (xlsx or CSV)"), validators=[InputRequired()])


class MergeForm(Form):
    """Whether good rows are merged although others are bad, and although they could be the same as what is there."""

    others = BooleanField()
    only_good = BooleanField(_l("Leave the bad rows out"))
