"""The registers of spring: targets, employers, workers placed."""

from flask_babel import lazy_gettext as _l

from core.api import Column, Register
from plugins.four_seasons.spring.forms import EmployerForm, PlacementForm, SpringTargetForm
from plugins.four_seasons.spring.models import Employer, Placement, SpringTarget
from plugins.four_seasons.words import EDIT, JOB_FORMS, JOB_WAYS, SPRING, VIEW

SPRING_TARGETS = Register(
    code="four_seasons.spring_targets",
    program=SPRING,
    title=_l("Targets of unions"),
    model=SpringTarget,
    form=SpringTargetForm,
    columns=(
        Column(name="employers", title=_l("Employers to bring"), kind="number", total=True),
        Column(name="placed", title=_l("Workers to place"), kind="number", total=True),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
)
EMPLOYERS = Register(
    code="four_seasons.employers",
    program=SPRING,
    title=_l("Employers"),
    model=Employer,
    form=EmployerForm,
    columns=(
        Column(name="name", title=_l("Name of the employer")),
        Column(name="posts", title=_l("Posts offered"), kind="number", total=True),
        Column(name="form", title=_l("Where they are offered"), kind="choice", choices=JOB_FORMS),
        Column(name="offered_on", title=_l("Offered on"), kind="day"),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
)
PLACEMENTS = Register(
    code="four_seasons.placements",
    program=SPRING,
    title=_l("Workers placed"),
    model=Placement,
    form=PlacementForm,
    columns=(
        Column(name="employer", title=_l("Name of the employer")),
        Column(name="way", title=_l("How"), kind="choice", choices=JOB_WAYS),
        Column(name="placed_on", title=_l("Employed since"), kind="day"),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
)
