"""Where exports show up: their pages, and the lists of the core among what can be exported."""

from flask import Flask

from core.audit.listing import AUDIT
from core.exports.sources import Source, provide_source
from core.exports.views import blueprint
from core.lists.types import Listing
from core.org.listing import ORGS
from core.people.listing import PEOPLE
from core.programs.models import ProgramYear
from core.users.access import can_anywhere, scope_of
from core.users.listing import USERS
from core.users.models import User

#: The lists of the core that are the same for every year, and the permission to read each.
LISTS: dict[str, tuple[Listing, str]] = {
    "people": (PEOPLE, "people.view"),
    "orgs": (ORGS, "org.view"),
    "users": (USERS, "user.manage"),
    "audit": (AUDIT, "audit.view"),
}


def init_app(app: Flask) -> None:
    """Mount the pages."""
    app.register_blueprint(blueprint)
    provide_source(app, core_source)


def core_source(user: User, code: str, _program_year: ProgramYear | None) -> Source | None:
    """A list of the core, as the user may read it."""
    listing, permission = LISTS.get(code, (None, ""))
    if listing is None or not can_anywhere(user, permission):
        return None
    return Source(listing=listing, scope=scope_of(user, permission), title=str(listing.title))
