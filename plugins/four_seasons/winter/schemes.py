"""Who gets how much: a pool shared among the list, or fixed amounts by category."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ColumnElement, Select, case, cast, literal, null, select

from core.api import EntryKind, Person, Scheme, SchemeContext, share_pool
from plugins.four_seasons.payments import paid_so_far
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.words import CATEGORIES, REASON_TITLES, WINTER


def winter(context: SchemeContext) -> Select[Any]:
    """Everybody on the hardship list of the program year, once: amounts in fen by the rule of the settings.

    Shares of a pool are those of the whole list, whatever part of the tree a run pays in; what other runs paid out of
    the pool is taken off first.
    """
    settings = context.settings
    if settings["rule"] == "category":
        return listed(context.program_year_id, _by_category(context), Hardship.category)
    left = max(settings["pool"] - paid_so_far(context), 0)
    return share_pool(context, listed(context.program_year_id, literal(1), literal("pool")), left)


def listed(program_year_id: int, amount: ColumnElement[int], basis: Any) -> Select[Any]:
    """The list in the columns of a scheme, with who cannot be paid and why."""
    reason = case(
        (~Person.active, "inactive"),
        (Person.bank_account_digest.is_(None), "no_account"),
        else_=null(),
    )
    return (
        select(
            Hardship.person_id.label("payee_id"),
            Hardship.org_id,
            Hardship.org_path,
            cast(amount, BigInteger).label("amount_fen"),
            basis.label("basis"),
            reason.label("exclude_reason"),
        )
        .join(Person, Person.id == Hardship.person_id)
        .where(Hardship.program_year_id == program_year_id)
    )


def _by_category(context: SchemeContext) -> ColumnElement[int]:
    return case({code: context.settings[code] for code in CATEGORIES}, value=Hardship.category)


WINTER_WARMTH = Scheme(
    code="four_seasons.winter",
    program=WINTER,
    title=_l("Winter warmth"),
    item="winter",
    entry_kind="four_seasons.winter_payment",
    select=winter,
    reasons=REASON_TITLES,
)
WINTER_PAYMENT = EntryKind(code="four_seasons.winter_payment", title_zh="送温暖支出", debit="50205", credit="102")
