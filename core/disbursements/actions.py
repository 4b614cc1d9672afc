"""What a user may do with a run right now: the page shows these buttons and no others. The services check again."""

from core.disbursements.models import Run
from core.disbursements.queries import has_decided, work_of
from core.disbursements.services import CANCELLABLE, COMPUTABLE
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.users.access import can, today
from core.users.models import User


def allowed(user: User, run: Run, program_year: ProgramYear) -> set[str]:
    """Of compute, notice, submit, object, cancel, decide, post and bank_files, what this user can do now."""
    if state_of(program_year) != "open":
        return set()
    actions: set[str] = set()
    if can(user, "run.create", run.org_path, program_year.program):
        actions |= _of_maker(run)
    if can(user, "run.approve", run.org_path, program_year.program) and may_decide(user, run):
        actions.add("decide")
    if can(user, "run.post", run.org_path, program_year.program):
        if run.state == "approved" and user.id != run.created_by:
            actions.add("post")
        if run.state == "posted" and not work_of(run).is_active:
            actions.add("bank_files")
    return actions


def may_decide(user: User, run: Run) -> bool:
    """Whether a user who approves runs may decide on this one: somebody else's, and not decided on by them yet."""
    is_own = user.id in (run.created_by, run.submitted_by)
    return run.state == "submitted" and not is_own and not has_decided(user, run)


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
    if run.state in CANCELLABLE:
        actions.add("cancel")
    return actions
