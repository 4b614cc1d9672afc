"""The file that a form sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from flask import request
from flask_babel import gettext as _

from core.errors import ZhijiaError


@contextmanager
def sent_file() -> Iterator[tuple[IO[bytes], str]]:
    """The content and the name of what was sent as ``file``, closed afterwards.

    Raises :class:`ZhijiaError` at ``file`` where none was chosen.
    """
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise ZhijiaError(_("Choose a file first."), field="file")
    try:
        yield sent.stream, sent.filename
    finally:
        sent.close()
