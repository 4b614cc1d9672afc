"""Budget lines: what a union may spend of one source on a program year. Held when a run is computed, used when it is
posted; sources never mix, so every function speaks of the lines of one.

The CHECK on the line is the last word; here the same rules answer in sentences. Everybody locks lines in id order and
before anything of the chain, so that two runs never wait for each other in a circle.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from flask_babel import gettext as _
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.errors import Refused
from core.extensions import db
from core.ledger.models import UNION_FUNDS, BudgetLine
from core.money import yuan
from core.org.models import Org
from core.programs.models import ProgramYear

#: A refusal names so many unions and counts the rest.
NAMED = 3
NONE: Mapping[int, int] = MappingProxyType({})
_TABLE = BudgetLine.__table__.c
_ADD = (
    update(BudgetLine.__table__)  # type: ignore[arg-type]  # the table of a model is one
    .where(_TABLE.id == bindparam("line"))
    .values(
        allotted_fen=_TABLE.allotted_fen + bindparam("allotted"),
        held_fen=_TABLE.held_fen + bindparam("held"),
        used_fen=_TABLE.used_fen + bindparam("used"),
    )
)


def open_lines(program_year: ProgramYear, orgs: Mapping[int, str], source: str = UNION_FUNDS) -> None:
    """Make the lines of a source that are missing, empty. ``orgs`` is org id -> path."""
    if not orgs:
        return
    rows = [
        {"program_year_id": program_year.id, "org_id": org_id, "org_path": path, "source": source}
        for org_id, path in sorted(orgs.items())
    ]
    db.session.execute(upsert(BudgetLine).values(rows).on_conflict_do_nothing())


def locked_lines(program_year_id: int, org_ids: Iterable[int], source: str = UNION_FUNDS) -> dict[int, BudgetLine]:
    """The lines of these unions by org id, locked in id order and read afresh."""
    rows = db.session.scalars(
        select(BudgetLine)
        .where(
            BudgetLine.program_year_id == program_year_id,
            BudgetLine.org_id.in_(list(org_ids)),
            BudgetLine.source == source,
        )
        .order_by(BudgetLine.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {line.org_id: line for line in rows}


def hold(program_year_id: int, amounts: Mapping[int, int], source: str = UNION_FUNDS) -> None:
    """Hold fen on the line of each union (org id -> fen). Raises :class:`Refused` naming who lacks how much."""
    lines = locked_lines(program_year_id, amounts, source)
    if lacking := _lacking(lines, amounts):
        raise Refused(_shortage(lacking))
    _change(lines, held=amounts)


def release(program_year_id: int, amounts: Mapping[int, int], source: str = UNION_FUNDS) -> None:
    """Give back what was held."""
    _change(locked_lines(program_year_id, amounts, source), held=_minus(amounts))


def use_held(program_year_id: int, amounts: Mapping[int, int], source: str = UNION_FUNDS) -> None:
    """Turn what was held into what is used."""
    _change(locked_lines(program_year_id, amounts, source), held=_minus(amounts), used=amounts)


def give_back(program_year_id: int, amounts: Mapping[int, int], source: str = UNION_FUNDS) -> None:
    """Make free again what was used, as when a payment comes back."""
    _change(locked_lines(program_year_id, amounts, source), used=_minus(amounts))


def give(program_year_id: int, giver_id: int | None, amounts: Mapping[int, int], source: str) -> None:
    """Raise the receivers' lines, which must be there, out of what is free on the giver's, if there is a giver.

    Raises :class:`Refused` naming what the giver lacks.
    """
    spent = {} if giver_id is None else {giver_id: sum(amounts.values())}
    lines = locked_lines(program_year_id, {**amounts, **spent}, source)
    if lacking := _lacking(lines, spent):
        raise Refused(_shortage(lacking))
    _change(lines, allotted=amounts, used=spent)


def take_back(program_year_id: int, giver_id: int | None, amounts: Mapping[int, int], source: str) -> None:
    """Undo :func:`give` out of what is free on the receivers' lines. Raises :class:`Refused` naming what is free."""
    spent = {} if giver_id is None else {giver_id: -sum(amounts.values())}
    lines = locked_lines(program_year_id, {**amounts, **spent}, source)
    if lacking := _lacking(lines, amounts):
        free = {org_id: _free(lines.get(org_id)) for org_id in lacking}
        said = _named(free, lambda org, amount: _("%(org)s has %(amount)s yuan free", org=org, amount=amount))
        raise Refused(_("What is held or used cannot be taken back: %(who)s.", who=said))
    _change(lines, allotted=_minus(amounts), used=spent)


def _minus(amounts: Mapping[int, int]) -> dict[int, int]:
    return {org_id: -amount for org_id, amount in amounts.items()}


def _free(line: BudgetLine | None) -> int:
    return line.allotted_fen - line.held_fen - line.used_fen if line else 0


def _lacking(lines: Mapping[int, BudgetLine], amounts: Mapping[int, int]) -> dict[int, int]:
    missing = {org_id: amount - _free(lines.get(org_id)) for org_id, amount in amounts.items()}
    return {org_id: fen for org_id, fen in missing.items() if fen > 0}


def _change(
    lines: Mapping[int, BudgetLine],
    *,
    allotted: Mapping[int, int] = NONE,
    held: Mapping[int, int] = NONE,
    used: Mapping[int, int] = NONE,
) -> None:
    """Add to the columns of the lines; all are given by org id."""
    rows = [
        {
            "line": line.id,
            "allotted": allotted.get(org_id, 0),
            "held": held.get(org_id, 0),
            "used": used.get(org_id, 0),
        }
        for org_id, line in lines.items()
    ]
    if rows:
        db.session.connection().execute(_ADD, rows)


def _shortage(lacking: Mapping[int, int]) -> str:
    said = _named(lacking, lambda org, amount: _("%(org)s lacks %(amount)s yuan", org=org, amount=amount))
    return str(_("The budget does not cover this: %(who)s.", who=said))


def _named(amounts: Mapping[int, int], say: Callable[[str, str], str]) -> str:
    """What is to be said of some unions, the largest amounts first."""
    names = dict(db.session.execute(select(Org.id, Org.name).where(Org.id.in_(list(amounts)))).all())
    worst = sorted(amounts, key=lambda org_id: -amounts[org_id])
    said = _("; ").join(say(names[org_id], yuan(amounts[org_id])) for org_id in worst[:NAMED])
    if len(worst) > NAMED:
        said += _("; and %(count)s more", count=len(worst) - NAMED)
    return str(said)
