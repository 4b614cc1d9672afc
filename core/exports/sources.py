"""Which lists can be exported. An area names its own while the application is made; exports know none of them."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app
from flask_babel import gettext as _

from core.errors import NotFound
from core.lists.types import Listing
from core.org.scope import Scope
from core.programs.models import ProgramYear
from core.users.models import User

EXTENSION = "zhijia_export_sources"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A list, and the part of it that somebody may read now. ``title`` is what the file is called."""

    listing: Listing
    scope: Scope
    title: str


#: Gives the list with a code (of a program year, or of none) as this user may read it; none where it is not theirs.
Resolver = Callable[[User, str, ProgramYear | None], Source | None]


def provide_source(app: Flask, resolver: Resolver) -> None:
    """Let what ``resolver`` knows be exported."""
    resolvers: list[Resolver] = app.extensions.setdefault(EXTENSION, [])
    resolvers.append(resolver)


def source_of(user: User, code: str, program_year: ProgramYear | None) -> Source:
    """The list with this code. Raises :class:`NotFound` where there is none, or none that the user may read."""
    for resolver in current_app.extensions.get(EXTENSION, []):
        found: Source | None = resolver(user, code, program_year)
        if found is not None:
            return found
    raise NotFound(_("There is no such list, or none that you may see."))
