"""Where an entry stands in its flow, who moved it there, and batches that wait to be moved."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, of_user, org_reference


class FlowColumns:
    """The columns of a model whose register has a flow; inherit it beside your own base.

    ``state`` is a code of the flow; a flow that begins in another state than ``draft`` gives the model its own
    ``state`` with that server default. ``state_since`` is UTC, ``due_on`` the last day (Asia/Shanghai) to move on.
    ``at_level`` is the level of the union at which the entry waits: the one above it of this level, or the sponsor.
    ``made_by`` is the user who made the entry, none for a job. Only the core writes these columns.
    """

    state: Mapped[str] = mapped_column(server_default="draft", index=True)
    state_since: Mapped[CreatedAt]
    due_on: Mapped[date | None]
    at_level: Mapped[str | None]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))


class FlowStep(Base):
    """A step with the entry ``row_id`` of the register with this code: a move, or a vote for one (``moved`` is false).

    ``at_level`` is where it was done, ``to_level`` where the entry waits afterwards. ``voters`` are the users who were
    asked when the entry arrived in a state that needs all of them. ``comment`` is emptied when the person is erased.
    """

    __tablename__ = "core_flow_step"
    __table_args__ = (
        org_reference(),
        Index("ix_core_flow_step_register", "register", "row_id", "id"),
        Index("ix_core_flow_step_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
    )

    id: Mapped[BigId]
    register: Mapped[str]
    row_id: Mapped[int]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"))
    transition: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    at_level: Mapped[str | None]
    to_level: Mapped[str | None]
    moved: Mapped[bool]
    voters: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    comment: Mapped[str] = mapped_column(server_default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    actor: Mapped[str]
    at: Mapped[CreatedAt]


class FlowBatch(Base):
    """Rows that were chosen for a step and are too many to be moved while somebody waits; emptied when done.

    ``seen`` is the instant (UTC) when the user was told their number: what was moved after it is left alone.
    """

    __tablename__ = "core_flow_batch"
    __table_args__ = ({"info": of_user()},)

    id: Mapped[BigId]
    register: Mapped[str]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    transition: Mapped[str]
    comment: Mapped[str]
    seen: Mapped[datetime]
    row_ids: Mapped[list[Any]] = mapped_column(ARRAY(BigInteger))
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
