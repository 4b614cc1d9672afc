"""What every test of a page checks beside its own: nothing is written, handed out or shown in full without a line.

A request that ends well, and that wrote a table and committed it, sent a file or showed somebody's identity number in
full, must have added a line to the audit trail. What need not is named here, with the reason.
"""

import re
from typing import Any

from flask import Flask, Response, g, has_request_context, request
from sqlalchemy import event
from stdnum.cn import ric

from core.extensions import db

TRAIL = "core_audit"
#: Tables that pages write without a line.
QUIET = {
    "core_flow_batch": "entries that wait for a step, which leaves its line when they take it",
    "core_job": "what the house has to do; whoever asked for it has a line of the thing itself",
    "core_list_view": "how somebody likes to see a list",
    "core_message": "whether a message was read",
    "core_second_factor": "which code was shown last; enrolling and removing have lines",
    "core_session": "when a session was used last; its beginning and end have lines",
    "core_task": "what waits is derived from what was done",
}
#: Endpoints that hand out a file without a line.
EMPTY = {
    "static": "program, no data",
    "imports.template": "an empty list",
    "users_import.template": "an empty list",
    "budget.allot_template": "an empty list",
    "files.thumbnail": "a small picture on the page of an entry, which has a line",
}
#: Neither ON CONFLICT DO UPDATE nor a lock (FOR UPDATE, FOR NO KEY UPDATE) names a table.
_WRITES = re.compile(r"\b(?:INSERT INTO|(?<!DO )(?<!FOR )(?<!KEY )UPDATE|DELETE FROM)\s+\"?(\w+)")
_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9X](?![0-9A-Za-z])")
_WRITTEN, _KEPT = "written_tables", "kept_tables"


def watch(app: Flask) -> None:
    """Check each request of the application from now on; one that fails raises :class:`AssertionError`."""
    event.listen(db.engine, "before_cursor_execute", _note)
    event.listen(db.engine, "savepoint", _remember)
    event.listen(db.engine, "rollback_savepoint", _go_back)
    event.listen(db.engine, "commit", keep)
    event.listen(db.engine, "rollback", _forget)
    app.after_request(_check)


def _written() -> dict[Any, set[str]]:
    """Connection, or connection and savepoint -> the tables that were written by then and are not committed."""
    tables: dict[Any, set[str]] = g.setdefault(_WRITTEN, {})
    return tables


def _note(connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
    if has_request_context():
        _written().setdefault(id(connection), set()).update(_WRITES.findall(statement))


def _remember(connection: Any, name: str) -> None:
    if has_request_context():
        _written()[id(connection), name] = set(_written().get(id(connection), ()))


def _go_back(connection: Any, name: str, *_more: Any) -> None:
    if has_request_context():
        _written()[id(connection)] = _written().get((id(connection), name), set())


def keep(connection: Any) -> None:
    """Take what the request wrote so far on this connection as committed."""
    if has_request_context():
        g.setdefault(_KEPT, set()).update(_written().pop(id(connection), ()))


def _forget(connection: Any) -> None:
    if has_request_context():
        _written().pop(id(connection), None)


def _check(response: Response) -> Response:
    written: set[str] = g.get(_KEPT, set())
    if response.status_code >= 400 or TRAIL in written or request.endpoint is None:
        return response
    loud = {table for table in written if table not in QUIET and table != "core_alembic"}
    if loud:
        raise AssertionError(f"{request.endpoint} wrote {sorted(loud)} without a line in the audit trail")
    if request.endpoint not in EMPTY:
        if "attachment" in response.headers.get("Content-Disposition", ""):
            raise AssertionError(f"{request.endpoint} handed out a file without a line in the audit trail")
        if not response.is_streamed and any(map(ric.is_valid, _NUMBER.findall(response.get_data(as_text=True)))):
            raise AssertionError(f"{request.endpoint} showed an identity number without a line in the audit trail")
    return response
