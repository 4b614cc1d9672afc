"""Which register and which entry a page is about, for every area that has pages below the address of a register.

The gate has checked year and sponsor; here the register's own permissions are asked for, and rows keep to the scope.
"""

from core.plugin.gate import current_program_year, refuse_unless_open
from core.plugin.types import Register
from core.registers import queries
from core.registers.queries import Line
from core.users.access import can_anywhere, refuse, scope_of
from core.web.guard import found, me


def register_here(name: str) -> Register:
    """The register of that name of the program, for who may read it somewhere. Raises :class:`ZhijiaError`."""
    program_year = current_program_year()
    register = found(queries.find_register(program_year, name))
    if not can_anywhere(me(), register.view_permission, program_year.program):
        refuse(register.view_permission)
    return register


def register_to_change(name: str) -> Register:
    """The register, for who may change it somewhere, while the year is open. Raises :class:`ZhijiaError`."""
    program_year = current_program_year()
    register = found(queries.find_register(program_year, name))
    if not can_anywhere(me(), register.edit_permission, program_year.program):
        refuse(register.edit_permission)
    refuse_unless_open(program_year)
    return register


def line_of(register: Register, row_id: int, permission: str) -> Line:
    """An entry of the register where the user holds ``permission``. Raises :class:`NotFound`."""
    program_year = current_program_year()
    return found(queries.find_line(register, program_year, row_id, scope_of(me(), permission, program_year.program)))
