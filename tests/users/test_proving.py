"""What cannot be taken back asks for one's own password again, and for a code of the second factor."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.audit.models import AuditLine
from core.disbursements.testing import MakePerson, SwitchOn
from core.extensions import db
from core.org.models import Org
from core.users.second_factor import MONEY
from core.users.testing import PASSWORD, AsUser, Browser, MakeUser
from core.web import marks
from tests.test_matrix import MATRIX

pytestmark = pytest.mark.services

#: Endpoint -> what is sent by whom besides the proof; addresses are those of the house of these tests.
SIGNED: dict[str, tuple[str, str, dict[str, str]]] = {
    "users_admin.create": (
        "admin", "/admin/users/new", {"username": "shen", "name": "沈一", "org_code": "61", "role": "leader"},
    ),
    "users_admin.grant": ("admin", "/admin/users/{user}/grants", {"role": "leader", "org_code": "6101"}),
    "users_admin.password": ("admin", "/admin/users/{user}/password", {}),
    "users_admin.reset_second_factor": ("admin", "/admin/users/{user}/second-factor", {}),
    "second_factor.codes": ("admin", "/account/second-factor/codes", {}),
    "second_factor.remove": ("admin", "/account/second-factor/remove", {}),
    "people.show_all": ("admin", "/people/{person}/data", {}),
    "budget.own_funds": (
        "finance", "/2014/61/winter_warmth/budget/own-funds",
        {"key": "k", "org_code": "6101", "source": "union", "amount": "12", "effective_on": "2014-01-10"},
    ),
    "budget.book": (
        "finance", "/2014/61/winter_warmth/budget/allot",
        {"key": "k", "giver": "61", "source": "union", "level": "", "way": "people", "amount": "1",
         "effective_on": "2014-01-10", "shares": "6101 1"},
    ),
}  # fmt: skip
#: Those whose refusals are tested with the pages that they stand on: tests/disbursements/test_signing.py,
#: tests/ledger/test_period_pages.py, test_allot_pages.py, tests/users/test_importing.py, the tests of four_seasons.
ELSEWHERE = {
    *("runs.decide", "runs.post", "ledger.move_period", "budget.take", "users_import.take"),
    *("four_seasons.allot", "four_seasons.own_funds"),
}
#: What users send who move money or manage users, and why it asks for nothing.
UNSIGNED = {
    "users_admin.view": "how the list is shown",
    "users_admin.revoke": "takes away; what is taken can be given again, signed",
    "users_admin.activate": "closing takes away; an account opened again has no role",
    "users_admin.end_sessions": "takes away",
    "users_admin.mail": "an address gets no more than how much waits",
    "budget.preview_allotment": "books nothing",
    "ledger.shut_account": "only an empty account, and it moves nothing",
    "runs.bank_files": "writes files of a run whose posting was signed",
    "runs.locked_file": "hands out a file of such a run",
    "runs.send_in": "what the bank says is reviewed before it counts",
    "runs.set_aside": "keeps payments back",
    "runs.hand_out": "records what was handed out, which somebody else confirms",
    "runs.confirm": "confirms what somebody else recorded",
    "statements.upload": "what the bank says",
    "statements.match": "lays lines beside each other, and can be taken back",
    "four_seasons.add_visit": "one gift, spent from a budget whose allotment was signed, many a day",
    "four_seasons.undo_visit": "takes one gift back",
    "four_seasons_summer.add_visit": "one gift, spent from a budget whose allotment was signed, or from stock",
    "four_seasons_summer.undo_visit": "takes one gift back",
    "four_seasons_summer.add_lot": "one purchase, spent from a budget whose allotment was signed",
    "four_seasons_summer.undo_lot": "takes one purchase back",
}


@pytest.fixture
def house(
    small_tree: dict[str, Org], program_year: SwitchOn, make_user: MakeUser, make_person: MakePerson
) -> dict[str, int]:
    """The ids that the addresses name, in a year of the winter campaign."""
    program_year("winter_warmth", rule="pool", pool=1_000_00, province_allotment=100_00)
    return {"user": make_user("leader", "6101").id, "person": make_person("6101").id}


def lines() -> int:
    """Of what was done; that somebody guessed wrong is on record as well."""
    return db.session.scalar(select(func.count(AuditLine.id)).where(AuditLine.action != "user.login_failed")) or 0


def sent(browser: Browser, endpoint: str, house: dict[str, int], **proof: str) -> tuple[int, str]:
    _role, address, form = SIGNED[endpoint]
    answer = browser.post(address.format(**house), data=form | proof)
    return answer.status_code, answer.text


@pytest.mark.parametrize("endpoint", sorted(SIGNED))
def test_nothing_is_done_without_proof(as_user: AsUser, house: dict[str, int], endpoint: str) -> None:
    browser = as_user(SIGNED[endpoint][0])
    before = lines()
    for proof, field, expected in (
        ({}, "password", 400),
        ({"password": "not-mine-2014"}, "password", 401),
        ({"password": PASSWORD, "code": ""}, "code", 401),
        ({"password": PASSWORD, "code": "000000"}, "code", 401),
    ):
        status, page = sent(browser, endpoint, house, **proof)
        assert (status, f'{field}-errors"' in page) == (expected, True), proof
    assert lines() == before


def test_what_moves_money_or_gives_rights_is_signed_or_says_why_not(app: Flask) -> None:
    posts = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    needing = {name for name in posts if marks.permission_needed(app.view_functions[name]) in MONEY}
    assert needing - set(SIGNED) - ELSEWHERE - set(UNSIGNED) == set(), "say above whether these are signed"
    assert set(UNSIGNED) - needing == set(), "these are gone"
    assert (set(SIGNED) | ELSEWHERE) - set(MATRIX) == set()
