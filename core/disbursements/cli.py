"""``zhijia runs`` and ``zhijia verify``."""

import json
import sys

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from core.audit.sealing import seal
from core.disbursements.models import Run
from core.disbursements.verify_all import AREAS, verify_all
from core.errors import NotFound, ZhijiaError
from core.extensions import db
from core.jobs.reasons import one_line
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
@click.option("--heads", help="Compare with this file of exported heads too, or that in this folder.")
@with_appcontext
def verify(as_json: bool, heads: str | None) -> None:
    """Recompute the books, the runs and the audit trail from their rows; one line a finding.

    Exit code 0: nothing was found; 1: there are findings; 2: they could not be recomputed.
    """
    findings = []
    count = 0
    try:
        seal()
        for finding in verify_all(heads):
            count += 1
            if as_json:
                findings.append(finding)
            else:
                click.echo(finding.sentence)
    except (ZhijiaError, SQLAlchemyError, OSError) as error:
        click.echo(f"This could not be verified: {one_line(error)}", err=True)
        sys.exit(2)
    if as_json:
        sound = {area: not any(finding.area == area for finding in findings) for area in AREAS}
        click.echo(json.dumps({**sound, "findings": [finding.sentence for finding in findings]}, ensure_ascii=False))
    elif not count:
        click.echo("The books balance, the chain holds, every candidate is accounted for, the audit trail is whole.")
    if count:
        sys.exit(1)
