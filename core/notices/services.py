"""Setting days of the calendar."""

from datetime import date

from flask_babel import gettext as _
from sqlalchemy.dialects.postgresql import insert

from core.audit.services import Actor, record
from core.errors import ZhijiaError
from core.extensions import db
from core.notices.models import CalendarDay
from core.org.models import Org


def set_day(actor: Actor, org: Org, day: date, *, working: bool, reason: str) -> None:
    """Say whether ``day`` is worked, against the published calendar or before there is one; ``org`` decided it.

    Notices that run keep the end that was announced. Raises :class:`ZhijiaError` where the reason is missing.
    """
    if not reason.strip():
        raise ZhijiaError(_("Please give the reason, such as the number of the document that says so."), field="reason")
    values = {"working": working, "reason": reason.strip()}
    statement = insert(CalendarDay).values(day=day, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=["day"], set_=values))
    record(actor, "calendar.set", f"day:{day.isoformat()}", org.path, **values)
    db.session.commit()
