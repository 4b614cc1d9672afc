"""``zhijia users``: who may log in, and what they may do."""

import sys
from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from core.audit.services import SYSTEM
from core.errors import NotFound
from core.org.models import Org
from core.org.queries import by_code
from core.users.conflicts import conflicts, reason_of
from core.users.demo import make_demo_users
from core.users.importing import FaultyList, import_users, read_list
from core.users.models import User
from core.users.passwords import random_password
from core.users.queries import all_users, by_username
from core.users.roles import ROLES
from core.users.services import GrantRequest, create_user, give_grant, take_grant

users = AppGroup("users", help="Who may log in, and what they may do.")
_ROLE = click.Choice(list(ROLES))


def _org(code: str) -> Org:
    org = by_code(code)
    if org is None:
        raise NotFound(f"There is no organisation with the code {code}.")
    return org


def _user(username: str) -> User:
    user = by_username(username)
    if user is None:
        raise NotFound(f"There is no user {username}.")
    return user


@users.command("add")
@click.argument("username")
@click.option("--name", required=True, help="How people call the user.")
@click.option("--org", "org_code", required=True, help="Code of the organisation that the user belongs to.")
@click.option("--role", type=_ROLE, help="A role on that organisation.")
@click.option("--password", help="Without it a random one is made and printed.")
@click.option("--keep", is_flag=True, help="The password need not be changed at the first login.")
def add(username: str, name: str, org_code: str, role: str | None, password: str | None, keep: bool) -> None:
    """Add the user USERNAME."""
    org, chosen = _org(org_code), password or random_password()
    grants = [GrantRequest(role=role, org=org)] if role else []
    create_user(SYSTEM, username, name, chosen, org, grants, first=not keep)
    click.echo(f"added {username} of {org.name}" + ("" if password else f", password {chosen}"))


@users.command("grant")
@click.argument("username")
@click.argument("role", type=_ROLE)
@click.option("--org", "org_code", required=True, help="Code of the organisation; the role counts below it too.")
@click.option("--program", help="Code of the only program that the role counts for.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day of the role.")
def grant(username: str, role: str, org_code: str, program: str | None, until: datetime | None) -> None:
    """Give USERNAME the role ROLE."""
    user, org = _user(username), _org(org_code)
    give_grant(SYSTEM, user, GrantRequest(role=role, org=org, program=program, until=until.date() if until else None))
    click.echo(f"{username} is {ROLES[role]} of {org.name}")


@users.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_list(file: Path) -> None:
    """Add the users of FILE (xlsx or CSV) and print their first passwords, which are told only now."""
    try:
        new = import_users(SYSTEM, read_list(file, file.name))
    except FaultyList as error:
        for fault in error.faults:
            click.echo(f"line {fault.line}: {fault.sentence}", err=True)
        raise
    for one in new:
        click.echo("\t".join([one.user.username, one.user.name, one.org, one.password]))


@users.command("take")
@click.argument("username")
@click.argument("role", type=_ROLE)
@click.option("--org", "org_code", required=True, help="Code of the organisation that the role is held on.")
@click.option("--program", help="Code of the only program that the role counts for.")
def take(username: str, role: str, org_code: str, program: str | None) -> None:
    """Take the role ROLE from USERNAME."""
    user, org = _user(username), _org(org_code)
    wanted = (role, org.id, program)
    held = [grant.id for grant in user.grants if (grant.role, grant.org_id, grant.program) == wanted]
    if not held:
        raise NotFound(f"{username} does not hold this role there.")
    take_grant(SYSTEM, user, held[0])
    click.echo(f"{username} is no longer {ROLES[role]} of {org.name}")


@users.command("check")
def check() -> None:
    """Print who holds roles that do not go together; exit 1 when there is somebody."""
    found = conflicts()
    for user, one, other in found:
        held = [f"{grant.role}@{grant.org_path}" for grant in (one, other)]
        click.echo("\t".join([user.username, *held, reason_of(one, other)]))
    if found:
        sys.exit(1)
    click.echo("no incompatible roles")


@users.command("list")
def show() -> None:
    """Print every user with their roles."""
    for user, org in all_users():
        roles = ", ".join(f"{grant.role}@{grant.org_path}" for grant in user.grants)
        click.echo("\t".join([user.username, user.name, org, "active" if user.active else "closed", roles]))


@users.command("demo")
@click.option("--password", help="The password of all of them; without it a random one is made for new users.")
def demo(password: str | None) -> None:
    """Make one user for each role, and two of the city of Xi'an; print who they are."""
    for user in make_demo_users(password):
        told = user.password or "(password unchanged)"
        click.echo(f"{user.username:<14} {told:<16} {ROLES[user.role]}  {user.name}  {user.org}")
