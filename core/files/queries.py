"""The files of a record, and those that ought to go."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, cast, func, or_, select

from core.extensions import db
from core.files.models import File
from core.plugin.types import Register


def files_of(subject: str) -> Sequence[File]:
    """The files of a record, in the order in which they came."""
    return db.session.scalars(_of(subject).order_by(File.id)).all()


def find_file(subject: str, file_id: int) -> File | None:
    """One file, if it belongs to the record and is not removed."""
    if file_id >= 2**63:  # the database could not even be asked
        return None
    return db.session.scalars(_of(subject).where(File.id == file_id)).one_or_none()


def has_files(register: str, model: type[Any]) -> ColumnElement[bool]:
    """Whether a row of the register with this code has a file that is not removed: a condition, as for a flow."""
    subject = func.concat(f"{register}:", cast(model.id, Text))
    return select(File.id).where(File.subject == subject, File.removed_at.is_(None)).correlate(model).exists()


def named_keys(keys: Iterable[str]) -> set[str]:
    """Those of the keys that some row names."""
    wanted = list(keys)
    rows = db.session.execute(
        select(File.key, File.thumbnail_key).where(or_(File.key.in_(wanted), File.thumbnail_key.in_(wanted)))
    )
    return {key for row in rows for key in row if key}


def left_alone(register: Register, *conditions: ColumnElement[bool]) -> Sequence[File]:
    """Files under these conditions whose record in the register is gone; some hundred at once."""
    number = cast(func.split_part(File.subject, ":", 2), BigInteger)
    query = select(File).where(
        File.subject.startswith(f"{register.code}:", autoescape=True),
        File.removed_at.is_(None),
        ~select(register.model.id).where(register.model.id == number).exists(),
        *conditions,
    )
    return db.session.scalars(query.order_by(File.id).limit(500)).all()


def files_about(person_id: int) -> Sequence[File]:
    """Every file of a record about the person, also those that were removed, the newest first."""
    query = select(File).where(File.person_id == person_id).order_by(File.id.desc())
    return db.session.scalars(query).all()


def _of(subject: str) -> Select[File]:
    return select(File).where(File.subject == subject, File.removed_at.is_(None))
