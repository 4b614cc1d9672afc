"""``zhijia plugin new``."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from core.plugin.scaffold.making import make_plugin


@click.command("new")
@click.argument("name")
@click.option("--title-zh", required=True, help="What the program is called in Chinese, for example 职工读书会.")
@click.option("--title-en", required=True, help="What the program is called in English, for example Reading clubs.")
@click.option(
    "--into", type=click.Path(path_type=Path), default=Path(), show_default=True, help="The folder to write it into."
)
@with_appcontext
def new(name: str, title_zh: str, title_en: str, into: Path) -> None:
    """Write the plugin NAME: a program with a register, a scheme that pays, a job, a page and tests that pass."""
    files = make_plugin(name, title_zh, title_en, into)
    click.echo(f"wrote {into / name}: {len(files)} files; README.md says how to go on")
