import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from core.errors import NotFound, Refused
from core.extensions import db
from core.org.models import Org
from core.users.cli import users
from core.users.demo import PEOPLE, make_demo_users
from core.users.models import Grant, User
from core.users.queries import by_username

pytestmark = pytest.mark.services


def run(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(users, arguments, catch_exceptions=False)
    db.session.expire_all()
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_demo_users_need_the_orgs(app: Flask) -> None:
    with pytest.raises(NotFound, match="61"):
        make_demo_users()


def test_demo_users_are_made_once_and_can_log_in(app: Flask, small_tree: dict[str, Org], client: FlaskClient) -> None:
    first = run(app, "demo")
    assert first.count("\n") == len(PEOPLE)
    username, password = first.splitlines()[-1].split()[:2]
    assert username == "xian.reviewer"
    assert client.post("/login", data={"username": username, "password": password}).status_code == 302
    again = run(app, "demo")
    assert again.count("(password unchanged)") == len(PEOPLE)
    counts = (db.session.scalar(select(func.count(User.id))), db.session.scalar(select(func.count(Grant.id))))
    assert counts == (len(PEOPLE), len(PEOPLE))


def test_demo_users_get_back_a_role_and_a_given_password(app: Flask, small_tree: dict[str, Org]) -> None:
    make_demo_users("first-pass-1")
    clerk = by_username("clerk")
    assert clerk
    before = clerk.password_hash
    db.session.delete(clerk.grants[0])
    db.session.commit()
    db.session.expire_all()
    assert all(user.password == "second-pass-2" for user in make_demo_users("second-pass-2"))
    assert [grant.role for grant in clerk.grants] == ["clerk"]
    assert clerk.password_hash != before


def test_add_grant_and_list(app: Flask, small_tree: dict[str, Org]) -> None:
    assert "password" in run(app, "add", "shen", "--name", "沈一", "--org", "6101", "--role", "clerk")
    assert "password" not in run(app, "add", "gu", "--name", "顾一", "--org", "6101", "--password", "given-pass-1")
    run(app, "grant", "gu", "reviewer", "--org", "61", "--until", "2199-12-31")
    assert "gu\t顾一\t西安市总工会\tactive\treviewer@/61/" in run(app, "list")


def test_a_password_is_a_first_one_unless_it_is_kept(app: Flask, small_tree: dict[str, Org]) -> None:
    for name, options in (("shen", ()), ("gu", ("--keep",))):
        run(app, "add", name, "--name", "沈一", "--org", "6101", "--password", "pine-and-river", *options)
    first, kept = by_username("shen"), by_username("gu")
    assert first and kept
    assert (first.password_until is None, kept.password_until is None) == (False, True)


def test_a_role_is_taken_and_then_another_goes(app: Flask, small_tree: dict[str, Org]) -> None:
    run(app, "add", "shen", "--name", "沈一", "--org", "6101", "--role", "clerk")
    with pytest.raises(Refused, match=r"do not go together|不相容"):
        run(app, "grant", "shen", "reviewer", "--org", "6101")
    run(app, "take", "shen", "clerk", "--org", "6101")
    run(app, "grant", "shen", "reviewer", "--org", "6101")
    with pytest.raises(NotFound, match="does not hold"):
        run(app, "take", "shen", "clerk", "--org", "6101")


@pytest.mark.parametrize(
    "arguments",
    [("add", "x", "--name", "y", "--org", "nowhere"), ("grant", "ghost", "clerk", "--org", "61")],
)
def test_unknown_things_are_named(app: Flask, small_tree: dict[str, Org], arguments: tuple[str, ...]) -> None:
    with pytest.raises(NotFound, match=r"nowhere|ghost"):
        run(app, *arguments)
