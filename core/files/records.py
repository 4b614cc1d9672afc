"""What files belong to: a record of any kind, by its subject, with who may read and change it. Beside the layers."""

from dataclasses import dataclass
from typing import Any

from core.plugin.types import Register
from core.programs.models import ProgramYear


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record that has files. ``program`` is that for which the permissions are asked, if it is of one."""

    subject: str
    org_id: int
    org_path: str
    view_permission: str
    edit_permission: str
    program: str | None = None
    program_year_id: int | None = None
    person_id: int | None = None


def record_of(register: Register, program_year: ProgramYear, row: Any) -> Record:
    """The row of a register as a record, in the year in which somebody looks at it."""
    return Record(
        subject=f"{register.code}:{row.id}",
        org_id=row.org_id,
        org_path=row.org_path,
        view_permission=register.view_permission,
        edit_permission=register.edit_permission,
        program=register.program,
        program_year_id=program_year.id,
        person_id=row.person_id if register.of_people else None,
    )
