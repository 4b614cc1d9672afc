"""Working days of mainland China: weekends, public holidays and the Saturdays and Sundays worked in exchange.

The library ``chinesecalendar`` knows the years that the State Council has published; what the province set itself
(:class:`CalendarDay`) goes before it. For any other year Monday to Friday counts, and :func:`calendar_known` says so.
"""

from datetime import date, timedelta

from chinese_calendar import holidays, is_workday
from sqlalchemy import extract, select

from core.extensions import db
from core.notices.models import CalendarDay

_KNOWN_YEARS = range(min(holidays).year, max(holidays).year + 1)
_WINDOW = timedelta(days=60)


def calendar_known(year: int) -> bool:
    """Whether the holidays of the year are known, from the library or because the province set days of it."""
    if year in _KNOWN_YEARS:
        return True
    own = select(CalendarDay.day).where(extract("year", CalendarDay.day) == year).limit(1)
    return db.session.scalars(own).first() is not None


def is_working_day(day: date) -> bool:
    """Whether unions work on this day."""
    return _works(day, _set_by_province(day, day))


def add_working_days(day: date, count: int) -> date:
    """The last of ``count`` working days after ``day``, which itself does not count; ``day`` for a count of 0.

    A list posted on Friday 2017-12-01 for 5 working days is under notice until Friday 2017-12-08.
    """
    if count < 0:
        raise ValueError("working days are counted forward")
    last_read, own = day, {}
    while count:
        day += timedelta(days=1)
        if day > last_read:
            last_read = day + _WINDOW
            own = _set_by_province(day, last_read)
        count -= _works(day, own)
    return day


def _works(day: date, own: dict[date, bool]) -> bool:
    if day in own:
        return own[day]
    return bool(is_workday(day)) if day.year in _KNOWN_YEARS else day.weekday() < 5


def _set_by_province(first: date, last: date) -> dict[date, bool]:
    days = select(CalendarDay.day, CalendarDay.working).where(CalendarDay.day.between(first, last))
    return dict(db.session.execute(days).all())
