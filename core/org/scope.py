"""Row scope: the one place that says which rows a user may see.

Every query on a table with an ``org_path`` takes a :class:`Scope` and filters with :meth:`Scope.covers`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from posixpath import commonpath

from sqlalchemy import ColumnElement, false, func, or_
from sqlalchemy.orm import InstrumentedAttribute

PathColumn = ColumnElement[str] | InstrumentedAttribute[str] | InstrumentedAttribute[str | None]


def subtree(column: PathColumn, path: str) -> ColumnElement[bool]:
    """The rows at or below ``path``, as an index range: ``/61/`` <= column < ``/610``, as ``0`` follows ``/``."""
    return (column >= path) & (column < path[:-1] + "0")


def lies_below(path: PathColumn, top: PathColumn) -> ColumnElement[bool]:
    """:func:`subtree` where the path above is a column too."""
    return (path >= top) & (path < func.left(top, -1) + "0")


def shared_path(paths: Iterable[str]) -> str:
    """The path that all of these lie at or below; ``/`` for none."""
    return commonpath([*paths] or ["/"]).rstrip("/") + "/"


def lineage(path: str) -> list[str]:
    """The path and those of all orgs above it, from the root down: ``/61/``, ``/61/6101/``."""
    return [path[: end + 1] for end, sign in enumerate(path) if sign == "/" and end]


@dataclass(frozen=True, slots=True)
class Scope:
    """The org subtrees that somebody may reach, as paths; none means nothing at all.

    ``industries`` are the industry unions that these orgs belong to on the second axis: they lie above, like the
    county, the city and the province, and nothing in them is reached.
    """

    paths: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()

    @classmethod
    def of(cls, paths: Iterable[str], industries: Iterable[str] = ()) -> "Scope":
        """A scope without the paths that others of it already cover."""
        kept: list[str] = []
        for path in sorted(set(paths)):
            if not kept or not path.startswith(kept[-1]):
                kept.append(path)
        return cls(tuple(kept), tuple(sorted(set(industries))))

    def covers(self, column: PathColumn) -> ColumnElement[bool]:
        """The condition for ``WHERE``: rows of this scope only."""
        return or_(false(), *(subtree(column, path) for path in self.paths))

    def includes(self, path: str) -> bool:
        """Whether the org with ``path`` lies in this scope."""
        return any(path.startswith(prefix) for prefix in self.paths)

    def touches(self, path: str) -> bool:
        """Whether ``path`` lies in this scope or above it: a city sees that the province runs a campaign."""
        return self.includes(path) or any(below.startswith(path) for below in (*self.paths, *self.industries))

    def meets(self, column: PathColumn) -> ColumnElement[bool]:
        """:meth:`touches` as a condition for ``WHERE``: rows of this scope, and of the orgs above it."""
        above = {prefix for path in (*self.paths, *self.industries) for prefix in lineage(path)}
        return or_(self.covers(column), column.in_(sorted(above)))
