"""How much a request may hold and how long it may take. gunicorn has limits too: core/web/serving.py."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from threading import Timer
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, request
from sqlalchemy.engine import make_url
from werkzeug.exceptions import BadRequest, RequestURITooLarge

#: Bytes of a form without its files; a file has the limit of the whole request.
LARGEST_FORM = 500_000
MOST_PARTS = 1000
#: Of what stands behind the question mark: a list with every filter and column chosen has a tenth of it.
LONGEST_QUERY = 4000
MOST_ARGUMENTS = 200
#: Seconds that a body may take to arrive: 32 MB at two megabits a second.
BODY_PATIENCE = 120.0


class SlowBodies:
    """Stops listening to whoever sends a body for too long, so that a few of them cannot hold every thread.

    Only gunicorn says which socket it is. The request then ends in a 400, as one whose sender has left.
    """

    def __init__(self, app: WSGIApplication, patience: float = BODY_PATIENCE) -> None:
        self._app, self._patience = app, patience

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer; the timer ends with the view, which has read the body."""
        connection = environ.get("gunicorn.socket")
        if connection is None or environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS"):
            return self._app(environ, start_response)
        timer = Timer(self._patience, _stop_listening, [connection])
        timer.daemon = True
        timer.start()
        try:
            return self._app(environ, start_response)
        finally:
            timer.cancel()


def _stop_listening(connection: socket.socket) -> None:
    with suppress(OSError):  # it has gone by itself
        connection.shutdown(socket.SHUT_RD)


def time_limits(url: str, seconds: int) -> dict[str, Any]:
    """What to connect with where pages are made, besides the options that ``url`` has.

    No statement takes longer than ``seconds``, none waits for a lock longer than a third of it, and a transaction in
    which nothing happens for twice as long is ended. Background jobs have their own patience instead.
    """
    limits = {
        "statement_timeout": seconds * 1000,
        "lock_timeout": seconds * 1000 // 3,
        "idle_in_transaction_session_timeout": seconds * 2000,
    }
    given = make_url(url).query.get("options", "")
    options = [given] if isinstance(given, str) else list(given)
    return {"options": " ".join([*options, *(f"-c {name}={value}" for name, value in limits.items())]).strip()}


def _limit() -> None:
    if request.mimetype == "application/x-www-form-urlencoded":
        request.max_content_length = LARGEST_FORM  # Werkzeug limits forms of this kind by the whole request only
    if len(request.query_string) > LONGEST_QUERY:
        raise RequestURITooLarge
    if request.query_string.count(b"&") >= MOST_ARGUMENTS:
        raise BadRequest


def _refuse_nameless() -> None:
    """No browser sends a part of a form without a name, and whoever looks for a name there stumbles over it."""
    if request.method == "POST" and None in request.form:
        raise BadRequest


def init_app(app: Flask) -> None:
    """Set the limits before anything is read."""
    app.before_request(_limit)


def init_forms(app: Flask) -> None:
    """Look at forms before anybody else does, but not at those of visitors who are sent to log in first."""
    app.before_request(_refuse_nameless)
