"""The report of levels: what was allotted, passed down, held, spent and is free, by union, level and source.

Every program year has it; its budget leads there. Money that went down several levels stands in ``allotted``
at each of them and in ``funds`` once, where it is now.
"""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select

from core.ledger.budget_queries import budget_facts
from core.ledger.models import BudgetLine
from core.ledger.scope import VIEW
from core.ledger.titles import SOURCE_TITLES
from core.lists.types import Column
from core.org.titles import LEVEL_TITLES
from core.plugin.types import Report, ReportContext
from core.programs.models import ProgramYear

#: No report of a plugin is called so.
NAME = "budget-levels"


def levels_report(program_year: ProgramYear) -> Report:
    """The report as one of the program's."""
    return Report(
        code=f"ledger.{NAME}",
        program=program_year.program,
        title=_l("Budget by level and source"),
        permission=VIEW,
        columns=(
            Column(name="level", title=_l("Level"), kind="choice", choices=LEVEL_TITLES),
            Column(name="source", title=_l("Source of money"), kind="choice", choices=SOURCE_TITLES),
            Column(name="funds_fen", title=_l("Funds"), kind="yuan"),
            Column(name="held_fen", title=_l("Held"), kind="yuan"),
            Column(name="spent_fen", title=_l("Spent"), kind="yuan"),
            Column(name="free_fen", title=_l("Free"), kind="yuan"),
            Column(name="allotted_fen", title=_l("Allotted"), kind="yuan"),
            Column(name="passed_down_fen", title=_l("Passed down"), kind="yuan"),
        ),
        select=_facts,
    )


def _facts(context: ReportContext) -> Select[*tuple[Any, ...]]:
    return budget_facts(context.program_year.id, context.scope.covers(BudgetLine.org_path))
