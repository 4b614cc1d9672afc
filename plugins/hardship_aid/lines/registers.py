"""The register of subsistence lines."""

from flask_babel import lazy_gettext as _l

from core.api import Column, Register
from plugins.hardship_aid.lines.forms import LineForm
from plugins.hardship_aid.lines.models import SubsistenceLine
from plugins.hardship_aid.words import EDIT, PROGRAM, VIEW

LINES = Register(
    code="hardship_aid.lines",
    program=PROGRAM,
    title=_l("Subsistence lines"),
    model=SubsistenceLine,
    form=LineForm,
    columns=(Column(name="monthly_fen", title=_l("Subsistence line per head and month"), kind="yuan"),),
    view_permission=VIEW,
    edit_permission=EDIT,
)
