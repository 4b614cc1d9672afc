"""The books after a run for everybody on file: recomputing all of it, and what every account holds."""

from flask import Flask
from sqlalchemy import select

from bench.disburse import SIZES, prepared, start_afresh, whole_run
from bench.harness import Bench, Work
from core.disbursements.models import Run
from core.disbursements.verify_all import verify_all
from core.extensions import db
from core.ledger.models import Account, AccountBalance
from core.plugin.tables import owner_engine


def _posted(app: Flask, count: int) -> int:
    """A posted run for so many, made once; of what was measured on this database before only the entries are left."""
    year, people = prepared(count)
    run_id = db.session.scalars(select(Run.id).where(Run.state == "posted", Run.paid == count)).first()
    if run_id is None:
        start_afresh()
        run_id = whole_run(app, year, people, count)
        db.session.commit()
        with owner_engine() as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    return run_id


def _verify(count: int) -> Bench:
    def prepare(app: Flask) -> Work:
        mine = f"Run {_posted(app, count)}"

        def run() -> None:
            said = [one.sentence for one in verify_all() if one.area in ("balance", "chain") or mine in one.sentence]
            if said:
                raise AssertionError(said[0])

        return Work(run=run)

    return Bench("ledger.verify", n=count, aim=5.0, prepare=prepare, share="disburse")


def _balances(count: int) -> Bench:
    def prepare(app: Flask) -> Work:
        _posted(app, count)
        held = select(Account.org_id, Account.book, Account.code, AccountBalance.posted_fen).join(
            AccountBalance, AccountBalance.account_id == Account.id
        )

        def run() -> None:
            rows = db.session.execute(held).all()
            db.session.rollback()
            if sum(row.posted_fen for row in rows):
                raise AssertionError("the books do not come to nothing")

        return Work(run=run)

    return Bench("ledger.balances", n=count, aim=0.010, prepare=prepare, share="disburse")


BENCHES = [bench(count) for count in SIZES for bench in (_balances, _verify)]
