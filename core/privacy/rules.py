"""Writing down what holds from a year on."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from core.audit.services import record
from core.errors import Refused
from core.extensions import db
from core.privacy.models import PrivacyRule
from core.users.access import require, today
from core.users.models import User

PERMISSION = "program.manage"


def rules() -> Sequence[PrivacyRule]:
    """All of them, the latest first."""
    return db.session.scalars(select(PrivacyRule).order_by(PrivacyRule.first_year.desc())).all()


def keep_rule(actor: User, root: str, values: Mapping[str, int]) -> None:
    """Keep what holds from ``first_year`` on, in place of a former one for the same year.

    ``root`` is the path of the province. Raises :class:`Forbidden`, and :class:`Refused` at ``first_year`` for a past
    year: what held then stays readable.
    """
    require(actor, PERMISSION, root)
    if values["first_year"] < today().year:
        raise Refused(_("This year is over; choose this year or a later one."), field="first_year")
    rule = db.session.get(PrivacyRule, values["first_year"], with_for_update=True)
    if rule is None:
        rule = PrivacyRule(**values)
        db.session.add(rule)
    for name, value in values.items():
        setattr(rule, name, value)
    record(actor, "privacy.rule", f"year:{values['first_year']}", root, **values)
    db.session.commit()
