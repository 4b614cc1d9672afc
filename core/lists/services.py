"""Keeping what users chose for their lists, which is theirs alone and leaves no line in the audit trail; and that they
searched a list of people, which does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from core.audit.services import look
from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.lists.models import ListView
from core.lists.queries import views_of
from core.lists.types import Listing
from core.users.models import User

LONGEST_NAME = 60
#: Saved filters of one user for one list.
MOST = 30


def remember_columns(user: User, listing: Listing, names: Sequence[str]) -> None:
    """Show these columns to the user from now on; none brings back those that the list has by itself."""
    _keep(user, listing, "", [column.name for column in listing.columns if column.name in names], {}, "")


def save_filter(user: User, listing: Listing, name: str, filters: Mapping[str, Any], sort: str) -> None:
    """Keep what a list is narrowed down to under a name; what had that name before is replaced.

    Raises :class:`ZhijiaError` for a name that is empty or too long, :class:`Refused` when there are too many.
    """
    if not name or len(name) > LONGEST_NAME:
        raise ZhijiaError(_("Give the filter a name of at most %(most)s characters.", most=LONGEST_NAME), field="name")
    known = {view.name for view in views_of(user.id, listing)} - {""}
    if name not in known and len(known) >= MOST:
        raise Refused(_("There are %(most)s saved filters; delete one first.", most=MOST), field="name")
    # A person is named by number, which says nothing a year later and would have to be erased with them.
    _keep(user, listing, name, [], {key: value for key, value in filters.items() if key != "person"}, sort)


def drop_filter(user: User, listing: Listing, name: str) -> None:
    """Delete a saved filter; one that is gone already is no fault."""
    mine = (ListView.user_id == user.id) & (ListView.listing == listing.code) & (ListView.name == name)
    db.session.execute(delete(ListView).where(mine, ListView.name != ""))
    db.session.commit()


def note_search(user: User, listing: Listing, args: Mapping[str, Any]) -> None:
    """That a list of people was searched: by how many filters, and whether by name, but never by which."""
    said = {"filters": len(set(args) - {"text"}), "by_name": "text" in args}
    look(user, "list.search", f"list:{listing.code}", user.org_path, **said)


def note_number(user: User, listing: Listing, person_id: int | None) -> None:
    """That an identity number was looked for in a list: about the person who has it, else about the list."""
    subject = f"person:{person_id}" if person_id is not None else f"list:{listing.code}"
    look(user, "list.find", subject, user.org_path, list=listing.code, found=person_id is not None)


def _keep(user: User, listing: Listing, name: str, columns: list[str], filters: Mapping[str, Any], sort: str) -> None:
    values = {"columns": columns, "filters": dict(filters), "sort": sort}
    query = insert(ListView).values(user_id=user.id, listing=listing.code, name=name, **values)
    db.session.execute(query.on_conflict_do_update(index_elements=["user_id", "listing", "name"], set_=values))
    db.session.commit()
