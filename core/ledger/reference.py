"""The forms of the work ledger that the documents of 2012 and 2014 ask for, kept as data beside the code."""

import json
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert as upsert

from core.extensions import db
from core.ledger.models import ActivityTemplate

FILE = Path(__file__).parent / "data" / "activity_templates.json"


def load_templates() -> None:
    """Put the shipped forms into the database, where they are missing; what a federation changed stays as it is."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))
    db.session.execute(upsert(ActivityTemplate).values(rows).on_conflict_do_nothing())
    db.session.commit()
