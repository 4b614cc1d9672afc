"""What other programs may read of the files: who is on file in hardship."""

from typing import Any

from sqlalchemy import Select, case, func, select

from core.api import Offer, ProgramYear
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.words import CATEGORIES, ON_FILE, PROGRAM

#: How causes read on the lists of other programs, which keep them in words.
CAUSES_ZH = {
    "illness": "重大疾病",
    "disability": "残疾",
    "schooling": "子女上学",
    "low_income": "收入低",
    "no_job": "下岗失业",
    "disaster": "自然灾害",
    "accident": "意外事故",
    "other": "其他原因",
}


def on_file(program_year: ProgramYear) -> Select[*tuple[Any, ...]]:
    """The workers of the sponsor who are on file now, by the category decided, else by the one computed."""
    category = func.coalesce(File.decided, File.computed)
    return select(
        File.person_id,
        File.org_id,
        File.org_path,
        category.label("category"),
        case(CAUSES_ZH, value=File.cause).label("cause"),
    ).where(File.sponsor_id == program_year.org_id, File.state.in_(ON_FILE), category.in_(CATEGORIES))


HARDSHIP = Offer(code="hardship_aid.on_file", program=PROGRAM, kind="hardship", select=on_file)
