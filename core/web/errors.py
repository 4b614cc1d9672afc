"""Error pages: one sentence, what to do, and the reference number that the log has as well."""

import secrets
from typing import Any

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from psycopg.errors import (
    DeadlockDetected,
    LockNotAvailable,
    QueryCanceled,
    SerializationFailure,
    UndefinedColumn,
    UndefinedTable,
)
from sqlalchemy.exc import DataError, InterfaceError, OperationalError, ProgrammingError, TimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from core.errors import ZhijiaError
from core.extensions import db

log = structlog.get_logger()

SENTENCES: dict[int, LazyString] = {
    400: _l("The request could not be understood. Go back, check what you entered and try again."),
    403: _l("You may not do this."),
    404: _l("There is nothing here, or nothing that you may see."),
    405: _l("This page cannot be used in this way. Go back and use its buttons."),
    408: _l("What you sent took too long to arrive. Try again, or send a smaller file."),
    409: _l("This cannot be done in the present state. Load the page again to see what changed."),
    413: _l("What you sent is too large. Send a smaller file."),
    414: _l("The address is too long. Go back and choose fewer filters."),
    429: _l("Too many requests. Wait a little and try again."),
    500: _l(
        "Something went wrong on our side, and nothing was changed. Try again; tell the administrator if it stays."
    ),
    503: _l("The database does not answer. Nothing was changed; try again in a minute."),
    504: _l(
        "This took too long and was stopped; nothing was changed. Narrow down what you ask for, or try again later."
    ),
}
BUSY = _l("Somebody else is changing the same just now. Nothing was changed; try again in a moment.")
BEHIND = _l("The database is not up to date with the program. The administrator has to run “zhijia db upgrade”.")
STRANGE_HOST = _l("This site has another name. The administrator can allow this one with ZHIJIA_HOSTS.")
EXPIRED = _l("The page was open too long or came from elsewhere. Load it again and repeat what you did.")


def _begin() -> None:
    """Number the request, in the log as on its error page."""
    g.request_id = secrets.token_hex(5)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    return response


def _page(status: int, sentence: str, *, plain: bool = False) -> Response:
    """The error as a page, as a fragment for htmx, or (``plain``) without the menu when the menu itself may fail."""
    if request.headers.get("HX-Request"):
        template = "errors/fragment.html"
    else:
        template = "errors/plain.html" if plain or status >= 500 else "errors/page.html"
    return make_response(render_template(template, status=status, sentence=sentence), status)


def _own_error(error: ZhijiaError) -> Response:
    db.session.rollback()  # what the refused service had begun
    log.info("refused", status=error.status, path=request.path, reason=type(error).__name__)
    return _page(error.status, str(error))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # a redirect that Werkzeug raises
        return make_response(error.get_response())
    if isinstance(error, SecurityError):  # the name of the host; no address can be made for a page with a menu
        return _page(status, str(STRANGE_HOST), plain=True)
    is_forged = isinstance(error, CSRFError)
    if is_forged or status == 403:
        log.info("refused", status=status, path=request.path, reason=type(error).__name__)
    sentence = EXPIRED if is_forged else SENTENCES.get(status, SENTENCES[400])
    response = _page(status, str(sentence))
    if status == 405:
        response.headers.extend(error.get_headers())
        response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response


def _unstorable(error: DataError) -> Response:
    """What no column could hold, as a number of thirty digits or a NUL: nobody types that by mistake."""
    db.session.rollback()
    log.warning("value out of range", path=request.path, error=repr(error.orig))
    return _page(400, str(SENTENCES[400]))


def _wrong_statement(error: ProgrammingError) -> Response:
    """What the database did not understand: a table or column that a migration has not made yet, or a fault of ours."""
    db.session.rollback()
    log.error("request failed", path=request.path, error=repr(error.orig))
    if isinstance(error.orig, UndefinedTable | UndefinedColumn):
        return _page(503, str(BEHIND))
    return _page(500, str(SENTENCES[500]))


def _not_served(error: OperationalError | InterfaceError | TimeoutError) -> Response:
    """The database stopped a statement that took too long, waited in vain for others, or is away."""
    db.session.rollback()
    reason = getattr(error, "orig", error)
    log.error("request failed", path=request.path, error=repr(reason))
    if isinstance(reason, QueryCanceled):
        return _page(504, str(SENTENCES[504]))
    waited = isinstance(reason, LockNotAvailable | DeadlockDetected | SerializationFailure | TimeoutError)
    response = _page(503, str(BUSY if waited else SENTENCES[503]))
    response.headers["Retry-After"] = "10"
    return response


def _crash(error: InternalServerError) -> Response:
    log.error("request failed", path=request.path, error=repr(error.original_exception))
    return _page(500, str(SENTENCES[500]))


def _log_exception(exc_info: Any) -> None:
    """In place of Flask's own, which would write the traceback as it is."""
    log.error("request crashed", path=request.path, exc_info=exc_info)


def init_app(app: Flask) -> None:
    """Number requests and answer errors in sentences."""
    app.log_exception = _log_exception  # type: ignore[method-assign]  # Flask asks for it by that name
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(ZhijiaError, _own_error)
    app.register_error_handler(DataError, _unstorable)
    app.register_error_handler(ProgrammingError, _wrong_statement)
    for kind in (OperationalError, InterfaceError, TimeoutError):
        app.register_error_handler(kind, _not_served)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InternalServerError, _crash)
