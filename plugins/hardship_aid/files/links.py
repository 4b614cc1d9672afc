"""The way back to the file from what hangs on it."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from core.api import EntryLink, db
from plugins.hardship_aid.files.models import File


def address_of_file(row: Any) -> dict[str, Any] | None:
    """Where the file of the worker ``row.person_id`` is shown; none where it is another union's by now."""
    file_id = db.session.scalar(select(File.id).where(File.person_id == row.person_id))
    return {"name": "files", "row_id": file_id} if file_id else None


TO_FILE = EntryLink(title=_l("The file"), endpoint="registers.show", address=address_of_file, icon="folder-open")
