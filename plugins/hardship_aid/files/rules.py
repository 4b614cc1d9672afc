"""What rows that hang on a file keep to."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists

from core.api import ProgramYear, Rule
from plugins.hardship_aid.files.models import File


def has_no_file(row: Mapping[str, ColumnElement[Any]], _year: ProgramYear) -> ColumnElement[bool]:
    """Only a worker with a file has a household on record, is paired and is visited."""
    return ~exists().where(File.person_id == row["person_id"])


NO_FILE = Rule(broken=has_no_file, sentence=_l("This worker has no file; open one first."), field="id_number")
