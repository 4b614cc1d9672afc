"""The permission matrix: every route of the site, and who may open it.

It is generated from the URL map, so that a page that nobody declared here fails. ``public`` needs no login, ``login``
any user, everything else the named permission: whoever lacks it gets 403 or 404.
"""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from core.org.models import Org
from core.users.access import permission_of
from core.users.testing import AsUser, MakeUser
from core.web.guard import public

pytestmark = pytest.mark.services
PUBLIC, LOGIN = "public", "login"

#: Endpoint -> who may open it. Pages of a program year need the permission for that program.
MATRIX: dict[str, str] = {
    "static": PUBLIC,
    "ready.health": PUBLIC,
    "ready.ready": PUBLIC,
    "users.login": PUBLIC,
    "users.enter": PUBLIC,
    "users.code": PUBLIC,
    "users.give_code": PUBLIC,
    "users.leave": PUBLIC,
    "users.language": PUBLIC,
    "home.index": LOGIN,
    "users.account": LOGIN,
    "users.change_password": LOGIN,
    "users.mail": LOGIN,
    "users.end_session": LOGIN,
    "users.end_sessions": LOGIN,
    **{f"second_factor.{name}": LOGIN for name in ("show", "enrol", "codes", "remove")},
    "tasks.index": LOGIN,
    "tasks.overdue": "task.supervise",
    "tasks.urge": "task.supervise",
    "inbox.index": LOGIN,
    "inbox.follow": LOGIN,
    "inbox.read_all": LOGIN,
    "users_admin.index": "user.manage",
    "users_admin.new": "user.manage",
    "users_admin.create": "user.manage",
    "users_admin.show": "user.manage",
    "users_admin.grant": "user.manage",
    "users_admin.revoke": "user.manage",
    "users_admin.activate": "user.manage",
    "users_admin.password": "user.manage",
    "users_admin.reset_second_factor": "user.manage",
    "users_admin.end_sessions": "user.manage",
    **{f"users_import.{name}": "user.manage" for name in ("upload", "take", "template")},
    "users_admin.mail": "user.manage",
    "audit.index": "audit.view",
    "audit.view": "audit.view",
    "audit.show": "audit.view",
    "jobs.index": "job.view",
    "jobs.show": "job.view",
    "jobs.retry": "job.retry",
    "jobs.cancel": "job.retry",
    "org.index": "org.view",
    "org.show": "org.view",
    "programs.index": "program.view",
    "programs.home": "program.view",
    "years.index": "program.manage",
    "years.new": "program.manage",
    "years.create": "program.manage",
    "years.show": "program.manage",
    "years.settings": "program.manage",
    "years.dates": "program.manage",
    "years.disable": "program.manage",
    "years.enable": "program.manage",
    "years.close": "program.manage",
    "years.copy": "program.manage",
    "years.copy_chosen": "program.manage",
    "plugins.index": "program.manage",
    "people.index": "people.view",
    "people.view": "people.view",
    "lists.orgs": LOGIN,
    "org.listing": "org.view",
    "org.view": "org.view",
    "users_admin.view": "user.manage",
    "ledger.view_activities": "ledger.view",
    "people.show": "people.view",
    "people.numbers": "people.numbers",
    "people.correct": "people.edit",
    "people.duplicate": "people.edit",
    "people.merge_files": "people.edit",
    "people.data": "people.data",
    "people.show_all": "people.data",
    "privacy.ask_erase": "people.data",
    "privacy.erase_person": "people.data",
    "privacy.consent_index": "people.view",
    "privacy.give": "people.edit",
    "privacy.withdraw": "people.edit",
    "privacy.due_people": "people.data",
    "privacy.rule_index": "program.manage",
    "privacy.keep": "program.manage",
    "runs.index": "run.view",
    "runs.new": "run.create",
    "runs.create": "run.create",
    "runs.show": "run.view",
    "runs.progress": "run.view",
    "runs.compute": "run.create",
    "runs.notice": "run.create",
    "runs.submit": "run.create",
    "runs.withdraw": "run.create",
    "runs.decide": "run.approve",
    "runs.post": "run.post",
    "runs.bank_files": "run.post",
    "runs.bank_file": "run.post",
    "runs.bank": "run.view",
    "runs.send_in": "run.post",
    "runs.return_file": "run.post",
    "runs.return_faults": "run.post",
    "runs.failed": "run.view",
    "runs.changed": "run.post",
    "runs.set_aside": "run.post",
    "runs.follow_up": "run.create",
    "runs.locking": "run.post",
    "runs.locked_file": "run.post",
    "runs.sign_list": "run.view",
    "runs.handing_out": "run.post",
    "runs.hand_out": "run.post",
    "runs.confirm": "run.post",
    "accounts.show": "run.create",
    "accounts.keep": "run.create",
    "statements.index": "run.post",
    "statements.upload": "run.post",
    "statements.show": "run.post",
    "statements.match": "run.post",
    "runs.cancel": "run.create",
    "runs.object_to": "run.create",
    **{f"approvals.{name}": "program.manage" for name in ("index", "new", "change", "remove", "copy")},
    "runs.payments": "run.view",
    "runs.exclusions": "run.view",
    "runs.difference": "run.view",
    "runs.foresee": "run.create",
    "four_seasons.hardship_list": "four_seasons.view",
    "four_seasons.coverage": "four_seasons.view",
    "four_seasons.take": "four_seasons.edit",
    "four_seasons.allotment": "ledger.allot",
    "four_seasons.allot": "ledger.allot",
    "four_seasons.own_funds": "ledger.allot",
    "four_seasons.visits": "four_seasons.view",
    "four_seasons.visit": "four_seasons.view",
    "four_seasons.visit_of_entry": "four_seasons.view",
    "four_seasons.new_visit": "ledger.post",
    "four_seasons.add_visit": "ledger.post",
    "four_seasons.undo_visit": "ledger.post",
    "four_seasons_overview.year_end": "four_seasons.view",
    "four_seasons_overview.year_end_sheet": "four_seasons.view",
    "four_seasons_overview.year_end_file": "four_seasons.view",
    "four_seasons_overview.year_end_rows": "four_seasons.view",
    **{
        f"four_seasons_summer.{name}": "four_seasons.view"
        for name in ("posts", "visits", "visit", "visit_of_entry", "stock", "lot", "lot_of_entry")
    },
    **{
        f"four_seasons_summer.{name}": "ledger.post"
        for name in ("new_visit", "add_visit", "undo_visit", "new_lot", "add_lot", "undo_lot")
    },
    "hardship_aid.unvisited": "hardship_aid.view",
    "hardship_aid.unpaired": "hardship_aid.view",
    "hardship_aid.places": "hardship_aid.view",
    "hardship_aid.categories": "hardship_aid.view",
    "hardship_aid.category": "hardship_aid.view",
    "hardship_aid.classify": "hardship_aid.edit",
    "hardship_aid.compute": "hardship_aid.edit",
    "hardship_aid.decide": "hardship_aid.review",
    "hardship_aid.take_back": "hardship_aid.review",
    "hardship_aid.comparisons": "hardship_aid.view",
    "hardship_aid.transfers": "hardship_aid.view",
    "hardship_aid.transfers_of": "hardship_aid.view",
    "hardship_aid.ask_transfer": "hardship_aid.edit",
    "hardship_aid.transfer": "hardship_aid.view",
    "hardship_aid.answer_transfer": "hardship_aid.edit",
    "hardship_aid.compare": "hardship_aid.edit",
    # Each register and report asks for a permission of its plugin besides; whose rows they show: tests/matrix.
    "registers.index": "program.view",
    "registers.view": "program.view",
    "registers.add": "program.view",
    "registers.show": "program.view",
    "registers.numbers": "program.view",
    "registers.change": "program.view",
    "registers.remove": "program.view",
    "exports.index": LOGIN,
    "exports.new": LOGIN,
    "exports.show": LOGIN,
    "exports.take": LOGIN,
    **{
        f"imports.{name}": "program.view"
        for name in ("index", "upload", "show", "columns", "merge", "cancel", "undo", "errors", "template")
    },
    "files.index": "program.view",
    "files.download": "program.view",
    "files.thumbnail": "program.view",
    "files.remove": "program.view",
    "flows.move": "program.view",
    "flows.move_chosen": "program.view",
    "notices.index": "program.view",
    "notices.new": "notice.post",
    "notices.post": "notice.post",
    "notices.show": "program.view",
    "notices.withdraw": "notice.post",
    "notices.printed": "program.view",
    "objections.index": "notice.object",
    "objections.decide": "notice.decide",
    "objections.contact": "notice.decide",
    "reports.index": "program.view",
    "reports.show": "program.view",
    "reports.download": "program.view",
    "ledger.index": "ledger.view",
    "ledger.entry": "ledger.view",
    "ledger.trial_balance": "ledger.view",
    "ledger.download_balances": "ledger.view",
    "ledger.accounts": "ledger.view",
    "ledger.download_accounts": "ledger.view",
    "ledger.account": "ledger.view",
    "ledger.download_account": "ledger.view",
    "ledger.income": "ledger.view",
    "ledger.download_income": "ledger.view",
    "ledger.periods": "ledger.close",
    "ledger.period": "ledger.close",
    "ledger.move_period": "ledger.close",
    "ledger.shut_account": "ledger.close",
    "ledger.activity_index": "ledger.view",
    "ledger.activity": "ledger.view",
    "ledger.new_activity": "ledger.record",
    "ledger.create_activity": "ledger.record",
    "budget.index": "ledger.view",
    "budget.own_funds": "ledger.allot",
    "budget.booking": "ledger.view",
    "budget.take": "ledger.allot",
    "budget.allot": "ledger.allot",
    "budget.preview_allotment": "ledger.allot",
    "budget.book": "ledger.allot",
    "budget.allot_template": "ledger.allot",
}
SAMPLES: dict[str, Any] = {
    "year": 2014,
    "sponsor": "61",
    "program": "winter_warmth",
    "filename": "app.css",
    "code": "61",
    "kind": "xlsx",
    "step": "start",
}


def routes(app: Flask) -> list[tuple[Rule, str]]:
    """Every rule with each method that it answers by itself."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods or ())
        if method != "OPTIONS"
    ]


def address(app: Flask, rule: Rule) -> str:
    """An address of the rule; program pages are those of a year that is off."""
    values = {name: SAMPLES.get(name, 1) for name in rule.arguments}
    built = rule.build({name: str(value) for name, value in values.items()} if "filename" in values else values)
    assert built
    return str(built[1])


def guarded(app: Flask) -> list[tuple[Rule, str]]:
    return [(rule, method) for rule, method in routes(app) if MATRIX.get(rule.endpoint) != PUBLIC]


def test_every_route_is_declared(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints - set(MATRIX) == set(), "declare these in tests/test_matrix.py"
    assert set(MATRIX) - endpoints == set(), "these are gone"


def test_every_permission_named_exists(app: Flask) -> None:
    named = set(MATRIX.values()) - {PUBLIC, LOGIN}
    assert {code for code in named if permission_of(code) is None} == set()


def test_a_stranger_is_sent_to_log_in(app: Flask, client: FlaskClient) -> None:
    for rule, method in guarded(app):
        response = client.open(address(app, rule), method=method)
        assert response.status_code in (302, 401), f"{method} {rule} answers {response.status_code}"
        assert response.headers["Location"].startswith("/login"), f"{method} {rule}"


def test_only_what_is_declared_public_is_public(app: Flask) -> None:
    marked = {endpoint for endpoint, view in app.view_functions.items() if getattr(view, "is_public", False)}
    assert marked | {"static"} == {endpoint for endpoint, who in MATRIX.items() if who == PUBLIC}
    assert getattr(public(lambda: None), "is_public", False)


def test_a_user_without_any_role_gets_no_page_that_needs_one(
    app: Flask, as_user: AsUser, small_tree: dict[str, Org]
) -> None:
    browser = as_user(None, "61")
    for rule, method in guarded(app):
        if MATRIX[rule.endpoint] != LOGIN:
            response = browser.open(address(app, rule), method=method)
            assert response.status_code in (403, 404), f"{method} {rule} answers {response.status_code}"


@pytest.mark.parametrize("role", ["admin", "clerk", "reviewer", "finance", "auditor", "leader"])
def test_a_role_opens_what_it_holds_and_nothing_else(
    app: Flask, as_user: AsUser, make_user: MakeUser, small_tree: dict[str, Org], role: str
) -> None:
    browser = as_user(role)
    for rule, method in guarded(app):
        code = MATRIX[rule.endpoint]
        permission = permission_of(code)
        response = browser.open(address(app, rule), method=method)
        where = f"{role}: {method} {rule} answers {response.status_code}"
        assert response.status_code < 500, where
        if permission and role not in permission.roles:
            assert response.status_code in (403, 404), where
        elif not rule.arguments and method == "GET":
            assert response.status_code in (200, 302), where  # a list of one may lead straight to it
