"""Study aid as disbursement schemes: by the level of school, and in autumn by whether the parent is on file."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, false, func, literal, null, select

from core.api import EntryKind, Person, ProgramYear, Scheme, SchemeContext, db, offered, share_pool, under_objection
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.words import APPLICATIONS, BASES, LEVELS, MINE, PURPOSE, REASONS
from plugins.four_seasons.payments import paid_so_far
from plugins.four_seasons.words import AUTUMN


def autumn(context: SchemeContext) -> Select[Any]:
    """Every approved application: fixed amounts, or shares of a pool in their proportion (fen).

    The hardship file of today decides by which of the two amounts of a level; who applied as the child of a worker on
    file whose file is not valid any more is excluded. What other runs paid out of the pool is taken off first.
    """
    on_file = _on_file(context)
    basis = Application.level + case((on_file, "_on_file"), else_="_difficult")
    lapsed = (and_(Application.basis == "on_file", ~on_file), "file_not_valid")
    named = approved(context, basis, [f"{level}_{basis}" for level in LEVELS for basis in BASES], lapsed)
    if context.settings["rule"] == "pool":
        return share_pool(context, named, max(context.settings["pool"] - paid_so_far(context), 0))
    return named


def mine(context: SchemeContext) -> Select[Any]:
    """Every approved application: the amount of its level, whoever the parent is."""
    return approved(context, Application.level.expression, list(LEVELS))


def approved(
    context: SchemeContext, basis: ColumnElement[str], amounts: list[str], *more: tuple[ColumnElement[bool], str]
) -> Select[Any]:
    """The approved applications in the columns of a scheme; ``basis`` names the setting that is the amount."""
    settings = context.settings
    objected = under_objection(APPLICATIONS[_program(context)], Application, since=Application.applied_on)
    reason = case(
        (Application.graduates_on <= literal(first_day(settings, context.year)), "graduated"),
        (Application.other_aid.in_(settings["excludes"]), Application.other_aid),
        *more,
        (objected, "objection"),
        (~Person.active, "inactive"),
        (Person.bank_account_digest.is_(None), "no_account"),
        else_=null(),
    )
    return (
        select(
            Application.person_id.label("payee_id"),
            Application.org_id,
            Application.org_path,
            cast(case({name: settings[name] for name in amounts}, value=basis), BigInteger).label("amount_fen"),
            basis.label("basis"),
            reason.label("exclude_reason"),
        )
        .join(Person, Person.id == Application.person_id)
        .where(Application.program_year_id == context.program_year_id, Application.state == "approved")
    )


def first_day(settings: Any, year: int) -> date:
    """The first day of the campaign; 1 January where the settings name none."""
    starts_on = settings.get("starts_on")
    return date.fromisoformat(starts_on) if starts_on else date(year, 1, 1)


def _on_file(context: SchemeContext) -> ColumnElement[bool]:
    files = offered("hardship", db.session.get_one(ProgramYear, context.program_year_id))
    if files is None:
        return false()
    return func.coalesce(Application.parent_id.in_(select(files.subquery().c.person_id)), false())


def _program(context: SchemeContext) -> str:
    return db.session.get_one(ProgramYear, context.program_year_id).program


def _scheme(
    program: str, code: str, title: LazyString, item: str, choose: Callable[[SchemeContext], Select[Any]]
) -> Scheme:
    return Scheme(
        code=code,
        program=program,
        title=title,
        item=item,
        entry_kind=f"{code}_payment",
        select=choose,
        reasons=REASONS,
        purpose=PURPOSE,
    )


AUTUMN_AID = _scheme(AUTUMN, "four_seasons.autumn", _l("Autumn study aid"), "autumn", autumn)
MINE_AID = _scheme(MINE, "four_seasons.mine", _l("Aid to mine-disaster families"), "mine", mine)
PAYMENTS = [
    EntryKind(code="four_seasons.autumn_payment", title_zh="金秋助学支出", debit="50204", credit="102"),
    EntryKind(code="four_seasons.mine_payment", title_zh="矿难家庭助学支出", debit="50204", credit="102"),
]
