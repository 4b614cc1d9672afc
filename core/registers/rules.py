"""The rules of a register that look beyond the row: asked of one row before it is written, as imports ask them of many.

A module beside the layers of the area, as a rule is asked in the middle of a service.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import cast, func, literal, select

from core.errors import Refused
from core.extensions import db
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.wall import beyond_scope


@beyond_scope("registers.rules")
def refuse_broken(register: Register, program_year: ProgramYear, values: Mapping[str, Any]) -> None:
    """Ask all rules in one statement; ``values`` are the columns that the row is to hold.

    Raises :class:`Refused` with the sentence of the first that is broken, at its field.
    """
    if not register.rules:
        return
    table = register.model.__table__
    known = {column.name: values.get(column.name) for column in table.columns}
    row = {name: cast(literal(value, table.c[name].type), table.c[name].type) for name, value in known.items()}
    asked = [func.coalesce(rule.broken(row, program_year), False) for rule in register.rules]
    for rule, is_broken in zip(register.rules, db.session.execute(select(*asked)).one(), strict=True):
        if is_broken:
            raise Refused(str(rule.sentence), field=rule.field)
