"""What is no password, and first passwords, which somebody else has given."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.errors import Forbidden, ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.users.login import log_in
from core.users.models import User
from core.users.passwords import LONGEST, SHORTEST, check_password, random_password
from core.users.services import FIRST_PASSWORD, reset_password, set_password
from core.users.testing import PASSWORD, AsUser, MakeUser

pytestmark = pytest.mark.services
NOBODY = ("shen.yi", "沈一", "shenyi", "新城区", "xinchengqu")


def refusal(password: str) -> str:
    with pytest.raises(ZhijiaError) as refused:
        check_password(password, NOBODY)
    assert refused.value.field == "password"
    return str(refused.value)


@pytest.mark.parametrize(
    "password", ["password123", "Qwertyuiop", "1qaz2wsx3edc", "!!2014password2014!!", "aaaaaaaaaaaa1"]
)
def test_what_many_people_use_is_refused(app: object, password: str) -> None:
    assert "tried first" in refusal(password)


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("Shen.Yi-winter", "shen.yi"),
        ("shenyi-in-winter", "shenyi"),
        ("沈一-in-the-winter", "沈一"),
        ("mountain-zhijia-9", "zhijia"),
        ("ZongGongHui-river", "gonghui"),
        ("xinchengqu-mountain", "xinchengqu"),
    ],
)
def test_what_somebody_would_try_who_knows_the_user_is_refused(app: object, password: str, word: str) -> None:
    assert f"“{word}”" in refusal(password)


def test_length_is_all_that_is_asked_of_its_characters(app: object) -> None:
    long = "mountain river pine "
    for good in (long[:SHORTEST], (long * 10)[:LONGEST], "onlyletters", "山高水长松柏常青四季如春", random_password()):
        check_password(good, NOBODY)
    for bad in (long[: SHORTEST - 1], (long * 10)[: LONGEST + 1]):
        assert str(SHORTEST) in refusal(bad)


def test_a_short_user_name_may_stand_in_a_password_by_chance(app: object) -> None:
    check_password("kvtm-7383-pwnx", ("vt", "王", "w"))


def test_a_first_password_lets_in_for_a_week_to_choose_another(
    small_tree: dict[str, Org], make_user: MakeUser, client: FlaskClient
) -> None:
    user = make_user("clerk")
    password = reset_password(SYSTEM, user)
    assert client.post("/login", data={"username": user.username, "password": password}).status_code == 302
    for page in ("/", "/people", "/account/second-factor/remove"):
        answer = client.open(page, method="POST" if "remove" in page else "GET")
        assert answer.location == "/account"
    assert client.get("/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/account"
    assert "alert-warning" in client.get("/account").text
    same = client.post("/account", data={"current": password, "password": password})
    assert same.status_code == 400
    assert client.post("/account", data={"current": password, "password": "pine-and-river"}).status_code == 302
    assert client.get("/").status_code == 200
    assert user.password_until is None


def test_a_first_password_runs_out(make_user: MakeUser) -> None:
    user = make_user("clerk")
    before = datetime.now(UTC)
    password = reset_password(SYSTEM, user)
    assert user.password_until
    assert before + FIRST_PASSWORD <= user.password_until <= datetime.now(UTC) + FIRST_PASSWORD
    log_in(user.username, password, "192.0.2.7", now=user.password_until - timedelta(seconds=1))
    with pytest.raises(Forbidden, match="run out"):
        log_in(user.username, password, "192.0.2.7", now=user.password_until)


def test_a_password_set_for_good_is_no_first_one(make_user: MakeUser) -> None:
    user = make_user("clerk")
    set_password(SYSTEM, user, "pine-and-river", first=False)
    assert user.password_until is None


def test_who_is_added_must_choose_a_password(as_user: AsUser, small_tree: dict[str, Org]) -> None:
    form = {"username": "shen", "name": "沈一", "org_code": "61", "role": "leader", "password": PASSWORD}
    made = (admin := as_user("admin")).post("/admin/users/new", data=form)
    assert re.search(r"[a-z]{4}-[0-9]{4}-[a-z]{4}", admin.get(made.location).text)
    user = db.session.scalars(select(User).where(User.username == "shen")).one()
    assert user.password_until is not None
