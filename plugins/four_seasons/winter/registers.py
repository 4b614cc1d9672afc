"""Registers of the campaigns: the hardship list, and what each union is to reach in a year."""

from flask_babel import lazy_gettext as _l

from core.api import Column, Person, Register
from plugins.four_seasons.payments import is_paid
from plugins.four_seasons.winter.forms import HardshipForm, TargetForm
from plugins.four_seasons.winter.models import Hardship, Target
from plugins.four_seasons.words import CATEGORY_COLOURS, CATEGORY_TITLES, EDIT, VIEW, WINTER

HARDSHIP = Register(
    code="four_seasons.hardship",
    program=WINTER,
    title=_l("Hardship list"),
    model=Hardship,
    form=HardshipForm,
    columns=(
        Column(
            name="category",
            title=_l("Category of hardship"),
            kind="choice",
            choices=CATEGORY_TITLES,
            colours=CATEGORY_COLOURS,
        ),
        Column(name="cause", title=_l("Cause of hardship")),
        Column(name="account", title=_l("Bank card"), kind="account", expression=Person.bank_account_tail),
        Column(name="created_at", title=_l("On the list since"), kind="moment", hidden=True),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
    stays=lambda: is_paid(Hardship),
    stays_because=_l("A run pays this worker; cancel the run before you take the worker off the list."),
)
TARGETS = Register(
    code="four_seasons.targets",
    program=WINTER,
    title=_l("Targets of unions"),
    model=Target,
    form=TargetForm,
    columns=(
        Column(name="workers", title=_l("Workers to reach"), kind="number", total=True),
        Column(name="points", title=_l("Points"), kind="number", total=True),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
)
