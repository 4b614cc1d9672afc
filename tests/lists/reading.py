"""Reading a list as its page does, without a page."""

from werkzeug.datastructures import MultiDict

from core.lists.filters import Reading
from core.lists.queries import page_of
from core.lists.types import Line, Listing
from core.org.scope import Scope


def read(listing: Listing, scope: Scope, **args: str) -> Reading:
    """What an address with these arguments asks for."""
    return Reading(listing, scope, MultiDict(args))


def lines(listing: Listing, scope: Scope, **args: str) -> list[Line]:
    """The first page that such an address shows."""
    reading = read(listing, scope, **args)
    assert not reading.failed
    return list(page_of(listing, scope, reading.asked, listing.columns).lines)
