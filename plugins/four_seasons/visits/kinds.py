"""What visits and goods post to the fund ledger, season by season, and what visits of a season may name."""

from core.api import EntryKind
from plugins.four_seasons.words import SUMMER, WINTER

#: Program -> what its visits post. Goods are bought for the visit, so they leave the bank like money.
KINDS = {
    WINTER: EntryKind(
        code="four_seasons.visit",
        title_zh="走访慰问支出",
        debit="50205",
        credit="102",
        endpoint="four_seasons.visit_of_entry",
    ),
    SUMMER: EntryKind(
        code="four_seasons.summer_visit",
        title_zh="夏送清凉慰问支出",
        debit="50205",
        credit="102",
        endpoint="four_seasons_summer.visit_of_entry",
    ),
}
#: Program -> what a lot of goods posts when it is bought for the stock: it is spent then, and not once more at a visit.
STOCK_KINDS = {
    SUMMER: EntryKind(
        code="four_seasons.lot",
        title_zh="慰问物资采购支出",
        debit="50205",
        credit="102",
        endpoint="four_seasons_summer.lot_of_entry",
    ),
}
#: The programs whose visits may name a post in the heat, and a leader.
WITH_POSTS, WITH_LEADERS = frozenset({SUMMER}), frozenset({WINTER})
