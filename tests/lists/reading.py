"""Reading a list as its page does, without a page."""

from typing import Any

from werkzeug.datastructures import MultiDict

from core.lists.filters import Reading
from core.lists.paging import Place
from core.lists.queries import page_of
from core.lists.types import Line, Listing
from core.org.scope import Scope


def read(listing: Listing, scope: Scope, **args: Any) -> Reading:
    """What an address with these arguments asks for."""
    return Reading(listing, scope, MultiDict(args))


def lines(listing: Listing, scope: Scope, place: Place | None = None, **args: Any) -> list[Line]:
    """The first page that such an address shows, or the one beside a place."""
    reading = read(listing, scope, **args)
    assert not reading.failed
    return list(page_of(listing, scope, reading.asked, listing.columns, place).lines)
