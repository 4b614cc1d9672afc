"""The register of the leaders who visit."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists

from core.api import Column, Register
from plugins.four_seasons.leaders.forms import LeaderForm
from plugins.four_seasons.leaders.models import Leader
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.words import EDIT, VIEW, WINTER


def has_visited() -> ColumnElement[bool]:
    """A leader whom visits name stays; an undone visit names them too."""
    return exists().where(Visit.leader_id == Leader.id)


LEADERS = Register(
    code="four_seasons.leaders",
    program=WINTER,
    title=_l("Leaders who visit"),
    model=Leader,
    form=LeaderForm,
    columns=(
        Column(name="name", title=_l("Name of the leader")),
        Column(name="position", title=_l("Position")),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
    stays=has_visited,
    stays_because=_l("Visits name this leader, so that they stay in the register."),
)
