"""``zhijia orgs``: the tree of unions."""

from pathlib import Path

import click
from flask.cli import AppGroup

from core.audit.services import SYSTEM
from core.errors import NotFound
from core.org.queries import by_code, children, count_below
from core.org.services import load_divisions

orgs = AppGroup("orgs", help="The tree of unions.")


@orgs.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Make the unions of the administrative divisions in FILE (CSV: code,name,level,parent_code; UTF-8).

    May be run again; organisations that FILE does not name are left alone.
    """
    report = load_divisions(SYSTEM, file)
    click.echo(f"added {report.added}, changed {report.changed}, unchanged {report.unchanged}")
    if report.left_alone:
        click.echo(f"left alone {report.left_alone} that are not in {file.name}")


@orgs.command("show")
@click.argument("code")
def show(code: str) -> None:
    """Print the organisation with CODE: its path, what is directly below it, and how many there are at each level."""
    org = by_code(code)
    if org is None:
        raise NotFound(f"There is no organisation with the code {code}.")
    click.echo(f"{org.code} {org.name} ({org.level}, {org.kind}) {org.path}")
    click.echo("  ".join(f"{level} {number}" for level, number in count_below(org.path).items()))
    for child in children(org.id):
        click.echo(f"  {child.code} {child.name}")
