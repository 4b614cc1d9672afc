"""The people who act on runs, as a process that can be killed: ``python -m tests.chaos.driver RUN_ID``.

It looks where the run is, does the next thing, and begins anew whatever goes wrong, until the run is at the bank.
"""

import sys
import time
from collections.abc import Callable
from datetime import date

import redis
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from core import create_app
from core.config import load_settings
from core.disbursements import payout, services
from core.disbursements.models import Run
from core.disbursements.queries import work_of
from core.errors import ZhijiaError
from core.extensions import db
from core.users.models import User
from core.wall import beyond_scope

#: What becomes of a run that goes its way; the last is where it ends.
DONE = "sent"
PAUSE = 0.05


def step(run_id: int) -> bool:
    """Do the next thing for the run; whether it has ended."""
    run = db.session.get_one(Run, run_id, populate_existing=True)

    def compute() -> None:
        services.start_computing(user_with("clerk"), run)

    todo: dict[str, Callable[[], None]] = {
        "draft": compute,
        "failed": compute,
        # A job that was killed thrice stays down, and the page offers to compute once more.
        "computing": lambda: None if work_of(run).is_active else compute(),
        "computed": lambda: services.submit(user_with("clerk"), run),
        "submitted": lambda: services.decide(user_with("reviewer"), run, approve=True, comment=""),
        "approved": lambda: payout.post(user_with("finance"), run, date(2014, 1, 24)),
        "posted": lambda: None if work_of(run).is_active else payout.start_bank_files(user_with("finance"), run),
    }
    act = todo.get(run.state)
    if act is not None:
        act()
    return run.state == DONE


def main(run_id: int) -> None:
    """Until the run is at the bank."""
    app = create_app(load_settings())
    with app.app_context(), beyond_scope("a test"):
        while True:
            try:
                if step(run_id):
                    return
            except (ZhijiaError, DBAPIError, redis.RedisError, OSError) as error:
                sys.stderr.write(f"{type(error).__name__}: {error}\n")
            finally:
                db.session.remove()
            time.sleep(PAUSE)


def user_with(role: str) -> User:
    """The user of the campaign who has this role."""
    return db.session.scalars(select(User).where(User.username.startswith(role)).order_by(User.id).limit(1)).one()


if __name__ == "__main__":
    main(int(sys.argv[1]))
