"""A fictional year of aid: files with their households, categories, leaders with their visits. For demonstrations."""

from core.api import Actor, ProgramYear, db, record
from plugins.hardship_aid.categories.services import classify
from plugins.hardship_aid.files.fictional import make_files
from plugins.hardship_aid.pairing.fictional import pair_workers, visit_workers


def make_year(actor: Actor, program_year: ProgramYear) -> dict[str, int]:
    """What is missing of them, set by set; returns how many rows are new of each. Again it adds nothing."""
    files = make_files(program_year)
    done = classify(actor, program_year)
    pairs, visits = pair_workers(program_year), visit_workers(program_year)
    added = {"files": files, **done.after, "pairs": pairs, "visits": visits}
    record(actor, "hardship.make", f"program_year:{program_year.id}", program_year.org_path, **added)
    db.session.commit()
    return added
