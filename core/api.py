"""The public contract: the only module of the core that a plugin imports. Re-exports, nothing else.

What is in ``__all__`` stays; a removal is announced for a year with a ``DeprecationWarning``.
"""

from core.audit.services import SYSTEM, Actor, record
from core.bulk import copy_rows
from core.config import LOCAL_ZONE
from core.database import (
    TYPES,
    BigId,
    CreatedAt,
    Fen,
    OrgPath,
    digest_of,
    metadata,
    of_nobody,
    of_user,
    org_reference,
    sealed,
    seen_below,
    through,
)
from core.disbursements.models import Payment, Run, RunChunk
from core.disbursements.rules import paid_before, share_pool
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.files.queries import has_files
from core.flows.models import FlowColumns
from core.jobs.context import JobContext
from core.jobs.services import enqueue
from core.ledger.allotting import Share, allot, fund_from_own, share_out
from core.ledger.booking import post, reverse
from core.ledger.budget_queries import allotments_of, budgets_of
from core.ledger.holds import Held, hold, settle, spend, void
from core.ledger.models import Allotment, BudgetLine, Entry
from core.ledger.posting import Posted, Posting
from core.ledger.queries import template_of_year
from core.ledger.services import add_activity, tell_of_entry
from core.ledger.titles import SOURCE_TITLES
from core.lists.types import Column
from core.money import parse_yuan, split_by_weight, yuan
from core.notices.calendar import add_working_days, calendar_known, is_working_day
from core.notices.queries import under_objection, was_announced
from core.org.models import LEVELS, Org
from core.org.queries import by_code
from core.org.scope import Scope, lies_below, subtree
from core.org.titles import LEVEL_TITLES
from core.people.models import Person
from core.people.moving import move_person, refuse_receiver, shown_people
from core.people.numbers import (
    mask_account,
    mask_id,
    mask_name,
    mask_phone,
    parse_bank_account,
    parse_id_number,
    parse_phone,
)
from core.people.queries import person_id_of
from core.people.secrets import decrypt, digest, encrypt
from core.people.services import PersonRow, Registered, register_people
from core.pinyin import spell_name
from core.plugin.flow import Flow, Transition, review, review_flow
from core.plugin.gate import current_program_year
from core.plugin.hooks import scan_file
from core.plugin.hookspecs import hookimpl
from core.plugin.types import (
    BankFormat,
    BankHeader,
    BankLine,
    Blocker,
    Card,
    Copied,
    EntryKind,
    EntryLink,
    JobSpec,
    MenuItem,
    Offer,
    Permission,
    PersonalDataAction,
    PersonalRecord,
    Program,
    Register,
    Report,
    ReportContext,
    Rule,
    Scheme,
    SchemeContext,
)
from core.programs.forms import ProgramSettingsForm, settings_from
from core.programs.models import ProgramYear
from core.programs.offers import offered
from core.programs.queries import find, sponsor_code, state_of
from core.registers.models import YearColumns
from core.registers.queries import is_of_sponsor
from core.registers.records import NewPersonRecordForm, OrgRecordForm, PersonRecordForm
from core.registers.sheets import read_rows, send_xlsx, write_xlsx
from core.tasks.kinds import TaskKind
from core.tasks.queries import holders
from core.tasks.services import finish_tasks, notify, open_task, open_tasks
from core.users.access import can, require, scope_of, today
from core.users.models import User
from core.web.fields import YuanField
from core.web.filters import wan
from core.web.forms import Form, OnlyIf, SignedForm, options
from core.web.guard import me, needs, prove
from core.web.sending import sent_file

__all__ = [
    "LEVELS",
    "LEVEL_TITLES",
    "LOCAL_ZONE",
    "SOURCE_TITLES",
    "SYSTEM",
    "TYPES",
    "Actor",
    "Allotment",
    "BankFormat",
    "BankHeader",
    "BankLine",
    "BigId",
    "Blocker",
    "BudgetLine",
    "Card",
    "Column",
    "Copied",
    "CreatedAt",
    "Entry",
    "EntryKind",
    "EntryLink",
    "Fen",
    "Flow",
    "FlowColumns",
    "Forbidden",
    "Form",
    "Held",
    "JobContext",
    "JobSpec",
    "MenuItem",
    "NewPersonRecordForm",
    "NotFound",
    "Offer",
    "OnlyIf",
    "Org",
    "OrgPath",
    "OrgRecordForm",
    "Payment",
    "Permission",
    "Person",
    "PersonRecordForm",
    "PersonRow",
    "PersonalDataAction",
    "PersonalRecord",
    "Posted",
    "Posting",
    "Program",
    "ProgramSettingsForm",
    "ProgramYear",
    "Refused",
    "Register",
    "Registered",
    "Report",
    "ReportContext",
    "Rule",
    "Run",
    "RunChunk",
    "Scheme",
    "SchemeContext",
    "Scope",
    "Share",
    "SignedForm",
    "TaskKind",
    "Transition",
    "User",
    "YearColumns",
    "YuanField",
    "ZhijiaError",
    "add_activity",
    "add_working_days",
    "allot",
    "allotments_of",
    "budgets_of",
    "by_code",
    "calendar_known",
    "can",
    "copy_rows",
    "current_program_year",
    "db",
    "decrypt",
    "digest",
    "digest_of",
    "encrypt",
    "enqueue",
    "find",
    "finish_tasks",
    "fund_from_own",
    "has_files",
    "hold",
    "holders",
    "hookimpl",
    "is_of_sponsor",
    "is_working_day",
    "lies_below",
    "mask_account",
    "mask_id",
    "mask_name",
    "mask_phone",
    "me",
    "metadata",
    "move_person",
    "needs",
    "notify",
    "of_nobody",
    "of_user",
    "offered",
    "open_task",
    "open_tasks",
    "options",
    "org_reference",
    "paid_before",
    "parse_bank_account",
    "parse_id_number",
    "parse_phone",
    "parse_yuan",
    "person_id_of",
    "post",
    "prove",
    "read_rows",
    "record",
    "refuse_receiver",
    "register_people",
    "require",
    "reverse",
    "review",
    "review_flow",
    "scan_file",
    "scope_of",
    "sealed",
    "seen_below",
    "send_xlsx",
    "sent_file",
    "settings_from",
    "settle",
    "share_out",
    "share_pool",
    "shown_people",
    "spell_name",
    "spend",
    "split_by_weight",
    "sponsor_code",
    "state_of",
    "subtree",
    "tell_of_entry",
    "template_of_year",
    "through",
    "today",
    "under_objection",
    "void",
    "wan",
    "was_announced",
    "write_xlsx",
    "yuan",
]
