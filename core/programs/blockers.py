"""What stands in the way of switching a program year on or off, of opening it and of closing it, in sentences."""

from typing import Literal

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from core.errors import Refused
from core.extensions import db
from core.org.scope import lineage, subtree
from core.plugin.hooks import year_blockers
from core.plugin.migrate import is_behind
from core.plugin.registry import registry_of
from core.plugin.types import Program
from core.programs.models import ProgramYear
from core.programs.queries import title_of
from core.wall import beyond_scope

Step = Literal["open", "close"]


@beyond_scope("programs.blockers")
def blockers(program_year: ProgramYear, step: Step) -> list[str]:
    """Why the year cannot be opened, or closed for good, yet: one sentence each, none when it can."""
    return [str(blocker.sentence) for blocker in year_blockers(program_year) if blocker.step == step]


@beyond_scope("programs.blockers")
def refuse_blocked(program_year: ProgramYear, step: Step) -> None:
    """Raise :class:`Refused` with every sentence, if anything stands in the way."""
    sentences = blockers(program_year, step)
    if sentences:
        raise Refused(" ".join(sentences))


@beyond_scope("programs.blockers")
def refuse_unready(program_year: ProgramYear, program: Program) -> None:
    """Raise :class:`Refused` unless the plugin's tables stand, and the programs that it builds on are on that year.

    Those may be run by the same sponsor or by a union above it.
    """
    registry = registry_of()
    plugin = registry.plugins[registry.owners[program.code]]
    if is_behind(plugin, db.session.connection()):
        raise Refused(
            _("The tables of “%(plugin)s” are not up to date; run: zhijia db upgrade", plugin=plugin.name),
            field="program",
        )
    for code in program.requires:
        is_on = select(ProgramYear.id).where(
            ProgramYear.program == code,
            ProgramYear.year == program_year.year,
            ProgramYear.enabled,
            ProgramYear.org_path.in_(lineage(program_year.org_path)),
        )
        if db.session.scalars(is_on.limit(1)).first() is None:
            title = registry.programs[code].title
            raise Refused(_("It builds on “%(program)s”; switch that on for the year first.", program=title))


@beyond_scope("programs.blockers")
def refuse_needed(program_year: ProgramYear) -> None:
    """Raise :class:`Refused` while a program year that is on builds on this one and on no other."""
    needy = [code for code, program in registry_of().programs.items() if program_year.program in program.requires]
    same_year = (ProgramYear.year == program_year.year, ProgramYear.enabled, ProgramYear.id != program_year.id)
    dependents = select(ProgramYear).where(
        ProgramYear.program.in_(needy), subtree(ProgramYear.org_path, program_year.org_path), *same_year
    )
    others = select(ProgramYear.org_path).where(ProgramYear.program == program_year.program, *same_year)
    paths = db.session.scalars(others).all()
    for dependent in db.session.scalars(dependents.order_by(ProgramYear.org_path, ProgramYear.program)):
        if not any(dependent.org_path.startswith(path) for path in paths):
            title = title_of(dependent, str(get_locale()))
            raise Refused(_("“%(program)s” builds on it; switch that off first.", program=title))
