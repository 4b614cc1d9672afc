"""The list of attacks, docs/security-attacks.md, made from the tests: ``python -m tests.attacks.listing``.

An attack is a test in this folder whose first sentence says what the attacker wants (``Wants ...``), or one elsewhere
that is named here.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
DOCUMENT = FOLDER.parents[1] / "docs" / "security-attacks.md"
#: Tests of an attack that stand with what they attack: file (below tests/) -> test -> what the attacker wants.
ELSEWHERE: dict[str, dict[str, str]] = {
    "test_session.py": {
        "test_what_was_planted_in_the_session_before_login_is_gone": "Wants a session that they planted to be the"
        " victim's after the login (session fixation).",
        "test_a_damaged_hash_or_cookie_is_no_way_in": "Wants to get in with a cookie of their own making.",
        "test_a_new_password_ends_open_sessions": "Wants to stay in after the victim chose another password.",
    },
    "test_login.py": {
        "test_a_name_that_nobody_has_costs_one_hash_as_any_other": "Wants a list of user names by how long a login"
        " takes (counted hashes).",
        "test_an_address_that_tries_many_names_is_stopped": "Wants to try one password with every name.",
        "test_tries_at_the_same_moment_do_not_slip_past_the_count": "Wants more tries than there are, by sending them"
        " at the same moment.",
        "test_redis_holds_no_name_and_no_address": "Wants names and addresses from a stolen Redis.",
    },
    "users/test_second_factor.py": {
        "test_a_code_is_taken_once_by_requests_at_the_same_moment": "Wants one code to open two sessions, sent at the"
        " same moment.",
        "test_a_recovery_code_lets_in_once": "Wants to use a recovery code that was used.",
        "test_a_secret_that_was_moved_to_another_user_still_needs_their_password": "Wants to carry their own second"
        " factor over to another account.",
        "test_guessing_at_codes_is_stopped": "Wants to guess a code of six digits.",
    },
    "users/test_sessions.py": {
        "test_a_copied_cookie_is_worth_nothing_after_the_second_factor": "Wants to wait with a copied cookie until its"
        " owner gives the code.",
        "test_logging_out_ends_the_session_on_the_server": "Wants to go on with a cookie whose owner logged out.",
    },
    "users/test_proving.py": {
        "test_nothing_is_done_without_proof": "Wants to act at a desk that was left unlocked.",
    },
    "users/test_conflicts.py": {
        "test_a_role_that_does_not_go_with_one_held_is_refused": "Wants two roles that together may do everything.",
    },
    "test_walls.py": {
        "test_a_statement_cannot_widen_its_reach": "Wants a statement to say by itself how far it sees.",
        "test_a_request_sees_as_far_as_its_user": "Wants all people by raw SQL in a view of a plugin.",
        "test_the_key_of_the_wall_is_for_nobody": "Wants the key that reaches are signed with, or the policies gone.",
        "test_a_role_that_no_wall_holds_is_not_let_in": "Wants the application to run as a role that no wall holds.",
    },
    "test_plugin_checks.py": {
        "test_a_public_page_is_refused": "Wants a page of a plugin that anybody may open.",
        "test_a_page_that_changes_something_asks_for_a_permission": "Wants a page of a plugin that writes without a"
        " permission.",
        "test_a_blueprint_that_hooks_into_other_pages_is_refused": "Wants a plugin to stand between all pages.",
    },
    "test_gate.py": {
        "test_no_plugin_may_take_an_address_that_is_the_cores": "Wants a plugin to answer in place of the core.",
    },
    "matrix/test_registers.py": {
        "test_nothing_of_others_comes_through_to_a_county": "Wants entries of others on any path of any register.",
        "test_who_has_no_business_there_is_sent_away": "Wants to export, to write or to decide with a role that only"
        " reads.",
    },
    "fuzzing/test_fuzzing.py": {
        "test_no_page_stumbles_and_what_is_refused_changes_nothing": "Wants an error page that tells something, a"
        " change by a look, or half of what was refused: by whatever can be sent to any address (fuzzing).",
        "test_who_may_nothing_changes_nothing": "Wants to change something without a role, or in a closed year, by"
        " whatever can be sent to any address (fuzzing).",
    },
    "files/test_jobs.py": {
        "test_a_decompression_bomb_is_not_unpacked": "Wants the memory full, by a small picture of a billion pixels.",
    },
    "files/test_kinds.py": {
        "test_an_archive_whose_directory_would_fill_the_memory_is_not_opened": "Wants the memory full, by an archive"
        " of a million names.",
    },
    "imports/test_hostile.py": {
        "test_a_hostile_file_gets_an_answer": "Wants an import to break, to call an address or to read a file: two"
        " hundred hostile workbooks.",
    },
    "disbursements/test_run_races.py": {
        "test_one_run_approved_twice_by_the_same": "Wants to be two approvers by sending the form twice at once.",
        "test_one_run_posted_by_eight_at_once": "Wants a run posted twice by posting it at the same moment.",
    },
    "disbursements/test_bank_races.py": {
        "test_one_return_file_read_by_eight_at_once": "Wants lines given back twice, by sending in one return file"
        " several times at once.",
    },
}  # fmt: skip


def attacks() -> Iterator[tuple[str, str, str]]:
    """File below tests/, test, and what the attacker wants: those of this folder first."""
    for path in sorted(FOLDER.glob("test_*.py")):
        for name, said in _tests(path):
            if said.startswith("Wants "):
                yield f"attacks/{path.name}", name, " ".join(said.split("\n\n")[0].split())
    for file, named in ELSEWHERE.items():
        for name, said in named.items():
            yield file, name, said


def missing() -> list[str]:
    """Tests that are named and are not there."""
    tests = FOLDER.parent
    return [
        f"{file}::{name}"
        for file, named in ELSEWHERE.items()
        for name in named
        if name not in dict(_tests(tests / file))
    ]


def document() -> str:
    """The text of the document."""
    head = (
        "# Attacks that are tried in the tests\n\nMade from the tests by `python -m tests.attacks.listing`; a test "
        "compares the two. Each says what the attacker\nwants; that they do not get it is what the test shows.\n\n"
    )
    lines = [f"{number}. {said} `{file}::{name}`" for number, (file, name, said) in enumerate(attacks(), start=1)]
    return head + "\n".join(lines) + "\n"


def _tests(path: Path) -> list[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (item.name, ast.get_docstring(item) or "")
        for item in tree.body
        if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")
    ]


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}\n")
