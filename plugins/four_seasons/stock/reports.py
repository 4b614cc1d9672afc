"""The stock of a year: what was bought, given out and is left, by goods and union."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from core.api import SOURCE_TITLES, Column, Report, ReportContext
from plugins.four_seasons.stock.models import Lot
from plugins.four_seasons.words import SUMMER, VIEW


def stock(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """A fact for each lot that stands."""
    given = Lot.quantity - Lot.remaining
    return select(
        Lot.org_path,
        Lot.goods,
        Lot.measure,
        Lot.source,
        Lot.quantity.label("bought"),
        given.label("given"),
        Lot.remaining.label("left"),
        (Lot.quantity * Lot.price_fen).label("bought_fen"),
        (given * Lot.price_fen).label("given_fen"),
        (Lot.remaining * Lot.price_fen).label("left_fen"),
    ).where(
        Lot.program_year_id == context.program_year.id,
        Lot.reversal_id.is_(None),
        context.scope.covers(Lot.org_path),
    )


STOCK = Report(
    code="four_seasons.stock",
    program=SUMMER,
    title=_l("Stock"),
    permission=VIEW,
    columns=(
        Column(name="goods", title=_l("Goods")),
        Column(name="measure", title=_l("Unit of measure")),
        Column(name="source", title=_l("Source of money"), kind="choice", choices=SOURCE_TITLES),
        Column(name="bought", title=_l("Quantity bought"), kind="number"),
        Column(name="given", title=_l("Quantity given out"), kind="number"),
        Column(name="left", title=_l("Quantity left"), kind="number"),
        Column(name="bought_fen", title=_l("Bought"), kind="yuan"),
        Column(name="given_fen", title=_l("Given out"), kind="yuan"),
        Column(name="left_fen", title=_l("Left"), kind="yuan"),
    ),
    select=stock,
)
