"""The list of a register: whose its rows are, then the columns that its plugin names."""

from flask_babel import lazy_gettext as _l

from core.lists.types import Column, Join, Listing
from core.org.models import Org
from core.people.models import Person
from core.people.queries import search_people
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.queries import belongs

#: Where a row of the list says in which state of its flow it is, whether or not a column shows it.
STATE = "state of the flow"


def listing_of(register: Register, program_year: ProgramYear) -> Listing:
    """The rows of this year, or of its sponsor where they stay from year to year, in the order of the tree."""
    model = register.model
    org = Column(name="org", title=_l("Union"), kind="org", sort=True, expression=Org.short_name, order=model.org_path)
    joins = [Join(Org, Org.id == model.org_id)]
    whose = [org]
    if register.of_people:
        name = Column(
            name="person", title=_l("Name"), kind="person", sort=True, expression=Person.name, order=Person.pinyin
        )
        number = Column(
            name="id_number", title=_l("Identity number"), kind="identity", expression=Person.id_number_tail
        )
        joins.append(Join(Person, Person.id == model.person_id))
        whose = [name, number, org]
    return Listing(
        code=register.code,
        title=register.title,
        model=model,
        columns=(*whose, *own_columns(register)),
        org_path=model.org_path,
        where=tuple(belongs(register, program_year)),
        joins=tuple(joins),
        person_id=model.person_id if register.of_people else None,
        also={STATE: model.state} if register.flow else {},
        search=search_people if register.of_people else None,
        search_title=_l("Beginning of the name, its pinyin or initials") if register.of_people else "",
    )


def own_columns(register: Register) -> tuple[Column, ...]:
    """The columns that its plugin names; with a flow also where entries stand, and by when they are to move on."""
    if register.flow is None:
        return register.columns
    state = Column(name="state", title=_l("State"), kind="choice", choices=register.flow.states)
    due_on = Column(name="due_on", title=_l("Due on"), kind="day", hidden=True)
    shown = {column.name for column in register.columns}
    return (*register.columns, *(column for column in (state, due_on) if column.name not in shown))
