"""``zhijia ledger``: the heads of the books."""

import click
from flask.cli import AppGroup

from core.config import settings_of
from core.errors import ConfigError
from core.ledger.heads import export_heads, heads_now
from core.users.access import today

ledger = AppGroup("ledger", help="The fund ledger.")


@ledger.command("heads")
@click.option("--export", "is_export", is_flag=True, help="Add them to the file in ZHIJIA_HEADS, once a day.")
def heads(is_export: bool) -> None:
    """Show how long each book is, and the digest of its last entry."""
    for book, head in heads_now().items():
        click.echo(f"{book} {head['seq']} {head['digest']}")
    if not is_export:
        return
    settings = settings_of()
    if settings.heads_url is None:
        raise ConfigError("There is no place to export them to: set ZHIJIA_HEADS.")
    done = export_heads(settings.heads_url, settings.data_keys, today())
    click.echo("exported" if done else "exported before today")
