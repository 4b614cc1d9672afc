"""Which rows of the two books somebody may read: a grant for one program opens only that program's lines."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, or_, select

from core.ledger.models import Activity, Entry
from core.org.scope import Scope
from core.programs.models import ProgramYear
from core.users.access import scope_of
from core.users.models import User

VIEW = "ledger.view"


@dataclass(frozen=True, slots=True)
class BookScope:
    """``general`` reaches lines of every program and of none; ``programs`` those of one program each."""

    general: Scope
    programs: Mapping[str, Scope] = field(default_factory=dict)

    @property
    def anywhere(self) -> Scope:
        """Every subtree in which some line may be read: where a filter may look."""
        paths = [path for scope in (self.general, *self.programs.values()) for path in scope.paths]
        return Scope.of(paths)

    @property
    def is_general(self) -> bool:
        """Whether no grant for a single program reaches further than those for all of them."""
        return all(self.general.includes(path) for scope in self.programs.values() for path in scope.paths)

    def covers(self, book: type[Entry] | type[Activity]) -> ColumnElement[bool]:
        """The condition for ``WHERE``."""
        single = [
            and_(
                book.program_year_id.in_(select(ProgramYear.id).where(ProgramYear.program == program)),
                scope.covers(book.org_path),
            )
            for program, scope in self.programs.items()
        ]
        return or_(self.general.covers(book.org_path), *single)


def book_scope(user: User, permission: str = VIEW) -> BookScope:
    """Where ``user`` holds ``permission`` over the books."""
    programs = sorted({grant.program for grant in user.grants if grant.program})
    return BookScope(scope_of(user, permission), {program: scope_of(user, permission, program) for program in programs})
