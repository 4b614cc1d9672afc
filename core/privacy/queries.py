"""Reading what holds now, and who looked at what."""

from datetime import datetime, time

from sqlalchemy import func, select

from core.audit.models import AuditLine
from core.config import LOCAL_ZONE
from core.extensions import db
from core.privacy.models import PrivacyRule
from core.users.access import today
from core.wall import beyond_scope

SHOWN = "people.numbers_shown"


def rule_of(year: int | None = None) -> PrivacyRule:
    """What holds in the year, or in this one. The migration wrote the first row, so that there is always one."""
    wanted = today().year if year is None else year
    query = select(PrivacyRule).where(PrivacyRule.first_year <= wanted)
    return db.session.scalars(query.order_by(PrivacyRule.first_year.desc()).limit(1)).one()


@beyond_scope("privacy.shown")  # what the user looked at counts wherever it was
def count_shown_today(user_id: int) -> int:
    """Of how many people the user had the numbers shown today (Asia/Shanghai)."""
    since = datetime.combine(today(), time(), LOCAL_ZONE)
    query = select(func.count(func.distinct(AuditLine.object))).where(
        AuditLine.action == SHOWN, AuditLine.user_id == user_id, AuditLine.at >= since
    )
    return db.session.scalar(query) or 0
