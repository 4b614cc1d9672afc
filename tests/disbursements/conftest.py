"""A small tree with people, a program year with money, and those who act on a run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from core.audit.services import SYSTEM
from core.disbursements import services
from core.disbursements.models import Run
from core.extensions import db
from core.ledger.allotting import fund_from_own
from core.org.models import Org
from core.people.models import Person
from core.people.secrets import keys
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.users.models import User
from tests.disbursements import aid

YEAR = 2014


@pytest.fixture
def plugins() -> dict[str, object]:
    """Only the plugin of these tests."""
    return {"aid": aid}


def add_people(org: Org, count: int, *, first: int = 0, account: bool = True) -> None:
    """Fictional people on file at one union; ``first`` keeps their numbers apart."""
    rows = []
    for number in range(first, first + count):
        identity = keys().seal("id_number", f"{number:018d}")
        bank = keys().seal("bank_account", f"62{number:016d}") if account else None
        rows.append(
            {
                "org_id": org.id,
                "org_path": org.path,
                "name": f"秦安{number}",
                "pinyin": "qinan",
                "initials": "qa",
                "gender": "F",
                "born_on": date(1980, 1, 1),
                "id_number": identity.ciphertext,
                "id_number_digest": identity.digest,
                "id_number_tail": identity.tail,
                "bank_account": bank.ciphertext if bank else None,
                "bank_account_digest": bank.digest if bank else None,
                "bank_account_tail": bank.tail if bank else None,
                "bank_name": "秦川银行",
            }
        )
    db.session.execute(insert(Person), rows)
    db.session.commit()


@dataclass
class Campaign:
    """Everything that a run needs, and those who act on it."""

    year: ProgramYear
    orgs: dict[str, Org]
    clerk: User
    reviewer: User
    finance: User
    run_jobs: Callable[[], int]

    def fund(self, fen: int, *codes: str, key: str = "own") -> None:
        """Give each of these unions that much to spend."""
        amounts = {self.orgs[code].id: fen for code in codes}
        fund_from_own(
            self.finance, self.year, key=key, amounts=amounts, effective_on=date(2014, 1, 1), description="自筹"
        )

    def draft(self, scheme: str = "aid.everybody", org: str = "61", title: str = "送温暖") -> Run:
        """A draft by the clerk."""
        return services.create_run(self.clerk, self.year, scheme, title, self.orgs[org])

    def computed(self, **more: Any) -> Run:
        """A run that the jobs have computed, or failed to."""
        run = self.draft(**more)
        services.start_computing(self.clerk, run)
        self.run_jobs()
        return run

    def approved(self, **more: Any) -> Run:
        """A computed run that was submitted and approved."""
        run = self.computed(**more)
        services.submit(self.clerk, run)
        services.decide(self.reviewer, run, approve=True, comment="")
        return run


@pytest.fixture
def campaign(
    app: Flask, small_tree: dict[str, Org], make_user: Callable[..., User], run_jobs: Callable[[], int]
) -> Campaign:
    """100 yuan to share among seven people: four in Xi'an, two in Tongchuan, one in Yangling; a year without notice."""
    add_people(small_tree["610102001"], 3)
    add_people(small_tree["610103"], 1, first=10)
    add_people(small_tree["610202"], 2, first=20)
    add_people(small_tree["6111"], 1, first=30)
    year = enable(
        SYSTEM,
        "aid",
        YEAR,
        small_tree["61"],
        opens_on=date(2014, 1, 1),
        closes_on=None,
        settings={"pool": 10_000, "notice_working_days": 0},
    )
    return Campaign(
        year=year,
        orgs=small_tree,
        clerk=make_user("clerk"),
        reviewer=make_user("reviewer"),
        finance=make_user("finance"),
        run_jobs=run_jobs,
    )
