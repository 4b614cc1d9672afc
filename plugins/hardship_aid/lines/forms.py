"""The line of a union."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import ValidationError
from wtforms.validators import InputRequired

from core.api import Form, OrgRecordForm, YuanField


def more_than_nothing(_form: Form, field: YuanField) -> None:
    """Nobody would lie below a line of 0."""
    if not field.data:
        raise ValidationError(_("The amount must be more than 0 yuan."))


class LineForm(OrgRecordForm):
    """What a head needs to live on in a month at this union."""

    monthly_fen = YuanField(
        _l("Subsistence line per head and month (yuan)"), validators=[InputRequired(), more_than_nothing]
    )
