"""What may be done with people's data, how much of it may be looked at, and how long it is kept."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, of_nobody, through


class PrivacyRule(Base):
    """What holds from ``first_year`` on (Asia/Shanghai), until a later row.

    ``shown_a_day``: whoever has the numbers of more people shown on a day is told to the auditors. ``import_days``:
    rows and files of lists that were not merged. ``export_days``: files of exports. ``message_days``: messages that
    were read. ``quiet_years``: a person without a record for so many years is due for erasing.
    """

    __tablename__ = "core_privacy_rule"
    __table_args__ = (
        CheckConstraint(
            "least(shown_a_day, import_days, export_days, message_days, quiet_years) >= 1", name="at_least_one"
        ),
        {"info": of_nobody("settings")},
    )

    first_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shown_a_day: Mapped[int]
    import_days: Mapped[int]
    export_days: Mapped[int]
    message_days: Mapped[int]
    quiet_years: Mapped[int]


class Processing(Base):
    """One kind of what is done with people's data (处理目的). ``ground`` is the law or contract it rests on; none: the
    person's consent (个人信息保护法, art. 13). ``sensitive`` as in art. 28. ``title`` by language.
    """

    __tablename__ = "core_processing"
    __table_args__ = ({"info": of_nobody("settings")},)

    code: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[dict[str, Any]]
    sensitive: Mapped[bool]
    ground: Mapped[str | None]


class Consent(Base):
    """That a person agreed to something being done with their data (个人信息处理同意), and until when.

    ``evidence`` says where the paper or the attachment is. Days are in Asia/Shanghai. Withdrawing undoes nothing that
    the law has us keep; it is shown.
    """

    __tablename__ = "core_consent"
    __table_args__ = (
        CheckConstraint("withdrawn_on >= given_on", name="withdrawn_on"),
        CheckConstraint("(withdrawn_on IS NULL) = (withdrawn_by IS NULL)", name="withdrawn_by"),
        Index("ix_core_consent_person_id", "person_id"),
        {"info": through("person_id", "core_person")},
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"))
    processing: Mapped[str] = mapped_column(ForeignKey("core_processing.code"))
    given_on: Mapped[date]
    evidence: Mapped[str]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
    withdrawn_on: Mapped[date | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
