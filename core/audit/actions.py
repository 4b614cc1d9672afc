"""What the actions of the audit trail are about, for filters: their groups, and which are looks at personal data."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

#: The first word of an action -> what it is about; what is not here is a program's own.
GROUPS: dict[str, LazyString] = {
    "user": _l("Users and roles"),
    "people": _l("People on file"),
    "list": _l("Searches"),
    "export": _l("Exports"),
    "report": _l("Reports"),
    "file": _l("Attachments"),
    "import": _l("Imports"),
    "register": _l("Registers"),
    "flow": _l("Steps of review"),
    "notice": _l("Public notices"),
    "program_year": _l("Program years"),
    "run": _l("Disbursement runs"),
    "approval_rule": _l("Rules of approval"),
    "statement": _l("Bank statements"),
    "ledger": _l("Books and budgets"),
    "org": _l("Union organisations"),
    "privacy": _l("Protection of personal data"),
    "keys": _l("Data keys"),
    "calendar": _l("Working days"),
    "task": _l("Tasks"),
    "job": _l("Background jobs"),
    "hardship": _l("Workers in hardship"),
    "visit": _l("Visits and what they brought"),
    "stock": _l("Goods in stock"),
    "study_aid": _l("Study aid"),
}
OTHER = "other"
#: Somebody saw personal data: a file, a number in full, a list to sign, a document.
LOOKS = frozenset(
    {
        "people.file_shown",
        "people.numbers_shown",
        "people.data_shown",
        "register.entry_shown",
        "notice.contact_shown",
        "run.sign_list",
    }
)
#: Somebody took a file away.
TAKEN = frozenset(
    {
        "export.download",
        "file.download",
        "report.download",
        "ledger.download",
        "run.download",
        "run.faults",
        "import.faults",
    }
)
SEARCHED = frozenset({"list.search", "list.find"})
KINDS: dict[str, LazyString] = {
    "look": _l("Personal data was looked at"),
    "search": _l("People were searched for"),
    "take": _l("A file was taken"),
    "change": _l("Something was done"),
}
