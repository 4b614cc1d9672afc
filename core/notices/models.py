"""The calendar of working days that notices and time limits count by."""

from datetime import date

from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class CalendarDay(Base):
    """A day whose kind the province set itself: for years the library does not know yet, or against it."""

    __tablename__ = "core_calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    reason: Mapped[str]
