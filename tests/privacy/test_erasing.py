"""Erasing on a page: with the reason, the password and what is lost before the eyes; and who is due for it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update

from core.audit.models import AuditLine
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.people.personal import ERASED_NAME
from core.privacy.models import PrivacyRule
from core.privacy.queries import rule_of
from core.privacy.retention import DUE, due, look
from core.tasks.models import Task
from core.users.access import today
from core.users.testing import PASSWORD, AsUser
from tests.people.conftest import number
from tests.people.conftest import pair as pair

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]
Pair = tuple[Person, Person]
EVERYWHERE = Scope.of(["/61/"])
SIGNED = {"reason": "本人申请", "sure": "y", "password": PASSWORD}
RULE = {"shown_a_day": 5, "import_days": 1, "export_days": 2, "message_days": 3, "quiet_years": 4}


def test_a_person_is_erased_on_the_page_and_it_says_so(as_user: AsUser, pair: Pair) -> None:
    admin, address = as_user("admin"), f"/people/{pair[1].id}/erase"
    page = admin.get(address).text
    assert "单小芳" in page and number(3)[-4:] not in page  # what is kept is shown after a proof, on its own page
    done = admin.post(address, data=SIGNED)
    assert (done.status_code, "单小芳" in done.text) == (200, False)
    db.session.expire_all()
    assert pair[1].name == ERASED_NAME
    [line] = db.session.scalars(select(AuditLine).where(AuditLine.action == "people.erase"))
    assert (line.user_id is not None, line.data["reason"]) == (True, "本人申请")
    assert admin.post(address, data=SIGNED).status_code == 409
    assert 'name="reason"' not in admin.get(address).text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": ""}, "reason"), ({"sure": ""}, "sure"), ({"password": "wrong"}, "password"),
        ({"reason": f"申请人 {number(3)}"}, "reason"),
    ],
)  # fmt: skip
def test_nobody_is_erased_without_reason_and_password(
    as_user: AsUser, pair: Pair, change: dict[str, str], field: str
) -> None:
    refused = as_user("admin").post(f"/people/{pair[1].id}/erase", data=SIGNED | change)
    assert refused.status_code in (400, 401)
    assert [name for name in SIGNED if f'aria-describedby="{name}-errors"' in refused.text] == [field]
    db.session.expire_all()
    assert (pair[1].name, pair[1].erased_at) == ("单小芳", None)


def test_who_may_not_see_all_data_erases_nobody(as_user: AsUser, pair: Pair) -> None:
    address = f"/people/{pair[1].id}/erase"
    assert as_user("clerk").post(address, data=SIGNED).status_code == 403
    assert as_user("auditor", "6102").post(address, data=SIGNED).status_code == 404
    assert address not in as_user("clerk").get(f"/people/{pair[1].id}").text


def age(person: Person, year: int, day: int = 1, month: int = 1) -> None:
    moment = datetime(year, month, day, tzinfo=UTC)
    db.session.execute(update(Person).where(Person.id == person.id).values(created_at=moment))
    db.session.commit()


def test_somebody_is_due_when_the_years_are_over_and_not_a_day_before(pair: Pair) -> None:
    first = today().year - rule_of().quiet_years
    age(pair[0], first - 1, 31, 12)
    age(pair[1], first)
    assert [person.id for person, _org in due(EVERYWHERE)] == [pair[0].id]
    assert due(Scope.of(["/61/6102/"])) == []


def test_due_people_wait_for_the_union_that_is_responsible(
    pair: Pair, as_user: AsUser, run_jobs: Callable[[], int]
) -> None:
    age(pair[0], 1999)
    for _night in range(2):
        look(None)  # type: ignore[arg-type]  # it asks its context nothing
    [task] = db.session.scalars(select(Task).where(Task.kind == DUE.code))
    assert (task.org_id, task.permission, task.data) == (pair[0].org_id, "people.data", {"count": 1})
    page = as_user("auditor").get("/people/due").text
    assert f"/people/{pair[0].id}/erase" in page and f"/people/{pair[1].id}/erase" not in page
    assert as_user("clerk").get("/people/due").status_code == 403


def test_a_rule_is_kept_for_this_year_and_later_ones_only(as_user: AsUser, small_tree: dict[str, Org]) -> None:
    admin = as_user("admin")
    past = admin.post("/admin/privacy", data=RULE | {"first_year": today().year - 1})
    assert (past.status_code, "This year is over" in past.text) == (409, True)
    assert admin.post("/admin/privacy", data=RULE | {"first_year": today().year}).status_code == 302
    assert (rule_of().shown_a_day, rule_of(today().year - 1).shown_a_day) == (5, 50)
    again = admin.post("/admin/privacy", data=RULE | {"first_year": today().year, "quiet_years": 7})
    assert (again.status_code, rule_of().quiet_years) == (302, 7)
    assert db.session.scalar(select(func.count()).select_from(PrivacyRule)) == 2
    for wrong in ({"quiet_years": 0}, {"export_days": ""}, {"import_days": 36_501}):
        refused = admin.post("/admin/privacy", data=RULE | {"first_year": today().year} | wrong)
        assert refused.status_code == 400
    assert as_user("admin", "6101").post("/admin/privacy", data=RULE | {"first_year": 2100}).status_code == 403
