"""What visits post to the fund ledger, season by season."""

from core.api import EntryKind
from plugins.four_seasons.words import WINTER

#: Program -> what its visits post. Goods are bought for the visit, so they leave the bank like money.
KINDS = {
    WINTER: EntryKind(
        code="four_seasons.visit",
        title_zh="走访慰问支出",
        debit="50205",
        credit="102",
        endpoint="four_seasons.visit_of_entry",
    ),
}
