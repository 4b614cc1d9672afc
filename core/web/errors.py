"""Error pages: one sentence, what to do, and the reference number that the log has as well."""

import secrets

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from psycopg.errors import UndefinedColumn, UndefinedTable
from sqlalchemy.exc import DataError, ProgrammingError
from werkzeug.exceptions import HTTPException, InternalServerError

from core.errors import ZhijiaError
from core.extensions import db

log = structlog.get_logger()

SENTENCES: dict[int, LazyString] = {
    400: _l("The request could not be understood. Go back, check what you entered and try again."),
    403: _l("You may not do this."),
    404: _l("There is nothing here, or nothing that you may see."),
    405: _l("This page cannot be used in this way. Go back and use its buttons."),
    409: _l("This cannot be done in the present state. Load the page again to see what changed."),
    413: _l("What you sent is too large. Send a smaller file."),
    429: _l("Too many requests. Wait a little and try again."),
    500: _l(
        "Something went wrong on our side, and nothing was changed. Try again; tell the administrator if it stays."
    ),
    503: _l("The database is not up to date with the program. The administrator has to run “zhijia db upgrade”."),
}
EXPIRED = _l("The page was open too long or came from elsewhere. Load it again and repeat what you did.")


def _begin() -> None:
    """Number the request, in the log as on its error page."""
    g.request_id = secrets.token_hex(5)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    return response


def _page(status: int, sentence: str) -> Response:
    """The error as a page, as a fragment for htmx, or without the menu when the menu itself may fail."""
    if request.headers.get("HX-Request"):
        template = "errors/fragment.html"
    else:
        template = "errors/plain.html" if status >= 500 else "errors/page.html"
    return make_response(render_template(template, status=status, sentence=sentence), status)


def _own_error(error: ZhijiaError) -> Response:
    db.session.rollback()  # what the refused service had begun
    log.info("refused", status=error.status, path=request.path, reason=type(error).__name__)
    return _page(error.status, str(error))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # a redirect that Werkzeug raises
        return make_response(error.get_response())
    sentence = EXPIRED if isinstance(error, CSRFError) else SENTENCES.get(status, SENTENCES[400])
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
    status = 503 if isinstance(error.orig, UndefinedTable | UndefinedColumn) else 500
    return _page(status, str(SENTENCES[status]))


def _crash(error: InternalServerError) -> Response:
    log.error("request failed", path=request.path, error=repr(error.original_exception))
    return _page(500, str(SENTENCES[500]))


def init_app(app: Flask) -> None:
    """Number requests and answer errors in sentences."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(ZhijiaError, _own_error)
    app.register_error_handler(DataError, _unstorable)
    app.register_error_handler(ProgrammingError, _wrong_statement)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InternalServerError, _crash)
