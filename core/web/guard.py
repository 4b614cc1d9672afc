"""Every page asks for a login unless it says that it is public: a new page cannot be forgotten."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import Flask, Response, current_app, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from core.errors import NotFound
from core.users.access import can_anywhere, refuse
from core.users.login import reauthenticate
from core.users.models import User
from core.web import marks

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


def me() -> User:
    """The user who is logged in. Only for pages that are not public."""
    return cast(User, current_user._get_current_object())


def prove(password: str) -> None:
    """Have whoever is logged in prove it with their password; the form of such a step is a ``SignedForm``.

    Raises :class:`Refused` at the field ``password``, after the same number of failures as the login.
    """
    reauthenticate(me(), password, request.remote_addr or "")


def found(thing: R | None) -> R:
    """The thing, or :class:`NotFound`: out of scope looks the same as not there."""
    if thing is None:
        raise NotFound(_("There is nothing here, or nothing that you may see."))
    return thing


def to_login() -> AnyResponse:
    """Send an unknown visitor to the login page and back afterwards; htmx requests move the whole page."""
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    target = url_for("users.login", next=back if back != "/" else None)
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": url_for("users.login")})
    return redirect(target)


def _ask_for_login() -> AnyResponse | None:
    if request.endpoint is None or request.endpoint == "static" or current_user.is_authenticated:
        return None
    view = current_app.view_functions[request.endpoint]
    return None if marks.is_public(view) else to_login()


def init_app(app: Flask) -> None:
    """Ask for a login before every page that is not public."""
    app.before_request(_ask_for_login)
