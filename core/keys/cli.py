"""``zhijia keys``: the data keys, and changing from one to the next."""

import os
from collections.abc import Callable

import click
from flask.cli import AppGroup

from core.config import KEY_FILE, settings_of
from core.data_keys import VARIABLE, DataKeys, save_data_keys
from core.errors import Refused
from core.keys.columns import counts
from core.keys.contents import contents, rewrite, versions
from core.keys.rotation import begin, in_use, redigest, reseal
from core.ledger.heads import last_key
from core.plugin.tables import as_owner

keys = AppGroup("keys", help="The data keys that personal data is encrypted with.")


@keys.command("new")
def new() -> None:
    """Add a key of the next version. It is not used before ``zhijia keys rotate``."""
    more = settings_of().data_keys.with_another()
    _keep(more)
    click.echo(f"version {more.newest}; restart the web servers and workers, then run: zhijia keys rotate")


@keys.command("status")
def status() -> None:
    """Show which key is in use, and how many values and files there are of each version."""
    used = in_use()
    click.echo(f"known {' '.join(map(str, settings_of().data_keys))}")
    click.echo(f"in use {used.cipher}, digests {used.digest}")
    for column, version, count in counts():
        click.echo(f"{column} version {version}: {count}")
    for version, count in sorted(versions().items()):
        click.echo(f"files version {version}: {count}")


@keys.command("rotate")
def rotate() -> None:
    """Encrypt everything with the newest key. Run it again when it was interrupted; it goes on where it was."""
    damaged: list[str] = []
    with as_owner():
        version = begin()
        rows = reseal(_told("encrypted"), damaged.append)
        digests = redigest(_told("digests of"))
    for content in contents():
        if not rewrite(content):
            damaged.append(content.path)
    click.echo(f"version {version}: {rows} rows encrypted anew, digests of {digests} rows made anew")
    for what in damaged:
        click.echo(f"cannot be read: {what}", err=True)
    if damaged:
        raise Refused(f"{len(damaged)} values or files cannot be read and were left as they are.")


@keys.command("drop")
@click.argument("version", type=int)
def drop(version: int) -> None:
    """Forget a key that nothing is encrypted with any more."""
    left = settings_of().data_keys.without(version)
    used = in_use()
    if version in (used.cipher, used.digest):
        raise Refused(f"Version {version} is in use; run: zhijia keys rotate")
    waiting = [f"{column}: {count}" for column, found, count in counts() if found == version]
    waiting += [f"files: {count}" for found, count in versions().items() if found == version]
    if waiting:
        raise Refused(f"Something is encrypted with version {version} ({', '.join(waiting)}); run: zhijia keys rotate")
    heads = settings_of().heads_url
    if heads and last_key(heads) == version:
        raise Refused("The last line of the file of heads is of this version; wait for the next, of tonight.")
    _keep(left)
    click.echo(f"dropped version {version}; restart the web servers and workers")


def _keep(keys_to_keep: DataKeys) -> None:
    """Into the file, or onto the screen where they are given by the variable."""
    if os.environ.get(VARIABLE, "").strip():
        click.echo(f"{VARIABLE}={keys_to_keep.said()}")
    else:
        save_data_keys(keys_to_keep, settings_of().instance / KEY_FILE)


def _told(what: str) -> Callable[[str, int], None]:
    return lambda table, count: click.echo(f"{what} {table}: {count}", err=True)
