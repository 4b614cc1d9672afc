"""Workers and members, each kept once; programs refer to them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, Prefixed, org_reference

#: What may be changed in a file -> its columns, filled together or not at all: ciphertext, digest, tail, what else.
CHANGEABLE = {
    "phone": ("phone", "phone_digest", "phone_tail"),
    "bank_account": ("bank_account", "bank_account_digest", "bank_account_tail", "bank_name"),
}


class Person(Base):
    """One worker or member (职工/会员), under the union that is responsible for them.

    The identity number, the phone and the bank account are AES-256-GCM ciphertext; a keyed digest beside them serves
    exact look-up and uniqueness, and the last four characters are kept for masked display.

    ``merged_into_id`` names the file of the same person that counts; it is never merged itself, and whoever looks for
    the number of this file finds that one. ``erased_at`` (UTC): nothing personal is left, ``born_on`` and ``gender``
    are the same for all of these. Both are inactive for good; the row stays for what was paid.

    ``account_changed_at`` (UTC) is when the bank account became another one, ``payee_changed_at`` when the name did or
    the end of the account, kept by the database; none: never.
    """

    __tablename__ = "core_person"
    __table_args__ = (
        org_reference(),
        CheckConstraint("gender IN ('M', 'F')", name="gender"),
        CheckConstraint("merged_into_id IS NULL OR NOT active AND merged_into_id <> id", name="merged"),
        CheckConstraint("erased_at IS NULL OR NOT active", name="erased"),
        Index("ix_core_person_merged_into_id", "merged_into_id", postgresql_where="merged_into_id IS NOT NULL"),
        Index("ix_core_person_org_path", "org_path", "id"),
        Index("ix_core_person_initials", "initials", "id"),
        Index("ix_core_person_pinyin", "pinyin", "id"),
        Index("ix_core_person_payee_changed_at", "payee_changed_at", postgresql_where="payee_changed_at IS NOT NULL"),
    )

    id: Mapped[BigId]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    name: Mapped[str]
    pinyin: Mapped[Prefixed]
    initials: Mapped[Prefixed]
    gender: Mapped[str]
    born_on: Mapped[date]
    id_number: Mapped[bytes]
    id_number_digest: Mapped[bytes] = mapped_column(unique=True)
    id_number_tail: Mapped[str]
    phone: Mapped[bytes | None]
    phone_digest: Mapped[bytes | None]
    phone_tail: Mapped[str | None]
    bank_account: Mapped[bytes | None]
    bank_account_digest: Mapped[bytes | None]
    bank_account_tail: Mapped[str | None]
    bank_name: Mapped[str | None]
    account_changed_at: Mapped[datetime | None]
    payee_changed_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(server_default="true")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"))
    erased_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
