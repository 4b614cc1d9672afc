"""The Flask extensions, each made once here and bound to the app in :func:`core.create_app`."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect

from core.database import metadata

db = SQLAlchemy(metadata=metadata)
login_manager = LoginManager()
csrf = CSRFProtect()


@contextmanager
def whole() -> Iterator[None]:
    """All of what is done inside, or nothing: whatever is raised rolls the session back first."""
    try:
        yield
    except BaseException:
        db.session.rollback()
        raise
