"""What leaves a line in the audit trail: every route that writes says which, and the watch of all tests can fail.

That the line is really there is checked for every request of every test (core/audit/testing.py).
"""

import ast

import pytest
from flask import Flask, Response
from sqlalchemy import text

from core.audit.actions import GROUPS, LOOKS, SEARCHED, TAKEN
from core.config import ROOT
from core.extensions import db
from core.users.testing import AsUser
from core.web.labels import ACTIONS

pytestmark = pytest.mark.services
#: Endpoint -> the actions that it leaves when it succeeds.
WRITING: dict[str, str] = {
    "accounts.keep": "org.account",
    "approvals.change": "approval_rule.change",
    "approvals.copy": "approval_rule.copy",
    "approvals.new": "approval_rule.add",
    "approvals.remove": "approval_rule.remove",
    "budget.book": "ledger.allot",
    "budget.own_funds": "ledger.fund",
    "budget.take": "ledger.take_back",
    "exports.new": "export.ask",
    "files.index": "file.attach",
    "files.remove": "file.remove",
    "flows.move": "flow.move",
    "flows.move_chosen": "flow.batch",
    "four_seasons.add_visit": "ledger.spend",
    "four_seasons.allot": "ledger.allot",
    "four_seasons.own_funds": "ledger.fund",
    "four_seasons.take": "register.take",
    "four_seasons.undo_visit": "ledger.reverse",
    "four_seasons_summer.add_lot": "ledger.spend",
    "four_seasons_summer.add_visit": "ledger.spend visit.give",
    "four_seasons_summer.undo_lot": "ledger.reverse",
    "four_seasons_summer.undo_visit": "ledger.reverse visit.put_back",
    "hardship_aid.answer_transfer": "hardship.transfer",
    "hardship_aid.ask_transfer": "hardship.transfer",
    "hardship_aid.classify": "hardship.ask",
    "hardship_aid.compare": "hardship.compare",
    "hardship_aid.compute": "hardship.classify",
    "hardship_aid.decide": "hardship.decide",
    "hardship_aid.take_back": "hardship.take_back",
    "imports.cancel": "import.cancel",
    "imports.merge": "import.merge",
    "imports.undo": "import.undo",
    "imports.upload": "import.upload",
    "jobs.cancel": "job.cancel",
    "jobs.retry": "job.retry",
    "ledger.create_activity": "ledger.record",
    "ledger.move_period": "ledger.start_closing ledger.cancel_closing ledger.close ledger.ask_reopening ledger.reopen"
    " ledger.lock",
    "ledger.shut_account": "ledger.close_account",
    "notices.post": "notice.post",
    "notices.withdraw": "notice.withdraw",
    "objections.contact": "notice.contact_shown",
    "objections.decide": "notice.decide",
    "objections.index": "notice.object",
    "people.correct": "people.correct",
    "people.merge_files": "people.merge",
    "people.numbers": "people.numbers_shown",
    "people.show_all": "people.data_shown",
    "people.view": "list.find",
    "privacy.erase_person": "people.erase",
    "privacy.give": "people.consent",
    "privacy.keep": "privacy.rule",
    "privacy.withdraw": "people.consent_withdrawn",
    "registers.add": "register.add",
    "registers.change": "register.change",
    "registers.numbers": "people.numbers_shown",
    "registers.remove": "register.remove",
    "registers.view": "list.find",
    "runs.bank_files": "run.bank_files",
    "runs.cancel": "run.cancel",
    "runs.compute": "run.compute",
    "runs.confirm": "run.hand_out_confirm",
    "runs.create": "run.create",
    "runs.decide": "run.approve run.return",
    "runs.follow_up": "run.follow_up",
    "runs.hand_out": "run.hand_out",
    "runs.locked_file": "run.download",
    "runs.notice": "run.notice",
    "runs.object_to": "run.object",
    "runs.post": "run.post",
    "runs.send_in": "run.return_file",
    "runs.set_aside": "run.set_aside",
    "runs.submit": "run.submit",
    "runs.withdraw": "run.withdraw",
    "second_factor.codes": "user.recovery_codes",
    "second_factor.enrol": "user.second_factor",
    "second_factor.remove": "user.remove_second_factor",
    "statements.match": "statement.match statement.undo",
    "statements.upload": "statement.upload",
    "tasks.urge": "task.urge",
    "users.change_password": "user.change_password",
    "users.end_session": "user.end_session",
    "users.end_sessions": "user.end_session",
    "users.enter": "user.login user.login_failed",
    "users.give_code": "user.login user.recovery_code_used",
    "users.language": "user.language",
    "users.mail": "user.mail",
    "users_admin.activate": "user.activate user.deactivate",
    "users_admin.create": "user.create user.grant",
    "users_admin.end_sessions": "user.end_session",
    "users_admin.grant": "user.grant",
    "users_admin.mail": "user.mail",
    "users_admin.password": "user.reset_password",
    "users_admin.reset_second_factor": "user.reset_second_factor",
    "users_admin.revoke": "user.revoke",
    "users_import.take": "user.import",
    "years.close": "program_year.close",
    "years.copy_chosen": "program_year.copy",
    "years.create": "program_year.enable",
    "years.dates": "program_year.dates",
    "years.disable": "program_year.disable",
    "years.enable": "program_year.enable",
    "years.settings": "program_year.settings",
}
#: Endpoints that are sent something and leave no line, and why.
SILENT = {
    "audit.view": "how somebody likes to see a list",
    "ledger.view_activities": "how somebody likes to see a list",
    "org.view": "how somebody likes to see a list",
    "users_admin.view": "how somebody likes to see a list",
    "budget.preview_allotment": "changes nothing",
    "imports.columns": "says which column is which in a file that is on record since its upload",
    "inbox.follow": "whether a message was read",
    "inbox.read_all": "whether a message was read",
    "notices.new": "changes nothing",
    "people.duplicate": "changes nothing, and shows two files without their numbers",
    "users.leave": "ends the own session",
}


def test_every_route_that_is_sent_something_says_what_it_leaves(app: Flask) -> None:
    sent = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert sent - set(WRITING) - set(SILENT) == set(), "say here what these leave in the audit trail"
    assert (set(WRITING) | set(SILENT)) - sent == set(), "these are gone"
    assert set(WRITING) & set(SILENT) == set()


def written() -> set[str]:
    """Every action that stands as it is in a call of the core."""
    found = set()
    for file in (ROOT / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("record", "look") and len(node.args) > 1:
                found |= {str(one.value) for one in ast.walk(node.args[1]) if isinstance(one, ast.Constant)}
    return {one for one in found if "." in one}


def test_every_action_has_a_title_and_belongs_to_a_group() -> None:
    named = {action for actions in WRITING.values() for action in actions.split()} | LOOKS | TAKEN | SEARCHED
    assert (named | written()) - set(ACTIONS) == set()
    assert {action.partition(".")[0] for action in ACTIONS} - set(GROUPS) == set()
    assert len(written()) > 70


def test_looks_and_files_are_among_what_is_written() -> None:
    indirect = {"people.numbers_shown"}  # by a name of its own
    assert (LOOKS | TAKEN | SEARCHED) - written() - indirect == set()


def test_a_page_that_writes_without_a_line_fails(app: Flask, as_user: AsUser) -> None:
    @app.get("/silent")
    def silent() -> str:
        db.session.execute(text("UPDATE core_org SET short_name = short_name"))
        db.session.commit()
        return ""

    with pytest.raises(AssertionError, match=r"silent wrote \['core_org'\] without a line"):
        as_user("clerk").get("/silent")


def test_a_page_that_hands_out_a_file_without_a_line_fails(app: Flask, as_user: AsUser) -> None:
    @app.get("/file")
    def file() -> Response:
        return Response("x", headers={"Content-Disposition": "attachment; filename=x.txt"})

    with pytest.raises(AssertionError, match="file handed out a file without a line"):
        as_user("clerk").get("/file")


def test_a_page_that_shows_a_number_without_a_line_fails(app: Flask, as_user: AsUser) -> None:
    said = "11010519491231002X"

    @app.get("/number")
    def number() -> str:
        return f"<td>{said}</td>"

    with pytest.raises(AssertionError, match="number showed an identity number without a line"):
        as_user("clerk").get("/number")
    said = "110105194912310021"  # the last sign does not fit
    assert as_user("clerk").get("/number").status_code == 200
