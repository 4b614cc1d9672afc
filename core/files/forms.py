"""The form that sends one file."""

from flask_babel import lazy_gettext as _l
from wtforms import FileField
from wtforms.validators import InputRequired

from core.files.kinds import ENDINGS
from core.web.forms import Form


class UploadForm(Form):
    """One file; the browser offers those that are taken."""

    file = FileField(
        _l("File"),
        validators=[InputRequired()],
        render_kw={"accept": ",".join(f".{ending}" for ending in ENDINGS)},
    )
