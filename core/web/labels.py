"""States as people read them: a title and a colour of Tabler."""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Label:
    """What a badge shows; ``colour`` is one of Tabler's names."""

    title: LazyString | str
    colour: str


STATES: dict[str, dict[str, Label]] = {
    "run": {
        "draft": Label(_l("Draft"), "secondary"),
        "computing": Label(_l("Computing"), "azure"),
        "computed": Label(_l("Computed"), "blue"),
        "notice": Label(_l("Under public notice"), "purple"),
        "submitted": Label(_l("Waiting for approval"), "orange"),
        "approved": Label(_l("Approved"), "teal"),
        "posted": Label(_l("Posted"), "green"),
        "sent": Label(_l("Sent to bank"), "green"),
        "settled": Label(_l("Settled"), "green"),
        "cancelled": Label(_l("Cancelled"), "secondary"),
        "failed": Label(_l("Failed"), "red"),
    },
    "job": {
        "queued": Label(_l("Queued"), "secondary"),
        "running": Label(_l("Running"), "azure"),
        "done": Label(_l("Done"), "green"),
        "failed": Label(_l("Failed"), "red"),
        "skipped": Label(_l("Skipped"), "orange"),
    },
    "export": {
        "queued": Label(_l("Queued"), "secondary"),
        "running": Label(_l("Running"), "azure"),
        "ready": Label(_l("Ready"), "green"),
        "removed": Label(_l("No longer kept"), "secondary"),
        "failed": Label(_l("Failed"), "red"),
        "skipped": Label(_l("Skipped"), "orange"),
    },
    "period": {
        "open": Label(_l("Open for entries"), "green"),
        "closing": Label(_l("Being closed"), "orange"),
        "closed": Label(_l("Closed to entries"), "blue"),
        "locked": Label(_l("Locked for good"), "secondary"),
    },
    "program_year": {
        "off": Label(_l("Off"), "secondary"),
        "upcoming": Label(_l("Not open yet"), "azure"),
        "open": Label(_l("Open"), "green"),
        "closed": Label(_l("Closed"), "secondary"),
    },
    "notice": {
        "running": Label(_l("Under public notice"), "purple"),
        "ended": Label(_l("Notice ended"), "green"),
        "withdrawn": Label(_l("Withdrawn"), "secondary"),
    },
    "objection": {
        "open": Label(_l("To be decided"), "orange"),
        "upheld": Label(_l("Upheld"), "red"),
        "dismissed": Label(_l("Not upheld"), "secondary"),
    },
    "bank_return": {
        "reading": Label(_l("Being read"), "azure"),
        "refused": Label(_l("Refused"), "red"),
        "taken": Label(_l("Taken over"), "green"),
    },
    "payment_result": {
        "paid": Label(_l("Arrived"), "green"),
        "failed": Label(_l("Came back"), "red"),
    },
    "record_change": {
        "add": Label(_l("Entered"), "green"),
        "import": Label(_l("Imported"), "green"),
        "change": Label(_l("Changed"), "blue"),
        "remove": Label(_l("Removed"), "red"),
    },
    "import": {
        "reading": Label(_l("Being read"), "azure"),
        "mapping": Label(_l("Columns to be named"), "orange"),
        "staged": Label(_l("Checked, not yet merged"), "blue"),
        "merging": Label(_l("Being merged"), "azure"),
        "merged": Label(_l("Merged"), "green"),
        "cancelled": Label(_l("Cancelled"), "secondary"),
        "failed": Label(_l("Failed"), "red"),
        "undone": Label(_l("Taken back"), "secondary"),
    },
    "user": {
        "active": Label(_l("Active"), "green"),
        "inactive": Label(_l("Closed account"), "secondary"),
    },
}


def label_of(kind: str, state: str) -> Label:
    """The label of a state; an unknown one reads as itself."""
    return STATES.get(kind, {}).get(state) or Label(state, "secondary")


#: The actions of the audit trail, as people read them.
ACTIONS: dict[str, LazyString] = {
    "user.login": _l("logged in"),
    "user.login_failed": _l("failed to log in"),
    "user.create": _l("added a user"),
    "user.import": _l("added users from a list"),
    "user.grant": _l("gave a role"),
    "user.revoke": _l("took a role away"),
    "user.activate": _l("opened an account again"),
    "user.deactivate": _l("closed an account"),
    "user.reset_password": _l("gave a new password"),
    "user.change_password": _l("changed the own password"),
    "user.end_session": _l("ended open sessions"),
    "user.second_factor": _l("set up a second factor"),
    "user.remove_second_factor": _l("removed the own second factor"),
    "user.reset_second_factor": _l("removed somebody's second factor"),
    "user.recovery_codes": _l("made other recovery codes"),
    "user.recovery_code_used": _l("used a recovery code"),
    "user.language": _l("changed the language"),
    "user.mail": _l("changed where and when e-mails go"),
    "org.load": _l("loaded divisions"),
    "people.make": _l("made fictional people"),
    "people.register": _l("took people on file"),
    "people.merge": _l("merged two files"),
    "people.correct": _l("corrected the phone or the bank account of a person"),
    "people.file_shown": _l("opened the file of a person"),
    "people.data_shown": _l("saw everything kept about a person"),
    "people.numbers_shown": _l("saw a person's numbers in full"),
    "people.erase": _l("erased a person"),
    "people.consent": _l("recorded a consent of a person"),
    "people.consent_withdrawn": _l("recorded that a person withdrew a consent"),
    "privacy.due": _l("found people who are due for erasing"),
    "privacy.rule": _l("changed how long personal data is kept"),
    "keys.rotate": _l("changed to another data key"),
    "program_year.enable": _l("enabled a program year"),
    "program_year.settings": _l("changed the settings of a year"),
    "program_year.dates": _l("changed the dates of a year"),
    "program_year.disable": _l("disabled a program year"),
    "program_year.close": _l("closed a program year"),
    "program_year.copy": _l("copied a program year"),
    "run.create": _l("made a run"),
    "run.compute": _l("had a run computed"),
    "run.notice": _l("began a public notice"),
    "run.object": _l("held a payee back"),
    "run.submit": _l("submitted a run"),
    "run.withdraw": _l("took a run back"),
    "run.approve": _l("approved a run"),
    "run.return": _l("returned a run"),
    "run.post": _l("posted a run"),
    "run.bank_files": _l("had bank files written"),
    "run.download": _l("downloaded a bank file"),
    "run.faults": _l("downloaded the faults of a return file"),
    "run.sign_list": _l("opened a list to sign"),
    "run.cancel": _l("cancelled a run"),
    "run.return_file": _l("sent a return file in"),
    "run.results": _l("took results of payments over"),
    "run.settle": _l("settled a run"),
    "run.set_aside": _l("set payments with changed accounts aside"),
    "run.follow_up": _l("made a follow-up run"),
    "run.hand_out": _l("recorded what was handed out"),
    "run.hand_out_confirm": _l("confirmed what was handed out"),
    "org.account": _l("changed a union's bank account"),
    "statement.upload": _l("took a bank statement in"),
    "statement.match": _l("matched a line of a bank statement"),
    "statement.undo": _l("took a match with a bank statement back"),
    "approval_rule.add": _l("added a rule of approval"),
    "approval_rule.change": _l("changed a rule of approval"),
    "approval_rule.remove": _l("removed a rule of approval"),
    "approval_rule.copy": _l("copied a rule of approval"),
    "notice.post": _l("posted a public notice"),
    "notice.withdraw": _l("withdrew a public notice"),
    "notice.object": _l("recorded an objection"),
    "notice.decide": _l("decided on an objection"),
    "notice.contact_shown": _l("saw the phone number of whoever objects"),
    "calendar.set": _l("set a working day or a holiday"),
    "ledger.allot": _l("allotted funds"),
    "ledger.fund": _l("booked own funds"),
    "ledger.post": _l("posted an entry"),
    "ledger.reverse": _l("reversed an entry"),
    "ledger.spend": _l("spent money of a budget"),
    "ledger.hold": _l("held money of a budget"),
    "ledger.settle": _l("settled a hold"),
    "ledger.void": _l("gave back a hold"),
    "ledger.expire": _l("gave back a hold that ran out"),
    "ledger.start_closing": _l("began to close a period"),
    "ledger.cancel_closing": _l("stopped closing a period"),
    "ledger.close": _l("closed a period"),
    "ledger.ask_reopening": _l("asked to open a period again"),
    "ledger.reopen": _l("opened a period again"),
    "ledger.lock": _l("closed a period for good"),
    "ledger.close_account": _l("closed an account of the books"),
    "ledger.download": _l("downloaded a statement of the books"),
    "ledger.take_back": _l("took funds back"),
    "ledger.record": _l("wrote a line of the work ledger"),
    "register.add": _l("added an entry to a register"),
    "register.change": _l("changed an entry of a register"),
    "register.take": _l("took entries over from another program"),
    "register.remove": _l("removed an entry from a register"),
    "register.entry_shown": _l("opened an entry about a person"),
    "list.search": _l("searched a list of people"),
    "list.find": _l("looked for an identity number"),
    "export.ask": _l("asked for an export"),
    "export.download": _l("downloaded an export"),
    "import.upload": _l("uploaded a file for a register"),
    "import.columns": _l("said what the columns of an import are"),
    "import.faults": _l("downloaded the faulty rows of an import"),
    "import.merge": _l("had a file merged into a register"),
    "import.merged": _l("merged a file into a register"),
    "import.cancel": _l("cancelled an import"),
    "import.undo": _l("took an import back"),
    "file.attach": _l("attached a file"),
    "file.download": _l("downloaded a file"),
    "file.remove": _l("removed a file"),
    "flow.move": _l("took a step with an entry"),
    "flow.batch": _l("took a step with many entries"),
    "report.download": _l("downloaded a report"),
    "task.urge": _l("urged what is overdue"),
    "job.retry": _l("asked for a job again"),
    "job.cancel": _l("cancelled a job"),
}


def action_title(action: str) -> str:
    """What an action of the audit trail is called; one of a plugin reads as its code."""
    return str(ACTIONS.get(action, action))
