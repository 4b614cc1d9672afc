"""Who may log in, and what they may do where."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, BigId, CreatedAt, OrgPath, org_reference

#: When a user wants e-mails: never, once a day, for each new thing.
MAILING = ("none", "daily", "each")


class User(Base):
    """Somebody of a union's staff who can log in. ``session_token`` changes whenever open sessions must end.

    ``email`` gets mails that only say how much waits, as often as ``mailing`` says.
    """

    __tablename__ = "core_user"
    __table_args__ = (org_reference(), CheckConstraint(f"mailing IN {MAILING}", name="mailing"))

    id: Mapped[BigId]
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    session_token: Mapped[str]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    active: Mapped[bool] = mapped_column(server_default="true")
    locale: Mapped[str] = mapped_column(server_default="zh")
    email: Mapped[str | None]
    mailing: Mapped[str] = mapped_column(server_default="daily")
    created_at: Mapped[CreatedAt]
    last_login_at: Mapped[datetime | None]

    grants: Mapped[list["Grant"]] = relationship(back_populates="user", lazy="selectin")

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        """Whether the account may be used (asked by Flask-Login)."""
        return self.active

    def get_id(self) -> str:
        """What the session cookie holds: the id and the token, so that a changed token ends every open session."""
        return f"{self.id}:{self.session_token}"


class Grant(Base):
    """A role held on an org subtree, for every program or for one, for good or until a day (inclusive)."""

    __tablename__ = "core_grant"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("user_id", "role", "org_id", "program", postgresql_nulls_not_distinct=True),
        Index("ix_core_grant_org_path", "org_path"),
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


class LoginFailure(Base):
    """One failed login, counted by name and by address to slow down guessing; old rows are removed."""

    __tablename__ = "core_login_failure"
    __table_args__ = (
        Index("ix_core_login_failure_username", "username", "at"),
        Index("ix_core_login_failure_address", "address", "at"),
    )

    id: Mapped[BigId]
    username: Mapped[str]
    address: Mapped[str]
    at: Mapped[CreatedAt]
