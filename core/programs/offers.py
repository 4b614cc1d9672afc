"""What programs let each other read, without knowing each other."""

from typing import Any

from sqlalchemy import Select, select, union_all

from core.extensions import db
from core.plugin.registry import registry_of
from core.plugin.types import OFFERED
from core.programs.models import ProgramYear


def offered(kind: str, program_year: ProgramYear) -> Select[*tuple[Any, ...]] | None:
    """The rows of this kind that other programs offer, which the same sponsor has switched on in the same year.

    One ``SELECT`` with the labels of the kind; none where no such program is on. Rows are those in the reader's reach.
    """
    offers = [offer for offer in registry_of().offers.values() if offer.kind == kind]
    query = select(ProgramYear).where(
        ProgramYear.program.in_({offer.program for offer in offers} - {program_year.program}),
        ProgramYear.year == program_year.year,
        ProgramYear.org_id == program_year.org_id,
        ProgramYear.enabled,
    )
    years = {year.program: year for year in db.session.scalars(query)}
    parts = []
    for offer in offers:
        if offer.program in years:
            rows = offer.select(years[offer.program]).subquery().c
            parts.append(select(*(rows[label].label(label) for label in OFFERED[kind])))
    return select(*union_all(*parts).subquery("offered").c) if parts else None
