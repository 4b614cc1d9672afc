"""Every page asks for a login unless it says that it is public: a new page cannot be forgotten."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

import structlog
from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from core.errors import NotFound
from core.users.access import can_anywhere, reach_of, refuse
from core.users.login import reauthenticate
from core.users.models import User
from core.users.second_factor import is_required
from core.users.sessions import Used, use
from core.wall import beyond_scope, reach_as
from core.web import marks
from core.web.forms import SignedForm

#: Where the cookie holds the token of the session.
SESSION = "session"
#: What a page sends along when it asks by itself, without anybody being there: see ``ui.every`` in macros.html.
BACKGROUND = "X-Background"
P = ParamSpec("P")
R = TypeVar("R")


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that everybody may open without logging in."""
    setattr(view, marks.PUBLIC, True)
    return view


def needs(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Open the view only to users who hold ``permission`` somewhere; the query then keeps to their scope."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not can_anywhere(me(), permission):
                refuse(permission)
            return view(*args, **kwargs)

        setattr(guarded, marks.NEEDS, permission)
        return guarded

    return decorate


def reads_only(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that changes nothing of the program year, though it is sent by POST: it is open in closed years."""
    setattr(view, marks.READS, True)
    return view


def open_while_due(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that is open to whoever must first choose a password or enrol a second factor."""
    setattr(view, marks.DUE, True)
    return view


def used_session() -> Used | None:
    """The session that the request's cookie names, also one that still waits for the second factor."""
    if "used_session" not in g:
        token, counts = session.get(SESSION), BACKGROUND not in request.headers
        g.used_session = use(token, counts=counts) if isinstance(token, str) else None
    used: Used | None = g.used_session
    return used


def load_user(_request: object) -> User | None:
    """Whoever is logged in, all the way; how far the request sees follows from it, on pages of a program by the roles
    that count there.
    """
    with beyond_scope("users.session"):
        used = used_session()
        if used is None or used.is_halfway:
            return None
        _year, _sponsor, program = g.get("program_year_parts", (None, None, None))
        reach = reach_of(used.user, program)
    reach_as(reach)
    structlog.contextvars.bind_contextvars(user=used.user.id)
    return used.user


def asks_for_code() -> bool:
    """Whether whoever is logged in has a second factor, which :func:`prove` then asks for."""
    used = used_session()
    return used is not None and used.has_second


def my_session() -> Used:
    """The session of whoever is logged in. Only for pages that are not public."""
    return cast(Used, used_session())


def me() -> User:
    """The user who is logged in. Only for pages that are not public."""
    return cast(User, current_user._get_current_object())


def prove(form: SignedForm) -> None:
    """Have whoever is logged in prove it with their password, and with a code where they have a second factor.

    Raises :class:`Refused` at the field ``password`` or ``code``, after the same number of failures as the login.
    """
    with beyond_scope("users.login"):
        reauthenticate(me(), form.password.data or "", form.code.data or "", request.remote_addr or "")


def found(thing: R | None) -> R:
    """The thing, or :class:`NotFound`: out of scope looks the same as not there."""
    if thing is None:
        raise NotFound(_("There is nothing here, or nothing that you may see."))
    return thing


def to_login() -> AnyResponse:
    """Send an unknown visitor to the login page and back afterwards; htmx requests move the whole page."""
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": url_for("users.login")})
    return redirect(url_for("users.login", next=back if back != "/" else None))


def due_first() -> str | None:
    """The endpoint of what whoever is logged in must do before anything else, if there is something."""
    if me().password_until:
        return "users.account"
    return "second_factor.show" if not my_session().has_second and is_required(me()) else None


def _ask_for_login() -> AnyResponse | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    if marks.is_public(view):
        return None
    if not current_user.is_authenticated:
        return to_login()
    due = None if marks.is_open_while_due(view) else due_first()
    if due is None:
        return None
    if request.headers.get("HX-Request"):
        return Response(status=403, headers={"HX-Redirect": url_for(due)})
    return redirect(url_for(due))


def init_app(app: Flask) -> None:
    """Ask for a login before every page that is not public."""
    app.before_request(_ask_for_login)
