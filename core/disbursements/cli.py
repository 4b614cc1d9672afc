"""``zhijia runs`` and ``zhijia verify``."""

import json
import sys
from itertools import chain

import click
from flask.cli import AppGroup, with_appcontext

from core.disbursements.models import Run
from core.disbursements.verify import verify_runs
from core.errors import NotFound
from core.extensions import db
from core.ledger.verify import verify_balance, verify_budgets, verify_chain
from core.ledger.verify_books import verify_books
from core.money import yuan

runs = AppGroup("runs", help="Disbursement runs.")


@runs.command("show")
@click.argument("run_id", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON object; amounts in fen.")
def show(run_id: int, as_json: bool) -> None:
    """What a run came to."""
    run = db.session.get(Run, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    if as_json:
        keys = ("id", "state", "candidates", "paid", "excluded", "total_fen")
        click.echo(json.dumps({key: getattr(run, key) for key in keys}))
        return
    click.echo(
        f"{run.id} {run.title}: {run.state}, {run.paid} paid, {run.excluded} excluded, {yuan(run.total_fen)} yuan"
    )


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with a flag for each area.")
@with_appcontext
def verify(as_json: bool) -> None:
    """Recompute the books and the runs from their rows; one line a finding, exit code 1 if there is any."""
    findings = list(chain(verify_balance(), verify_chain(), verify_books(), verify_budgets(), verify_runs()))
    if as_json:
        areas = ("balance", "chain", "period", "budget", "run", "coverage")
        sound = {area: not any(finding.area == area for finding in findings) for area in areas}
        click.echo(json.dumps({**sound, "findings": [finding.sentence for finding in findings]}, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(finding.sentence)
        if not findings:
            click.echo("The books balance, the chain holds, every candidate is accounted for.")
    if findings:
        sys.exit(1)
