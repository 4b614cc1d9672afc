"""Workers and members, each kept once; programs refer to them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, Prefixed, digest_of, org_reference, sealed, through

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
        {"info": through("id", "core_person_place", "person_id")},
    )

    id: Mapped[BigId]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    name: Mapped[str]
    pinyin: Mapped[Prefixed]
    initials: Mapped[Prefixed]
    gender: Mapped[str]
    born_on: Mapped[date]
    id_number: Mapped[bytes] = sealed("id_number")
    id_number_digest: Mapped[bytes] = digest_of("id_number", "id_number", unique=True)
    id_number_tail: Mapped[str]
    phone: Mapped[bytes | None] = sealed("phone")
    phone_digest: Mapped[bytes | None] = digest_of("phone", "phone")
    phone_tail: Mapped[str | None]
    bank_account: Mapped[bytes | None] = sealed("bank_account")
    bank_account_digest: Mapped[bytes | None] = digest_of("bank_account", "bank_account")
    bank_account_tail: Mapped[str | None]
    bank_name: Mapped[str | None]
    account_changed_at: Mapped[datetime | None]
    payee_changed_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(server_default="true")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"))
    erased_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class PersonPlace(Base):
    """A union where a person was on file, or a file that was merged into theirs; the database keeps it.

    The union's records stay with it, so it goes on seeing whom they are about, and so does whoever is above it.
    """

    __tablename__ = "core_person_place"
    __table_args__ = (org_reference(),)

    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"), primary_key=True)
    org_id: Mapped[int] = mapped_column(primary_key=True)
    org_path: Mapped[OrgPath]
