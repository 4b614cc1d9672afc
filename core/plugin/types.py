"""What plugins hand to the core: frozen, keyword-only, checked by the registry. Titles are lazy strings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click
from croniter import croniter
from flask import Blueprint
from sqlalchemy import ColumnElement, Select

from core.errors import ConfigError
from core.lists.types import Column, Text
from core.org.scope import Scope
from core.plugin.flow import Flow
from core.programs.models import ProgramYear
from core.registers.records import NewPersonRecordForm, OrgRecordForm, PersonRecordForm
from core.web.forms import Form

#: The queues a job can wait in; a worker serves money first unless told otherwise.
QUEUES = ("money", "default", "bulk")


@dataclass(frozen=True, kw_only=True)
class Program:
    """A kind of work that a plugin adds. ``settings_form`` makes the settings of a year; its data are JSON values.

    ``view_permission`` decides who sees its years. ``requires`` are the programs that must be loaded beside it.
    """

    code: str
    title: Text
    title_zh: str
    title_en: str
    requires: tuple[str, ...] = ()
    settings_form: type[Form] | None = None
    view_permission: str = "program.view"


@dataclass(frozen=True, kw_only=True)
class Permission:
    """Something that a role may allow. ``roles`` are the roles that hold it."""

    code: str
    title: Text
    roles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class JobSpec:
    """A named function that a worker runs: ``func(context, **args)``.

    ``schedule`` is a cron line in Asia/Shanghai; a program's schedule comes due for each of its enabled years in turn.
    ``program`` names the program whose year must be on when the job runs. ``patience`` is the time limit in seconds.
    Whoever asked for a job is told in the inbox when it fails for good, unless ``tells`` is off as its area does so.
    It sees what whoever asked for it sees, one of a schedule what lies below the sponsor; one that must see everything
    says in ``sees_all`` why.
    A job may run again after a crash, so it must find its own place (be idempotent). Raises :class:`ConfigError`.
    """

    name: str
    title: Text
    func: Callable[..., None]
    queue: str = "default"
    program: str | None = None
    schedule: str | None = None
    max_attempts: int = 3
    patience: int = 3600
    tells: bool = True
    sees_all: str = ""

    def __post_init__(self) -> None:
        if self.queue not in QUEUES:
            raise ConfigError(f"The job {self.name!r} names the queue {self.queue!r}; there are {', '.join(QUEUES)}.")
        if self.schedule is not None and not croniter.is_valid(self.schedule):
            raise ConfigError(f"The job {self.name!r} has the schedule {self.schedule!r}, which is no cron line.")


@dataclass(frozen=True, kw_only=True)
class SchemeContext:
    """What a scheme computes with: the run, its program year, the pinned settings and the subtree to pay in.

    ``payees`` is who is paid, ``people`` or ``orgs``.
    """

    run_id: int
    item: str
    program_year_id: int
    year: int
    sponsor_path: str
    org_path: str
    settings: Mapping[str, Any]
    payees: str = "people"


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """A rule that says who gets how much (发放方案).

    ``select(context)`` returns a ``SELECT`` of ``payee_id, org_id, org_path, amount_fen, basis, exclude_reason``, one
    row a payee; ``exclude_reason`` is a code of ``reasons`` or null. ``entry_kind`` is what the run posts.

    ``payees`` are ``people`` (ids of persons) or ``orgs`` (ids of unions). ``form`` is ``bank``, ``cash`` or ``goods``;
    of goods the amount is what they are worth, and a further column ``quantity`` counts them. Nobody gets the same
    ``purpose`` twice in a period from any program: ``period(context)`` names it, the calendar year if there is none.
    """

    code: str
    program: str
    title: Text
    item: str
    entry_kind: str
    select: Callable[[SchemeContext], Select[Any]]
    reasons: Mapping[str, Text] = field(default_factory=dict)
    payees: Literal["people", "orgs"] = "people"
    form: Literal["bank", "cash", "goods"] = "bank"
    purpose: str | None = None
    period: Callable[[SchemeContext], str] | None = None


@dataclass(frozen=True, kw_only=True)
class EntryKind:
    """What a plugin may post to the fund ledger: the accounts debited and credited, and the entry's title.

    ``endpoint`` is the plugin's page of what an entry of this kind belongs to, which takes ``entry_id`` (of the entry,
    or of what reverses it); both ledgers lead there.
    """

    code: str
    title_zh: str
    debit: str
    credit: str
    endpoint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLine:
    """One payment in a bank file. ``reference`` (``R12-345``) names run and payee; the bank gives it back."""

    number: int
    reference: str
    name: str
    account: str
    bank_name: str
    amount_fen: int
    text: str


@dataclass(frozen=True, kw_only=True)
class BankHeader:
    """What is known of a bank file before its lines: whose it is, and its control totals.

    ``account`` and ``bank_name`` are those of the paying union, empty where none is kept. ``digest`` (64 hexadecimal
    digits) says which lines are in it; a file that carries it lets the return file be checked against it.
    ``written_at`` is UTC, ``pay_on`` a day in Asia/Shanghai.
    """

    run_id: int
    title: str
    payer: str
    payer_code: str
    account: str
    bank_name: str
    lines: int
    total_fen: int
    digest: str
    written_at: datetime
    pay_on: date


@dataclass(frozen=True, kw_only=True)
class BankFormat:
    """A layout that a bank takes payments in. ``write(lines, header)`` yields the file's bytes while it takes lines.

    ``extension`` is that of its file, without a dot. ``needs_account``: it names the account that the paying union pays
    from, so that none is written without one.
    """

    code: str
    title: Text
    extension: str
    write: Callable[[Iterator[BankLine], BankHeader], Iterator[bytes]]
    needs_account: bool = False


@dataclass(frozen=True, kw_only=True)
class MenuItem:
    """A link in the menu of a program year; ``endpoint`` is of the plugin's blueprint."""

    title: Text
    endpoint: str
    icon: str = "point"
    weight: int = 100


@dataclass(frozen=True, kw_only=True)
class Card:
    """A figure on the home page or on the page of a program year."""

    title: Text
    value: str
    unit: Text = ""
    endpoint: str | None = None
    weight: int = 100


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a row of a register must keep to that its form cannot see: rows of other tables, the program year.

    ``broken(row, program_year)`` is the condition under which the row does not keep to it, and ``sentence`` says so at
    the ``field``. ``row`` is column -> SQL of what the row is to hold: whose it is, what the form holds, and ``id``
    (null while the row is new). The same SQL is asked of one row of the form and of all rows of a file; it sees what
    lies beyond the actor's scope. Of people who only come on file with the row ``person_id`` is null.
    """

    broken: Callable[[Mapping[str, ColumnElement[Any]], ProgramYear], ColumnElement[bool]]
    sentence: Text
    field: str


@dataclass(frozen=True, kw_only=True)
class EntryLink:
    """A link on the page of an entry of a register. ``endpoint`` is a page of the program year.

    ``address(row)`` gives the values of its address, and none where there is nothing to lead to.
    """

    title: Text
    endpoint: str
    address: Callable[[Any], Mapping[str, Any] | None]
    icon: str = "point"


@dataclass(frozen=True, kw_only=True)
class Register:
    """A table with its list and its form (台账), for which the core makes every page, a report among them.

    ``model`` has ``id``, ``org_id``, ``org_path`` and either ``program_year_id`` (rows of one year) or ``sponsor_id``
    (rows that stay from year to year). ``form`` is a class on ``PersonRecordForm``, and then the model has
    ``person_id``, or on ``OrgRecordForm``; its other fields are named as the model's attributes. On
    ``NewPersonRecordForm`` whoever is unknown is taken on file first. With a ``flow`` the model is a ``FlowColumns``.

    ``stays()`` is the condition (on the model) under which a row must stay, and ``stays_because`` the sentence for it:
    such rows are neither removed nor taken back with their import. ``similar(program_year, row)`` gives one ``SELECT``
    of ids of the model for each way in which a row could be the same as one that is to come; they are shown before it
    is saved, by a form and by an import. ``row`` are columns of the model, as SQL, and of people ``person_id`` (null
    while they are not on file), ``person_name``, ``person_pinyin``, ``person_born_on``, and as typed, null otherwise,
    ``person_phone_digest`` and ``person_bank_account_digest``. A file in which more than ``import_bad_share`` of the
    rows are wrong is not merged at all. ``rules`` are what every row keeps to beside other rows. ``links`` lead from
    the page of an entry to other pages of the program. ``follows(program_year, ids)`` brings up to date what the plugin
    works out about rows that were added, changed or imported (``ids``), in one statement of the same transaction.
    """

    code: str
    program: str
    title: Text
    model: type[Any]
    form: type[PersonRecordForm] | type[OrgRecordForm]
    columns: tuple[Column, ...]
    view_permission: str
    edit_permission: str
    flow: Flow | None = None
    stays: Callable[[], ColumnElement[bool]] | None = None
    stays_because: Text = ""
    similar: Callable[[ProgramYear, Mapping[str, ColumnElement[Any]]], Sequence[Select[int]]] | None = None
    import_bad_share: float = 0.5
    rules: tuple[Rule, ...] = ()
    links: tuple[EntryLink, ...] = ()
    follows: Callable[[ProgramYear, Select[int]], None] | None = None

    @property
    def name(self) -> str:
        """The code without the plugin's name: its part of the address."""
        return self.code.partition(".")[2]

    @property
    def of_people(self) -> bool:
        """Whether its rows are about persons; else they are about unions."""
        return issubclass(self.form, PersonRecordForm)

    @property
    def names_person(self) -> bool:
        """Whether ``name`` in a row of an import is that of the person on file, and no field of the register's own."""
        return self.of_people and (self.takes_on_file or not hasattr(self.form, "name"))

    @property
    def takes_on_file(self) -> bool:
        """Whether somebody unknown is taken on file with the row."""
        return issubclass(self.form, NewPersonRecordForm)


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """What a report is asked for: a program year, and the unions that the reader may see (``scope.covers(...)``)."""

    program_year: ProgramYear
    scope: Scope


@dataclass(frozen=True, kw_only=True)
class Report:
    """Figures of a program year: measures by dimensions, added up, shown, compared and downloaded by the core.

    ``select`` gives facts, one row for each thing that counts or already in groups, with a label for each column.
    Columns that are ``number`` or ``yuan`` are measures, which the core adds up; the others are dimensions, by which
    readers group. Facts with a label ``org_path`` are rolled up by union, level by level. ``yearly`` says whether they
    are those of the year, and so can stand beside those of the year before.
    """

    code: str
    program: str
    title: Text
    permission: str
    columns: tuple[Column, ...]
    select: Callable[[ReportContext], Select[*tuple[Any, ...]]]
    yearly: bool = True

    @property
    def name(self) -> str:
        """The code without the plugin's name: its part of the address."""
        return self.code.partition(".")[2]


#: What programs may let each other read: kind -> the labels of its rows.
#: ``hardship`` are workers on file in hardship: ``category`` is deep, relative or accidental, ``cause`` a few words;
#: ``employer`` who offered jobs at a union, ``placement`` who found one.
OFFERED: Mapping[str, tuple[str, ...]] = {
    "hardship": ("person_id", "org_id", "org_path", "category", "cause"),
    "employer": ("org_id", "org_path", "name"),
    "placement": ("person_id", "org_id", "org_path"),
}


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Rows of a kind of :data:`OFFERED` that a program lets the others read, which do not import it.

    ``select(program_year)`` gives them for a year of that program, with the kind's labels; who asks keeps to a scope.
    """

    code: str
    program: str
    kind: str
    select: Callable[[ProgramYear], Select[*tuple[Any, ...]]]


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """Why a program year cannot be opened or closed yet, as a sentence that says what to do about it."""

    step: Literal["open", "close"]
    sentence: Text


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What a plugin took over from one year into another: a kind of row, and how many of it. Never people."""

    title: Text
    rows: int


@dataclass(frozen=True, kw_only=True)
class PersonalRecord:
    """One thing that a plugin keeps about a person, as people read it: a heading, and label -> value."""

    title: Text
    values: Mapping[Text, str]


#: What ``personal_data`` is asked to do.
PersonalDataAction: TypeAlias = Literal["show", "erase"]


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One plugin and everything that it answered at start."""

    name: str
    programs: list[Program]
    blueprints: Mapping[str, Blueprint]
    permissions: list[Permission]
    registers: list[Register]
    jobs: list[JobSpec]
    schemes: list[Scheme]
    entry_kinds: list[EntryKind]
    reports: list[Report]
    bank_formats: list[BankFormat]
    offers: list[Offer]
    commands: list[click.Command]
    migrations: Path | None

    @property
    def requires(self) -> set[str]:
        """The programs of others that must be loaded before it."""
        own = {program.code for program in self.programs}
        return {code for program in self.programs for code in program.requires} - own
