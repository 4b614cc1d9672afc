"""The two steps that an author takes with tables: write the next revision, and take revisions back."""

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.operations.ops import CreateTableOp, MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from core.errors import Refused
from core.plugin.migrate import CORE, VERSIONS, Owner, alembic_config, alone, current, differences, history
from core.plugin.registry import reason_of

BASE = "base"


def write_revision(engine: Engine, owner: Owner, message: str) -> Path:
    """Write what the owner's models have and its tables have not as the next revision, ``0002_<message>.py``.

    Raises :class:`Refused` when the tables are behind, nothing differs or the folder cannot be written.
    """
    with alone(engine), engine.connect() as connection:
        known = history(owner)
        newest, here = known[-1] if known else None, current(owner, connection)
        if here != newest:
            raise Refused(
                f"The tables of {owner.name} are at {here or 'none'}, its newest revision is {newest or 'none'}; "
                "run first: zhijia db upgrade"
            )
        if not differences(owner, connection):
            raise Refused(f"The models and the tables of {owner.name} agree; there is nothing to write.")
        config = alembic_config(owner, connection)
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        number = _next_number(known)
        try:
            command.revision(
                config,
                message,
                autogenerate=True,
                rev_id=number,
                version_path=str(owner.versions),
                process_revision_directives=_without_walls,
            )
        except OSError as error:
            raise Refused(f"The folder {owner.versions} cannot be written ({error.strerror}).") from error
        connection.rollback()  # Alembic may have made an empty version table
    return next(owner.versions.glob(f"{number}_*.py"))


def _without_walls(_context: MigrationContext, _revision: object, directives: Sequence[MigrationScript]) -> None:
    """Whose a table's rows are is said by its model alone; the policies follow from there at each upgrade."""
    for script in directives:
        for upgrade in script.upgrade_ops_list:
            for step in upgrade.ops:
                if isinstance(step, CreateTableOp):
                    step.info = {}


def _next_number(known: list[str]) -> str:
    number = len(known) + 1
    while f"{number:04d}" in known:
        number += 1
    return f"{number:04d}"


def take_back(engine: Engine, owner: Owner, owners: list[Owner], to: str | None = None) -> list[str]:
    """Take the owner's newest revision back, or all after ``to`` (``base`` is before the first), in one transaction.

    At the base its version table goes as well. Returns the tables of the owner that its revisions left behind. Raises
    :class:`Refused` for the core, for an unknown revision, and while another of ``owners`` needs these tables.
    """
    if owner.name == CORE.name:
        raise Refused("The tables of the core carry everybody's; they are not taken back. Restore a backup instead.")
    with alone(engine), engine.begin() as connection:
        for other in owners:
            if owner.name in other.after and current(other, connection) is not None:
                raise Refused(f"{other.name} needs the tables of {owner.name}; take its own back first.")
        target = _target(history(owner), current(owner, connection), owner, to)
        try:
            command.downgrade(alembic_config(owner, connection), target)
        except (Exception, SystemExit) as error:
            raise Refused(f"{owner.name} stays as it was; taking it back failed: {reason_of(error)}") from error
        if target != BASE:
            return []
        connection.execute(text(f'DROP TABLE "{owner.name}{VERSIONS}"'))
        left = inspect(connection).get_table_names()
        return sorted(name for name in left if name.startswith(f"{owner.name}_"))


def _target(known: list[str], here: str | None, owner: Owner, to: str | None) -> str:
    if here is None:
        raise Refused(f"{owner.name} has no tables here; there is nothing to take back.")
    if here not in known:
        raise Refused(f"The tables of {owner.name} are at {here}, which the plugin that is installed does not know.")
    before = [BASE, *known[: known.index(here)]]
    if to is None:
        return before[-1]
    if to not in before:
        raise Refused(f"The tables of {owner.name} are at {here}; before it there are {', '.join(before)}.")
    return to
