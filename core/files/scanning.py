"""The virus scanner clamd (``ZHIJIA_CLAMD``), asked over its socket. Whatever goes wrong refuses the file."""

import socket
import struct
from typing import IO

import structlog
from flask_babel import gettext as _

from core.errors import Refused

PATIENCE = 60.0
_BLOCK = 64 * 1024
#: Of the answer, which is a line with the name of what was found.
_LONGEST = 4096
log = structlog.get_logger()


def scan_with_clamd(address: str, content: IO[bytes]) -> str | None:
    """The name of what clamd finds in the content, if anything. ``address``: ``unix:/path`` or ``host:port``.

    Raises :class:`Refused` when it does not answer, or not that the file is clean.
    """
    try:
        with _connected(address) as connection:
            answer = _asked(connection, content)
    except OSError as error:
        raise _unchecked(error) from error
    if answer.endswith(" OK"):
        return None
    if answer.endswith(" FOUND"):
        return answer.removesuffix(" FOUND").rpartition(": ")[2]
    raise _unchecked(answer)


def _connected(address: str) -> socket.socket:
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(address.removeprefix("unix:"))
        except OSError:
            connection.close()
            raise
        return connection
    host, _colon, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), PATIENCE)


def _asked(connection: socket.socket, content: IO[bytes]) -> str:
    """The answer to INSTREAM: blocks, each after its length, and a length of nothing at the end."""
    connection.sendall(b"zINSTREAM\0")
    while block := content.read(_BLOCK):
        connection.sendall(struct.pack(">I", len(block)) + block)
    connection.sendall(struct.pack(">I", 0))
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LONGEST and (more := connection.recv(_LONGEST)):
        answer += more
    return answer.rstrip(b"\0\n").decode(errors="replace")


def _unchecked(reason: object) -> Refused:
    log.error("virus scanner failed", reason=str(reason))
    return Refused(
        _("The file could not be checked for viruses, so it was not taken. Try later, or tell the administrator."),
        field="file",
    )
