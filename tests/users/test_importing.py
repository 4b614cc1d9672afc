"""Users from a list: all of it or nothing, and first passwords that are told once."""

import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import func, select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import ZhijiaError
from core.extensions import db
from core.registers.sheets import write_xlsx
from core.users.importing import MOST, FaultyList, import_users, read_list
from core.users.models import User
from core.users.passwords import verify_password
from core.users.queries import by_username
from core.users.testing import PASSWORD, AsUser

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english", "small_tree")]
ENGLISH = ("User name", "Name", "Code of the organisation", "Role", "Program", "Until (inclusive)")
GOOD = (
    ("shen.yi", "沈一", "6101", "clerk", "", "2199年12月31日"),
    ("Shen.Yi", "沈一", "6102", "Leader", "", ""),
    ("gu.er", "顾二", "610102", "finance", "", "2199-12-31"),
    ("bai.san", "柏三", "61", "", "", ""),
)


def sheet(rows: Sequence[Sequence[str]], headings: Sequence[str] = ENGLISH) -> io.BytesIO:
    target = io.BytesIO()
    write_xlsx(target, headings, rows, "用户")
    target.seek(0)
    return target


def users() -> int:
    return db.session.scalar(select(func.count(User.id))) or 0


def faults_of(*rows: Sequence[str]) -> dict[int, str]:
    with pytest.raises(FaultyList) as refused:
        import_users(SYSTEM, read_list(sheet(rows), "users.xlsx"))
    assert users() == 0
    return {fault.line: fault.sentence for fault in refused.value.faults}


def test_everybody_of_the_list_is_added_with_their_roles() -> None:
    new = import_users(SYSTEM, read_list(sheet(GOOD), "users.xlsx"))
    assert [one.user.username for one in new] == ["shen.yi", "gu.er", "bai.san"]
    held = [[(grant.role, grant.org_path, str(grant.until)) for grant in one.user.grants] for one in new]
    assert held == [
        [("clerk", "/61/6101/", "2199-12-31"), ("leader", "/61/6102/", "None")],
        [("finance", "/61/6101/610102/", "2199-12-31")],
        [],
    ]
    for one in new:
        assert verify_password(one.user.password_hash, one.password)
        assert one.user.password_until is not None
    assert len({one.password for one in new}) == 3
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "user.import")).all()
    assert [(line.org_path, line.data) for line in lines] == [("/61/", {"users": 3})]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({0: "x"}, "A user name has"),
        ({0: ""}, "A user name has"),
        ({1: ""}, "A user needs a name"),
        ({2: "9999"}, "no organisation with the code “9999”"),
        ({2: ""}, "no organisation"),
        ({3: "emperor"}, "no such role"),
        ({4: "nothing"}, "no such program"),
        ({5: "2014-01-01"}, "must not lie in the past"),
        ({5: "2199-02-30"}, "is not a day"),
        ({5: "soon"}, "is not a day"),
    ],
)
def test_a_line_that_is_wrong_is_told_and_nobody_is_added(change: dict[int, str], told: str) -> None:
    wrong = [change.get(column, value) for column, value in enumerate(GOOD[2])]
    faults = faults_of(GOOD[0], wrong, GOOD[3])
    assert list(faults) == [3]
    assert told in faults[3]


def test_lines_of_the_same_user_are_looked_at_together() -> None:
    faults = faults_of(
        GOOD[0],
        ("shen.yi", "沈二", "6102", "leader", "", ""),
        ("shen.yi", "沈一", "6102", "", "", ""),
        ("shen.yi", "沈一", "6101", "clerk", "", ""),
        ("shen.yi", "沈一", "610102", "reviewer", "", ""),
    )
    assert "somebody else" in faults[3]
    assert "another role" in faults[4]
    assert "already holds this role" in faults[5]
    assert "do not go together" in faults[6]


def test_a_user_name_that_is_taken_is_told() -> None:
    import_users(SYSTEM, read_list(sheet(GOOD[:1]), "users.xlsx"))
    with pytest.raises(FaultyList) as refused:
        import_users(SYSTEM, read_list(sheet(GOOD), "users.xlsx"))
    assert {fault.line for fault in refused.value.faults} == {2, 3}
    assert users() == 1


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (sheet([], ENGLISH), "users.xlsx", "no lines"),
        (sheet(GOOD, ENGLISH[1:]), "users.xlsx", "lacks the column"),
        (sheet(GOOD, (*ENGLISH[:5], "Name")), "users.xlsx", "twice"),
        (io.BytesIO(b"nothing"), "users.xlsx", "cannot be read"),
        (io.BytesIO(b"nothing"), "users.pdf", "xlsx or CSV"),
    ],
)
def test_what_is_no_list_of_users_is_refused(content: io.BytesIO, name: str, told: str) -> None:
    content.seek(0)
    with pytest.raises(ZhijiaError, match=told):
        read_list(content, name)


def test_a_list_has_an_end() -> None:
    row = GOOD[0]
    assert len(read_list(sheet([row] * MOST), "users.xlsx")) == MOST
    with pytest.raises(ZhijiaError, match=str(MOST)):
        read_list(sheet([row] * (MOST + 1)), "users.xlsx")


def test_the_page_tells_the_first_passwords_once(as_user: AsUser) -> None:
    admin = as_user("admin")
    assert "users.xlsx" in admin.get("/admin/users/import/template.xlsx").headers["Content-Disposition"]
    done = admin.post("/admin/users/import", data={"file": (sheet(GOOD), "users.xlsx"), "password": PASSWORD})
    assert (done.status_code, done.headers["Cache-Control"]) == (200, "no-store")
    told = re.findall(r"[a-z]{4}-[0-9]{4}-[a-z]{4}", done.text)
    user = by_username("shen.yi")
    assert user
    assert verify_password(user.password_hash, told[0])
    assert len(told) == 3
    with admin.session_transaction() as session:
        assert told[0] not in str(dict(session))
    assert told[0] not in admin.get(f"/admin/users/{user.id}").text


def test_the_page_lists_the_faults_and_asks_for_the_password(as_user: AsUser) -> None:
    admin = as_user("admin", "6101")
    rows = (GOOD[0], ("gu.er", "顾二", "6102", "clerk", "", ""))

    def sent(**proof: str) -> tuple[int, str]:
        answer = admin.post("/admin/users/import", data={"file": (sheet(rows), "users.xlsx"), **proof})
        return answer.status_code, answer.text

    status, page = sent(password=PASSWORD)  # the union of the second line is another city's
    assert status == 400
    assert "<td>3</td>" in page
    assert 'id="file-errors"' in page
    assert sent()[0] == 400
    assert sent(password="no")[0] == 401
    missing = admin.post("/admin/users/import", data={"password": PASSWORD})
    assert (missing.status_code, 'id="file-errors"' in missing.text) == (400, True)
    assert users() == 1


def test_the_command_prints_the_first_passwords_or_the_faults(
    run_command: Callable[..., Result], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("\n".join(",".join(row) for row in (ENGLISH, *GOOD[2:])), "utf-8")
    bad.write_text("\n".join(",".join(row) for row in (ENGLISH, ("x", *GOOD[2][1:]))), "utf-8")
    failed = run_command("users", "import", str(bad))
    assert failed.exit_code != 0
    assert "line 2: A user name has" in failed.output
    done = run_command("users", "import", str(good))
    assert done.exit_code == 0
    assert re.search(r"gu\.er\t顾二\t新城区总工会\t[a-z]{4}-[0-9]{4}-[a-z]{4}\n", done.output)
