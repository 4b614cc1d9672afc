"""A fictional summer for demonstrations: the money and goods of 2014 (facts.csv, summer.*), to the fen.

It goes by unions, not by people: one lot and two visits each, the way that finance takes on the pages.
"""

from datetime import date

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert

from core.api import Org, ProgramYear, User, db, fund_from_own, split_by_weight, subtree
from plugins.four_seasons.stock.services import Bought, buy_lot
from plugins.four_seasons.summer.models import Post
from plugins.four_seasons.visits.services import Visited, record_visit

#: The province visited 13 enterprises with 500,000 yuan; all levels gave money and goods worth 20,000,000.
ENTERPRISES, PROVINCE_FEN, ALL_FEN = 13, 500_000_00, 20_000_000_00
#: What a city gives beside a county, and the price of a box.
_WEIGHTS, _PRICE_FEN = {"city": 3, "county": 1}, 50_00


def make_year(actor: User, program_year: ProgramYear) -> dict[str, int]:
    """Spend ``ALL_FEN``: the sponsor visits posts at ``ENTERPRISES`` enterprises with ``PROVINCE_FEN``, each city
    and county union gives its part of the rest, about half of it in goods from stock, of which a half is left.

    Says how many of both there are; the same once more changes nothing. ``actor`` may allot and spend for all of them.
    Commits; raises what the services do, among others in a year whose July is still to come.
    """
    sponsor = db.session.get_one(Org, program_year.org_id)
    below = db.session.execute(
        select(Org.id, Org.code, Org.level)
        .where(Org.level.in_(_WEIGHTS), Org.active, Org.kind == "regional", subtree(Org.path, sponsor.path))
        .order_by(Org.code)
    ).all()
    shares = split_by_weight(ALL_FEN - PROVINCE_FEN, [_WEIGHTS[level] for _id, _code, level in below])
    amounts = {org_id: fen for (org_id, _code, _level), fen in zip(below, shares, strict=True)}
    begin = date(program_year.year, 6, 1)
    fund_from_own(
        actor, program_year, key="fictional", amounts={sponsor.id: PROVINCE_FEN} | amounts, effective_on=begin,
        description="夏送清凉专项资金（虚构）",
    )  # fmt: skip
    _visit_enterprises(actor, program_year, sponsor)
    for org_id, code, _level in below:
        _give(actor, program_year, code, amounts[org_id])
    return {"enterprises": ENTERPRISES, "unions": len(below)}


def _visit_enterprises(actor: User, program_year: ProgramYear, sponsor: Org) -> None:
    number, day = func.generate_series(1, ENTERPRISES).column_valued("number"), date(program_year.year, 7, 10)
    names = func.concat("虚构第", number, "厂"), func.concat("露天作业岗位", number)
    given = (30 + number * 10, 35 + number % 6, literal(day))
    posts = select(literal(program_year.id), literal(sponsor.id), literal(sponsor.path), *names, *given)
    columns = ["program_year_id", "org_id", "org_path", "unit", "post", "workers", "temperature", "measured_on"]
    db.session.execute(insert(Post).from_select(columns, posts).on_conflict_do_nothing())
    db.session.commit()
    mine = Post.program_year_id == program_year.id, Post.org_id == sponsor.id, Post.unit.like("虚构第%厂")
    ids = db.session.scalars(select(Post.id).where(*mine).order_by(Post.id)).all()
    for post_id, fen in zip(ids, split_by_weight(PROVINCE_FEN, [1] * len(ids)), strict=True):
        visited = Visited(
            key=f"fictional:{post_id}", org_code=sponsor.code, visited_on=date(program_year.year, 7, 15),
            party="省总工会慰问组", kind="cash", amount_fen=fen, source="union", post_id=post_id,
        )  # fmt: skip
        record_visit(actor, program_year, visited)


def _give(actor: User, program_year: ProgramYear, code: str, amount_fen: int) -> None:
    """Boxes for about half of the amount, half of which go to a unit; what they did not cost goes there in money."""
    year, boxes = program_year.year, amount_fen // 2 // _PRICE_FEN
    bought = Bought(
        key=f"fictional:{code}", org_code=code, goods="防暑降温用品", measure="箱", quantity=boxes,
        price_fen=_PRICE_FEN, source="union", supplier="虚构供销公司", bought_on=date(year, 6, 20),
    )  # fmt: skip
    lot = buy_lot(actor, program_year, bought)
    went = {"org_code": code, "visited_on": date(year, 7, 20), "party": "本级工会慰问组", "unit": "虚构一线班组"}
    money = amount_fen - boxes * _PRICE_FEN
    record_visit(
        actor,
        program_year,
        Visited(key=f"fictional:{code}", kind="cash", amount_fen=money, source="union", **went),  # type: ignore[arg-type]
    )
    record_visit(
        actor,
        program_year,
        Visited(key=f"fictional:{code}:goods", lot_id=lot.id, quantity=boxes // 2, **went),  # type: ignore[arg-type]
    )
