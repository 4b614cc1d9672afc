"""Who may log in, and what they may do where."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, BigId, CreatedAt, OrgPath, of_user, org_reference, sealed, through

#: When a user wants e-mails: never, once a day, for each new thing.
MAILING = ("none", "daily", "each")


class User(Base):
    """Somebody of a union's staff who can log in.

    ``password_until`` is set while the password is one that somebody else gave: until then it lets the user in, to
    choose another one. ``email`` gets mails that only say how much waits, as often as ``mailing`` says.
    """

    __tablename__ = "core_user"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"mailing IN {MAILING}", name="mailing"),
        {"info": of_user("id", seen_below=True)},
    )

    id: Mapped[BigId]
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_until: Mapped[datetime | None]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    active: Mapped[bool] = mapped_column(server_default="true")
    locale: Mapped[str] = mapped_column(server_default="zh")
    email: Mapped[str | None]
    mailing: Mapped[str] = mapped_column(server_default="daily")
    created_at: Mapped[CreatedAt]
    last_login_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]

    grants: Mapped[list["Grant"]] = relationship(back_populates="user", lazy="selectin")
    password: Mapped["Password | None"] = relationship(cascade="all")

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        """Whether the account may be used (asked by Flask-Login)."""
        return self.active

    @property
    def password_hash(self) -> str:
        """What :mod:`core.users.passwords` made of the password; empty where there is none yet."""
        return self.password.hash if self.password else ""

    @password_hash.setter
    def password_hash(self, made: str) -> None:
        if self.password is None:
            self.password = Password(hash=made)
        else:
            self.password.hash = made


class Password(Base):
    """Apart from the user, whom unions below see as well: their own, and of those who are responsible for them."""

    __tablename__ = "core_password"
    __table_args__ = ({"info": through("user_id", "core_user", held=True, user="user_id")},)

    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"), primary_key=True)
    hash: Mapped[str]


class Grant(Base):
    """A role held on an org subtree, for every program or for one, for good or until a day (inclusive)."""

    __tablename__ = "core_grant"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("user_id", "role", "org_id", "program", postgresql_nulls_not_distinct=True),
        Index("ix_core_grant_org_path", "org_path"),
        {"info": through("user_id", "core_user")},
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    role: Mapped[str]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    program: Mapped[str | None]
    until: Mapped[date | None]
    created_at: Mapped[CreatedAt]

    user: Mapped[User] = relationship(back_populates="grants")


class Session(Base):
    """Somebody's time with the house: from one login until it is ended or runs out.

    The cookie holds a random token and ``digest`` is its SHA-256. ``second`` says whether a second factor was given.
    """

    __tablename__ = "core_session"
    __table_args__ = (Index("ix_core_session_user_id", "user_id"), {"info": of_user()})

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    digest: Mapped[bytes] = mapped_column(unique=True)
    second: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]
    seen_at: Mapped[CreatedAt]
    address: Mapped[str]
    browser: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None]


class SecondFactor(Base):
    """A user's authenticator app (TOTP, RFC 6238): its secret, encrypted, and the step of the last code it was shown.

    ``codes`` are digests of the recovery codes that are left, in hexadecimal digits.
    """

    __tablename__ = "core_second_factor"
    __table_args__ = ({"info": of_user()},)

    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"), primary_key=True)
    secret: Mapped[bytes] = sealed("totp")
    last_step: Mapped[int]
    codes: Mapped[list[Any]]
    created_at: Mapped[CreatedAt]
