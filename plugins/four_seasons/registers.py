"""Registers of the campaigns: what each union is to reach in a year."""

from flask_babel import lazy_gettext as _l

from core.api import Column, Register
from plugins.four_seasons.forms import TargetForm
from plugins.four_seasons.models import Target
from plugins.four_seasons.schemes import PROGRAM

TARGETS = Register(
    code="four_seasons.targets",
    program=PROGRAM,
    title=_l("Targets of unions"),
    model=Target,
    form=TargetForm,
    columns=(Column(name="workers", title=_l("Workers to reach"), kind="number"),),
    view_permission="four_seasons.view",
    edit_permission="four_seasons.edit",
)
