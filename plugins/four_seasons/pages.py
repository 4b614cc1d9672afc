"""What the pages that spend money ask first; each season takes them for its visits and its stock."""

import secrets

from flask_babel import gettext as _

from core.api import NotFound, Scope, current_program_year, me, scope_of, state_of
from plugins.four_seasons.words import SPEND


def scope_for(permission: str) -> Scope:
    """Where the user holds it in the program of the page."""
    return scope_of(me(), permission, current_program_year().program)


def may_spend() -> bool:
    """Whether the year is open and the user may spend for any union."""
    return state_of(current_program_year()) == "open" and bool(scope_for(SPEND).paths)


def refuse_strangers() -> None:
    """Raise :class:`NotFound` for whoever may spend nothing in this program."""
    if not scope_for(SPEND).paths:
        raise NotFound(_("You may not spend money of this program."))


def fresh_key() -> str:
    """A key for a form, under which it is booked once."""
    return secrets.token_hex(16)
