"""Finding out who is there: an unknown name, a closed account, a person of others all get the answer of nobody."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from core.audit.services import SYSTEM
from core.errors import ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.people.services import PersonRow, register_people
from core.users.models import User
from core.users.services import create_user
from core.users.testing import PASSWORD, AsUser, MakeUser

pytestmark = pytest.mark.services
#: Of somebody in Tongchuan, and of nobody.
THEIRS, NOBODYS = "610102196001010024", "61010219600102002X"
#: Letters that look like Latin ones, or become them.
LOOK_ALIKES = (
    "аdmin",  # Cyrillic a
    "admіn",
    "ａｄｍｉｎ",
    "admin\u200b",
    "\u202eadmin",
    "ad\u00admin",
    "admin\0",
    "adm\u0131n",
    "admin\n",
    "ad min",
    "admin%00",
    "ＡＤＭＩＮ",
    "ⓐdmin",
    "admın",
)


@pytest.fixture
def plugins() -> dict[str, object]:
    """None is needed."""
    return {}


@contextmanager
def statements(seen: list[str]) -> Iterator[None]:
    """Write down what the database is asked."""

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement.partition(" WHERE")[0])

    event.listen(db.engine, "before_cursor_execute", note)
    yield
    event.remove(db.engine, "before_cursor_execute", note)


def asked(browser: FlaskClient, path: str, **data: str) -> tuple[int, str, list[str]]:
    """Status, page (without what was typed) and statements of a form that is sent."""
    seen: list[str] = []
    with statements(seen):
        answer = browser.post(path, data=data)
    text = answer.text.replace(answer.headers["X-Request-ID"], "")
    for value in data.values():
        text = text.replace(value, "")
    lines = [line for line in text.splitlines() if "nonce" not in line and "csrf" not in line]
    return answer.status_code, "\n".join(lines), seen


def test_a_login_says_nothing_of_who_is_there(app: Flask, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wants a list of user names: by words, by the number of hashes and of statements for a name of somebody, of
    nobody, of somebody whose account is closed, and of one whose password ran out.
    """
    hashes: list[str] = []
    whole = PasswordHasher.verify

    def counted(hasher: PasswordHasher, digest: str, password: str) -> bool:
        hashes.append(digest)
        return whole(hasher, digest, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    make_user("clerk", username="there")
    make_user("clerk", username="closed").active = False
    db.session.commit()
    found, counts = [], []
    for name in ("there", "nobody", "closed"):
        hashes.clear()
        found.append(asked(app.test_client(), "/login", username=name, password="wrong-password-2014")[:2])
        counts.append(len(hashes))
    assert counts == [1, 1, 1]
    assert found[0] == found[1] == found[2]
    assert found[0][0] == 401


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_nobody_is_called_almost_like_somebody_else(app: Flask, small_tree: dict[str, Org], name: str) -> None:
    """Wants an account that reads like the administrator's on every page and in every record."""
    create_user(SYSTEM, "admin", "管理员", PASSWORD, small_tree["61"])
    with pytest.raises(ZhijiaError) as refused:
        create_user(SYSTEM, name, "别人", PASSWORD, small_tree["610102"])
    assert refused.value.field == "username"
    assert db.session.query(User).count() == 1


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_nobody_gets_in_as_somebody_whose_name_looks_alike(app: Flask, make_user: MakeUser, name: str) -> None:
    """Wants tries at a password that are counted for another name: a name that is folded to somebody's would get its
    own count of failures.
    """
    make_user("clerk", username="admin")
    answer = app.test_client().post("/login", data={"username": name, "password": PASSWORD})
    entered = answer.status_code == 302
    assert not entered or name.strip().lower() == "admin"


@pytest.fixture
def somebody(small_tree: dict[str, Org]) -> None:
    """On file in Tongchuan."""
    register_people(SYSTEM, [PersonRow(org_code="610202", name="王芳", id_number=THEIRS)], Scope(("/",)))


def test_a_number_of_others_is_as_unknown_as_one_of_nobody(somebody: None, as_user: AsUser) -> None:
    """Wants to know whether a neighbour is on the list of the poor: with the same words and the same statements as
    for a number that nobody has.
    """
    browser = as_user("clerk", "610102")
    asked(browser, "/people/view", do="find", id_number=NOBODYS)
    theirs, nobodys = (asked(browser, "/people/view", do="find", id_number=number) for number in (THEIRS, NOBODYS))
    assert theirs == nobodys
    assert as_user("clerk", "610202").post("/people/view", data={"do": "find", "id_number": THEIRS}).status_code == 302
