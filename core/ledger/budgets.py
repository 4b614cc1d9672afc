"""Budget lines: what a union may spend on a program year. Held when a run is computed, used when it is posted.

The CHECK on the line is the last word; here the same rules answer in sentences. Everybody locks lines in id order and
before anything of the chain, so that two runs never wait for each other in a circle.
"""

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.errors import Refused
from core.extensions import db
from core.ledger.models import BudgetLine
from core.money import yuan
from core.org.models import Org
from core.programs.models import ProgramYear

#: A refusal names so many unions and counts the rest.
NAMED = 3


def open_lines(program_year: ProgramYear, orgs: Mapping[int, str]) -> None:
    """Make the lines that are missing, empty. ``orgs`` is org id -> path."""
    if not orgs:
        return
    rows = [
        {"program_year_id": program_year.id, "org_id": org_id, "org_path": path}
        for org_id, path in sorted(orgs.items())
    ]
    db.session.execute(upsert(BudgetLine).values(rows).on_conflict_do_nothing())


def locked_lines(program_year_id: int, org_ids: list[int]) -> dict[int, BudgetLine]:
    """The lines of these unions by org id, locked in id order and read afresh."""
    rows = db.session.scalars(
        select(BudgetLine)
        .where(BudgetLine.program_year_id == program_year_id, BudgetLine.org_id.in_(org_ids))
        .order_by(BudgetLine.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {line.org_id: line for line in rows}


def hold(program_year_id: int, amounts: Mapping[int, int]) -> None:
    """Hold fen on the line of each union (org id -> fen). Raises :class:`Refused` naming who lacks how much."""
    lines = locked_lines(program_year_id, list(amounts))
    lacking = {
        org_id: amount - _free(lines.get(org_id))
        for org_id, amount in amounts.items()
        if amount > _free(lines.get(org_id))
    }
    if lacking:
        raise Refused(_shortage(lacking))
    for org_id, amount in amounts.items():
        _change(lines[org_id], held_fen=amount)


def release(program_year_id: int, amounts: Mapping[int, int]) -> None:
    """Give back what was held."""
    for org_id, line in locked_lines(program_year_id, list(amounts)).items():
        _change(line, held_fen=-amounts[org_id])


def use_held(program_year_id: int, amounts: Mapping[int, int]) -> None:
    """Turn what was held into what is used."""
    for org_id, line in locked_lines(program_year_id, list(amounts)).items():
        _change(line, held_fen=-amounts[org_id], used_fen=amounts[org_id])


def give_back(program_year_id: int, amounts: Mapping[int, int]) -> None:
    """Make free again what was used, as when a payment comes back."""
    for org_id, line in locked_lines(program_year_id, list(amounts)).items():
        _change(line, used_fen=-amounts[org_id])


def spend_free(program_year_id: int, org_id: int, amount: int) -> None:
    """Use what is free without a hold, as when money is passed down. Raises :class:`Refused`."""
    line = locked_lines(program_year_id, [org_id]).get(org_id)
    if line is None or amount > _free(line):
        raise Refused(_shortage({org_id: amount - _free(line)}))
    _change(line, used_fen=amount)


def add(program_year_id: int, amounts: Mapping[int, int]) -> None:
    """Raise the lines, which must be there."""
    for org_id, line in locked_lines(program_year_id, list(amounts)).items():
        _change(line, allotted_fen=amounts[org_id])


def _free(line: BudgetLine | None) -> int:
    return line.allotted_fen - line.held_fen - line.used_fen if line else 0


def _change(line: BudgetLine, *, allotted_fen: int = 0, held_fen: int = 0, used_fen: int = 0) -> None:
    db.session.execute(
        update(BudgetLine)
        .where(BudgetLine.id == line.id)
        .values(
            allotted_fen=BudgetLine.allotted_fen + allotted_fen,
            held_fen=BudgetLine.held_fen + held_fen,
            used_fen=BudgetLine.used_fen + used_fen,
        )
        .execution_options(synchronize_session=False)
    )


def _shortage(lacking: Mapping[int, int]) -> str:
    names = dict(db.session.execute(select(Org.id, Org.name).where(Org.id.in_(list(lacking)))).all())
    worst = sorted(lacking, key=lambda org_id: -lacking[org_id])
    said = _("; ").join(
        _("%(org)s lacks %(amount)s yuan", org=names[org_id], amount=yuan(lacking[org_id])) for org_id in worst[:NAMED]
    )
    if len(worst) > NAMED:
        said += _("; and %(count)s more", count=len(worst) - NAMED)
    return str(_("The budget does not cover this: %(who)s.", who=said))
