"""Which of the data keys is in use now."""

from sqlalchemy import select

from core.config import settings_of
from core.data_keys import DataKeys
from core.extensions import db
from core.keys.models import KeysInUse


def file_keys() -> DataKeys:
    """The data keys, of which the one in use is written with. Asked on a connection of its own: files are written
    while no transaction is open.
    """
    with db.engine.connect() as connection:
        version = connection.scalar(select(KeysInUse.cipher))
    return settings_of().data_keys.writing(version or 1)
