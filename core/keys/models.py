"""Which of the data keys the database is encrypted with now."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, of_nobody

#: Whoever encrypts or makes a digest holds it shared, whoever changes the version alone. Any constant will do.
LOCK = 0x6B657973


class KeysInUse(Base):
    """One row: the version that is written with, and that of all digests. ``zhijia keys rotate`` alone changes it."""

    __tablename__ = "core_keys_in_use"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        {"info": of_nobody("versions of keys, and no key")},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cipher: Mapped[int]
    digest: Mapped[int]
