"""The public contract: the only module of the core that a plugin imports. Re-exports, nothing else.

What is in ``__all__`` stays; a removal is announced for a year with a ``DeprecationWarning``.
"""

from core.audit.services import SYSTEM, Actor, record
from core.config import LOCAL_ZONE
from core.database import TYPES, BigId, CreatedAt, Fen, OrgPath, metadata, org_reference
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.jobs.context import JobContext
from core.jobs.services import enqueue
from core.money import parse_yuan, split_by_weight, yuan
from core.notices.calendar import add_working_days, calendar_known, is_working_day
from core.org.models import LEVELS, Org
from core.org.queries import by_code
from core.org.scope import Scope, subtree
from core.people.models import Person
from core.people.numbers import (
    mask_account,
    mask_id,
    mask_name,
    mask_phone,
    parse_bank_account,
    parse_id_number,
    parse_phone,
)
from core.people.secrets import decrypt, digest, encrypt
from core.people.services import PersonRow, Registered, register_people
from core.plugin.gate import current_program_year
from core.plugin.hookspecs import hookimpl
from core.plugin.types import (
    Blocker,
    Card,
    EntryKind,
    JobSpec,
    MenuItem,
    Permission,
    Program,
    Scheme,
    SchemeContext,
)
from core.programs.forms import ProgramSettingsForm, YuanField, settings_from
from core.programs.models import ProgramYear
from core.programs.queries import find, sponsor_code, state_of
from core.users.access import can, require, scope_of
from core.users.models import User
from core.web.forms import Form, options
from core.web.guard import me

__all__ = [
    "LEVELS",
    "LOCAL_ZONE",
    "SYSTEM",
    "TYPES",
    "Actor",
    "BigId",
    "Blocker",
    "Card",
    "CreatedAt",
    "EntryKind",
    "Fen",
    "Forbidden",
    "Form",
    "JobContext",
    "JobSpec",
    "MenuItem",
    "NotFound",
    "Org",
    "OrgPath",
    "Permission",
    "Person",
    "PersonRow",
    "Program",
    "ProgramSettingsForm",
    "ProgramYear",
    "Refused",
    "Registered",
    "Scheme",
    "SchemeContext",
    "Scope",
    "User",
    "YuanField",
    "ZhijiaError",
    "add_working_days",
    "by_code",
    "calendar_known",
    "can",
    "current_program_year",
    "db",
    "decrypt",
    "digest",
    "encrypt",
    "enqueue",
    "find",
    "hookimpl",
    "is_working_day",
    "mask_account",
    "mask_id",
    "mask_name",
    "mask_phone",
    "me",
    "metadata",
    "options",
    "org_reference",
    "parse_bank_account",
    "parse_id_number",
    "parse_phone",
    "parse_yuan",
    "record",
    "register_people",
    "require",
    "scope_of",
    "settings_from",
    "split_by_weight",
    "sponsor_code",
    "state_of",
    "subtree",
    "yuan",
]
