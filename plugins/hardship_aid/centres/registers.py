"""The register of aid centres and service stations."""

from flask_babel import lazy_gettext as _l

from core.api import Column, Register
from plugins.hardship_aid.centres.forms import CentreForm
from plugins.hardship_aid.centres.models import Centre
from plugins.hardship_aid.centres.words import FUNCTIONS, KINDS
from plugins.hardship_aid.words import EDIT, PROGRAM, VIEW

CENTRES = Register(
    code="hardship_aid.centres",
    program=PROGRAM,
    title=_l("Aid centres and service stations"),
    model=Centre,
    form=CentreForm,
    columns=(
        Column(name="name", title=_l("Name of the place")),
        Column(name="kind", title=_l("Kind"), kind="choice", choices=KINDS),
        Column(name="address", title=_l("Address of the place")),
        Column(name="phone", title=_l("Phone of the office")),
        Column(name="functions", title=_l("Functions"), kind="choice", choices=FUNCTIONS),
        Column(name="opened_on", title=_l("Opened on"), kind="day", hidden=True),
        Column(name="closed_on", title=_l("Closed on"), kind="day", hidden=True),
        Column(name="checked_on", title=_l("Last checked on"), kind="day", hidden=True),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
)
