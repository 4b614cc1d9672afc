"""``zhijia users``: who may log in, and what they may do."""

from datetime import datetime

import click
from flask.cli import AppGroup

from core.audit.services import SYSTEM
from core.errors import NotFound
from core.org.models import Org
from core.org.queries import by_code
from core.users.demo import make_demo_users
from core.users.passwords import random_password
from core.users.queries import all_users, by_username
from core.users.roles import ROLES
from core.users.services import GrantRequest, create_user, give_grant

users = AppGroup("users", help="Who may log in, and what they may do.")
_ROLE = click.Choice(list(ROLES))


def _org(code: str) -> Org:
    org = by_code(code)
    if org is None:
        raise NotFound(f"There is no organisation with the code {code}.")
    return org


@users.command("add")
@click.argument("username")
@click.option("--name", required=True, help="How people call the user.")
@click.option("--org", "org_code", required=True, help="Code of the organisation that the user belongs to.")
@click.option("--role", type=_ROLE, help="A role on that organisation.")
@click.option("--password", help="Without it a random one is made and printed.")
def add(username: str, name: str, org_code: str, role: str | None, password: str | None) -> None:
    """Add the user USERNAME."""
    org, chosen = _org(org_code), password or random_password()
    grants = [GrantRequest(role=role, org=org)] if role else []
    create_user(SYSTEM, username, name, chosen, org, grants)
    click.echo(f"added {username} of {org.name}" + ("" if password else f", password {chosen}"))


@users.command("grant")
@click.argument("username")
@click.argument("role", type=_ROLE)
@click.option("--org", "org_code", required=True, help="Code of the organisation; the role counts below it too.")
@click.option("--program", help="Code of the only program that the role counts for.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day of the role.")
def grant(username: str, role: str, org_code: str, program: str | None, until: datetime | None) -> None:
    """Give USERNAME the role ROLE."""
    user = by_username(username)
    if user is None:
        raise NotFound(f"There is no user {username}.")
    org = _org(org_code)
    give_grant(SYSTEM, user, GrantRequest(role=role, org=org, program=program, until=until.date() if until else None))
    click.echo(f"{username} is {ROLES[role]} of {org.name}")


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
