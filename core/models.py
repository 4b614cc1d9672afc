"""Imports every core model, so that the metadata is complete for migrations and mappers."""

from core.audit import models as audit
from core.disbursements import models as disbursements
from core.disbursements.banking import models as banking
from core.exports import models as exports
from core.files import models as files
from core.flows import models as flows
from core.imports import models as imports
from core.jobs import models as jobs
from core.keys import models as keys
from core.ledger import models as ledger
from core.lists import models as lists
from core.notices import models as notices
from core.org import models as org
from core.people import models as people
from core.privacy import models as privacy
from core.programs import models as programs
from core.registers import models as registers
from core.tasks import models as tasks
from core.users import models as users

__all__ = [
    "audit",
    "banking",
    "disbursements",
    "exports",
    "files",
    "flows",
    "imports",
    "jobs",
    "keys",
    "ledger",
    "lists",
    "notices",
    "org",
    "people",
    "privacy",
    "programs",
    "registers",
    "tasks",
    "users",
]
