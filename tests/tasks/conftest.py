"""Two kinds of tasks and a short way to open one."""

from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask_babel import lazy_gettext as _l

from core.extensions import db
from core.org.models import Org
from core.tasks.kinds import TaskKind
from core.tasks.services import open_task

REVIEW = TaskKind(code="sample.review", title=_l("%(title)s"), endpoint="org.show")
VISIT = TaskKind(code="sample.visit", title="Visit the union", endpoint="programs.home")
#: A permission that clerks hold, and one that reviewers hold.
CLERKS, REVIEWERS = "run.create", "run.approve"
FRIDAY = date(2014, 1, 10)


class Opener:
    """Opens tasks at the unions of the small tree and commits."""

    def __init__(self, orgs: dict[str, Org]) -> None:
        self.orgs = orgs

    def __call__(self, subject: str = "record:1", org: str = "6101", kind: TaskKind = REVIEW, **more: Any) -> None:
        if "user_id" not in more:
            more.setdefault("permission", REVIEWERS)
        union = self.orgs[org]
        values = {"data": {"title": f"About {subject}"}, "address": {"code": org}} | more
        open_task(kind, subject, union.id, union.path, **values)
        db.session.commit()


@pytest.fixture
def opened(app: Flask, small_tree: dict[str, Org]) -> Opener:
    """``opened(subject, org, permission=..., due_on=...)`` opens a task."""
    return Opener(small_tree)
