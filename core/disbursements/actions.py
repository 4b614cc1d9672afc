"""What a user may do with a run right now: the page shows these buttons and no others. The services check again."""

from core.disbursements.approvals import may_decide
from core.disbursements.banking.following import to_follow
from core.disbursements.models import Run
from core.disbursements.queries import work_of
from core.disbursements.services import CANCELLABLE, COMPUTABLE
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.users.access import can, scope_of, today
from core.users.models import User


def allowed(user: User, run: Run, program_year: ProgramYear) -> set[str]:
    """What this user can do now: compute, notice, submit, withdraw, object, cancel, follow_up for those who make runs,
    decide for those who approve, post, bank_files, return_file, hand_out for those who post.
    """
    if state_of(program_year) != "open":
        return set()
    actions: set[str] = set()
    if can(user, "run.create", run.org_path, program_year.program):
        actions |= _of_maker(run)
    if may_decide(user, run, program_year.program):
        actions.add("decide")
    posts = scope_of(user, "run.post", program_year.program)
    if posts.includes(run.org_path) and run.state == "approved" and user.id != run.created_by:
        actions.add("post")
    if posts.paths:
        actions |= _of_bank(run, posts.includes(run.org_path))
    return actions


def _of_bank(run: Run, is_whole: bool) -> set[str]:
    """What is left to do by those who post a part of the run; the files are asked for by who posts all of it."""
    actions: set[str] = set()
    if run.form != "bank":
        return {"hand_out"} if run.state == "posted" else actions
    if is_whole and run.state == "posted" and not work_of(run).is_active:
        actions.add("bank_files")
    if run.state == "sent":
        actions.add("return_file")
    return actions


def _of_maker(run: Run) -> set[str]:
    actions: set[str] = set()
    if run.state in COMPUTABLE or (run.state == "computing" and not work_of(run).is_active):
        actions.add("compute")
    if run.state in ("computed", "notice"):
        actions.add("object")
    days = int(run.settings.get("notice_working_days", 0))
    if run.state == "computed" and days and run.notice_until is None:
        actions.add("notice")
    notice_over = run.notice_until is not None and today() > run.notice_until
    if run.state in ("computed", "notice") and run.paid and (notice_over or not days):
        actions.add("submit")
    if run.state == "submitted":
        actions.add("withdraw")
    if run.state in ("posted", "sent", "settled") and to_follow(run):
        actions.add("follow_up")
    if run.state in CANCELLABLE:
        actions.add("cancel")
    return actions
