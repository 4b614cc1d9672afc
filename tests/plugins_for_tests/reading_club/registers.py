"""A register of each kind: reading corners of unions, year by year, and readers, who stay from year to year."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Select, UniqueConstraint, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.api import (
    TYPES,
    BigId,
    Column,
    Fen,
    NewPersonRecordForm,
    OrgPath,
    OrgRecordForm,
    PersonRecordForm,
    Register,
    Report,
    ReportContext,
    YuanField,
    metadata,
    options,
    org_reference,
    through,
)

MEMBERS_OF = {"full": "Full member", "guest": "Guest"}
KINDS = {"corner": "Reading corner", "library": "Library"}


class Base(DeclarativeBase):
    """Base of the plugin's models."""

    metadata = metadata
    type_annotation_map = TYPES


class Corner(Base):
    """A place to read, kept by a union, in one year."""

    __tablename__ = "reading_club_corner"
    __table_args__ = (org_reference(), UniqueConstraint("program_year_id", "org_id", "name"))

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    name: Mapped[str]
    kind: Mapped[str]
    volumes: Mapped[int]
    cost_fen: Mapped[Fen | None]
    opened_on: Mapped[date | None]


class Reader(Base):
    """Somebody who reads for a sponsor, whatever the year."""

    __tablename__ = "reading_club_reader"
    __table_args__ = (org_reference(), UniqueConstraint("sponsor_id", "person_id"))

    id: Mapped[BigId]
    sponsor_id: Mapped[int] = mapped_column(ForeignKey("core_org.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    likes: Mapped[str]


class Member(Base):
    """A member of a club, in one year; taken on file if need be."""

    __tablename__ = "reading_club_member"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("program_year_id", "person_id"),
        CheckConstraint("fee_fen IS NULL OR fee_fen < 1000000", name="fee"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    kind: Mapped[str]
    note: Mapped[str]
    books: Mapped[int | None]
    fee_fen: Mapped[Fen | None]
    joined_on: Mapped[date | None]
    left_on: Mapped[date | None]
    active: Mapped[bool]


class Loan(Base):
    """A book that a reader has taken home; it keeps the reader from being removed."""

    __tablename__ = "reading_club_loan"
    __table_args__ = ({"info": through("reader_id", "reading_club_reader")},)

    id: Mapped[BigId]
    reader_id: Mapped[int] = mapped_column(ForeignKey("reading_club_reader.id"))


class CornerForm(OrgRecordForm):
    """One place to read."""

    name = StringField("Name", validators=[InputRequired(), Length(max=60)])
    kind = SelectField("Kind", choices=options(KINDS))
    volumes = IntegerField("Volumes", validators=[InputRequired(), NumberRange(min=0, max=10_000)])
    cost_fen = YuanField("Cost")
    opened_on = DateField("Opened", validators=[Optional()])


class ReaderForm(PersonRecordForm):
    """One reader."""

    likes = StringField("Likes", validators=[Length(max=60)])


class MemberForm(NewPersonRecordForm):
    """One member."""

    kind = SelectField("Kind", choices=options(MEMBERS_OF))
    note = StringField("Note", validators=[Length(max=20)])
    books = IntegerField("Books", validators=[Optional(), NumberRange(min=0, max=100)])
    fee_fen = YuanField("Fee")
    joined_on = DateField("Joined", validators=[Optional()])
    left_on = DateField("Left", validators=[Optional()])
    active = BooleanField("Active")

    def validate_left_on(self, field: DateField) -> None:
        """Nobody leaves before joining."""
        if field.data and self.joined_on.data and field.data < self.joined_on.data:
            raise ValidationError("Left before joining.")


CORNERS = Register(
    code="reading_club.corners",
    program="reading_club",
    title="Reading corners",
    model=Corner,
    form=CornerForm,
    columns=(
        Column(name="name", title="Name"),
        Column(name="kind", title="Kind", kind="choice", choices=KINDS),
        Column(name="volumes", title="Volumes", kind="number", sort=True, total=True),
        Column(name="cost_fen", title="Cost", kind="yuan", sort=True, total=True),
        Column(name="opened_on", title="Opened", kind="day", sort=True),
    ),
    view_permission="program.view",
    edit_permission="reading_club.edit",
)
READERS = Register(
    code="reading_club.readers",
    program="reading_club",
    title="Readers",
    model=Reader,
    form=ReaderForm,
    columns=(Column(name="likes", title="Likes"),),
    view_permission="reading_club.edit",
    edit_permission="reading_club.edit",
)

MEMBERS = Register(
    code="reading_club.members",
    program="reading_club",
    title="Members",
    model=Member,
    form=MemberForm,
    columns=(Column(name="kind", title="Kind", kind="choice", choices=MEMBERS_OF), Column(name="note", title="Note")),
    view_permission="program.view",
    edit_permission="reading_club.edit",
    stays=lambda: Member.note == "stays",
    stays_because="This member stays.",
)


def volumes_by_kind(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """Places, volumes and cost by kind."""
    return (
        select(
            Corner.kind.label("kind"),
            func.count().label("places"),
            func.sum(Corner.volumes).label("volumes"),
            func.sum(Corner.cost_fen).label("cost_fen"),
        )
        .where(Corner.program_year_id == context.program_year.id, context.scope.covers(Corner.org_path))
        .group_by(Corner.kind)
        .order_by(Corner.kind)
    )


VOLUMES = Report(
    code="reading_club.volumes",
    program="reading_club",
    title="Volumes by kind",
    permission="reading_club.edit",
    columns=(
        Column(name="kind", title="Kind", kind="choice", choices=KINDS),
        Column(name="places", title="Places", kind="number"),
        Column(name="volumes", title="Volumes", kind="number"),
        Column(name="cost_fen", title="Cost", kind="yuan"),
    ),
    select=volumes_by_kind,
)
