"""The rules that a plugin's answers must keep, each a sentence. Nothing here changes anything."""

import re
import struct
from collections import Counter
from collections.abc import Iterable
from gettext import GNUTranslations
from pathlib import Path

import click
from flask import Blueprint
from sqlalchemy import inspect
from sqlalchemy.orm import Mapper

from core.errors import ConfigError
from core.plugin.check_flows import check_flow
from core.plugin.check_pages import check_pages
from core.plugin.types import (
    OFFERED,
    BankFormat,
    EntryKind,
    JobSpec,
    Offer,
    Permission,
    Plugin,
    Program,
    Register,
    Report,
    Scheme,
)
from core.registers.records import OrgRecordForm, PersonRecordForm
from core.users.roles import PERMISSIONS, ROLES
from core.web.forms import Form

NAME = re.compile(r"[a-z][a-z0-9_]*[a-z0-9]")
#: What a bank format and its extension become a part of.
FILE_NAME = re.compile(r"[a-z0-9_.]+\.[a-z0-9]{1,8}")
#: What areas of the core call their pages, permissions, jobs, commands and tables; a plugin of such a name would take
#: them for its own.
TAKEN = frozenset({
    "accounts", "approvals", "audit", "budget", "calendar", "core", "db", "disbursements", "exports", "files",
    "flow", "flows", "home", "imports", "inbox", "job", "jobs", "keys", "ledger", "lists", "notice", "notices",
    "objections", "org", "orgs", "people", "plugin", "plugins", "privacy", "program", "programs", "ready",
    "register", "registers", "report", "reports", "run", "runs", "second_factor", "services", "statements",
    "static", "task", "tasks", "user", "users", "users_admin", "users_import", "verify", "years", "zhijia",
})  # fmt: skip
#: Columns that the core puts into the list of a register.
OF_EVERY_LIST = frozenset({"org", "person", "id_number"})
_LISTS: dict[str, type] = {
    "programs": Program,
    "permissions": Permission,
    "registers": Register,
    "jobs": JobSpec,
    "schemes": Scheme,
    "entry_kinds": EntryKind,
    "reports": Report,
    "bank_formats": BankFormat,
    "offers": Offer,
    "commands": click.Command,
}


def check_plugin(plugin: Plugin) -> None:
    """Check one plugin by itself. Raises :class:`ConfigError` with the first thing that is wrong."""
    check_name(plugin.name)
    _check_types(plugin)
    _check_codes(plugin)
    _check_permissions(plugin)
    own = {program.code for program in plugin.programs}
    for job in plugin.jobs:
        _check_job(job, own)
    _check_schemes(plugin, own)
    for register in plugin.registers:
        _check_register(register, own)
        check_flow(register, plugin, _known_permissions(plugin))
    for report in plugin.reports:
        if report.program not in own:
            raise ConfigError(f"The report {report.code!r} names the program {report.program!r}, which is not its own.")
        if report.code in {register.code for register in plugin.registers}:
            raise ConfigError(f"The report {report.code!r} has the code of a register, which has a report by itself.")
    for offer in plugin.offers:
        if offer.program not in own:
            raise ConfigError(f"The offer {offer.code!r} names the program {offer.program!r}, which is not its own.")
        if offer.kind not in OFFERED:
            raise ConfigError(
                f"The offer {offer.code!r} is of the kind {offer.kind!r}; there are {', '.join(OFFERED)}."
            )
    for layout in plugin.bank_formats:
        if not FILE_NAME.fullmatch(f"{layout.code}.{layout.extension}"):
            raise ConfigError(f"The bank format {layout.code!r} cannot be a file's name; small letters, digits, _ can.")
    check_pages(plugin)
    if plugin.migrations is not None and not plugin.migrations.is_dir():
        raise ConfigError(f"The folder of migrations {plugin.migrations} does not exist.")


def _check_schemes(plugin: Plugin, own: set[str]) -> None:
    kinds = {kind.code for kind in plugin.entry_kinds}
    payees: dict[tuple[str, str], str] = {}
    for scheme in plugin.schemes:
        if scheme.program not in own:
            raise ConfigError(f"The scheme {scheme.code!r} names the program {scheme.program!r}, which is not its own.")
        if scheme.entry_kind not in kinds:
            raise ConfigError(f"The scheme {scheme.code!r} posts {scheme.entry_kind!r}, which is not an entry kind.")
        # The ids of people and of unions are told apart by the item.
        if payees.setdefault((scheme.program, scheme.item), scheme.payees) != scheme.payees:
            raise ConfigError(f"The item {scheme.item!r} is paid to people by one scheme and to unions by another.")


def check_name(name: str) -> None:
    """Raises :class:`ConfigError` when no plugin can be called this."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot be a plugin's name; small letters, digits and _ can.")
    if name in TAKEN or name.startswith("core_"):
        raise ConfigError(f"{name!r} cannot be a plugin's name; the core uses it itself.")


def check_catalogues(module: object) -> None:
    """Read the translations that lie beside the plugin, as every page will. Raises :class:`ConfigError`."""
    file = getattr(module, "__file__", None)
    for catalogue in sorted(Path(file).parent.glob("translations/*/LC_MESSAGES/*.mo")) if file else []:
        try:
            with catalogue.open("rb") as handle:
                GNUTranslations(handle)
        except (OSError, ValueError, LookupError, struct.error) as error:
            raise ConfigError(f"The catalogue {catalogue} cannot be read; compile it again.") from error


def _check_types(plugin: Plugin) -> None:
    for hook, kind in _LISTS.items():
        answer = getattr(plugin, hook)
        if not isinstance(answer, list) or not all(isinstance(item, kind) for item in answer):
            raise ConfigError(f"The hook {hook} must return a list of {kind.__name__}.")
    if not isinstance(plugin.blueprints, dict) or not all(
        isinstance(item, Blueprint) for item in plugin.blueprints.values()
    ):
        raise ConfigError("The hook blueprints must return a dict from program code to Blueprint.")
    if plugin.migrations is not None and not isinstance(plugin.migrations, Path):
        raise ConfigError("The hook migrations must return a Path.")


def _check_codes(plugin: Plugin) -> None:
    for program in plugin.programs:
        if not NAME.fullmatch(program.code):
            raise ConfigError(f"{program.code!r} cannot be a program code; small letters, digits and _ can.")
        form = program.settings_form
        if form is not None and not (isinstance(form, type) and issubclass(form, Form)):
            raise ConfigError(f"The settings form of {program.code!r} must be a class on core.api's Form.")
    kinds: tuple[Iterable[str], ...] = (
        [item.code for item in plugin.permissions],
        [item.name for item in plugin.jobs],
        [item.code for item in plugin.schemes],
        [item.code for item in plugin.entry_kinds],
        [item.code for item in plugin.registers],
        [item.code for item in plugin.reports],
        [item.code for item in plugin.bank_formats],
        [item.code for item in plugin.offers],
    )
    for codes in kinds:
        for code in codes:
            if not code.startswith(f"{plugin.name}."):
                raise ConfigError(f"{code!r} must begin with {plugin.name + '.'!r}.")
    for codes in (*kinds, [program.code for program in plugin.programs]):
        for code, count in Counter(codes).items():
            if count > 1:
                raise ConfigError(f"{code!r} is given twice.")


def _check_permissions(plugin: Plugin) -> None:
    for permission in plugin.permissions:
        for role in permission.roles:
            if role not in ROLES:
                raise ConfigError(f"The permission {permission.code!r} names the role {role!r}, which does not exist.")
    known = _known_permissions(plugin)
    asked = [(f"program {program.code!r}", program.view_permission) for program in plugin.programs]
    asked += [(f"register {register.code!r}", register.view_permission) for register in plugin.registers]
    asked += [(f"register {register.code!r}", register.edit_permission) for register in plugin.registers]
    asked += [(f"report {report.code!r}", report.permission) for report in plugin.reports]
    for who, permission_code in asked:
        if permission_code not in known:
            raise ConfigError(f"The {who} asks for {permission_code!r}, which nobody defines.")


def _known_permissions(plugin: Plugin) -> set[str]:
    return {permission.code for permission in (*PERMISSIONS, *plugin.permissions)}


def _check_job(job: JobSpec, own: set[str]) -> None:
    if job.program is not None and job.program not in own:
        raise ConfigError(f"The job {job.name!r} names the program {job.program!r}, which is not its own.")


def _check_register(register: Register, own: set[str]) -> None:
    """Its program is the plugin's own; its model has what the core's pages read, and every column that it names."""
    which = f"The register {register.code!r}"
    if register.program not in own:
        raise ConfigError(f"{which} names the program {register.program!r}, which is not its own.")
    if not (isinstance(register.form, type) and issubclass(register.form, (PersonRecordForm, OrgRecordForm))):
        raise ConfigError(f"{which} needs a form that is a class on PersonRecordForm or OrgRecordForm.")
    mapper = inspect(register.model, raiseerr=False)
    if not isinstance(mapper, Mapper):
        raise ConfigError(f"{which} needs a model that is a mapped class.")
    there = set(mapper.column_attrs.keys())
    for needed in ("id", "org_id", "org_path", *(("person_id",) if register.of_people else ())):
        if needed not in there:
            raise ConfigError(f"The model of {register.code!r} lacks the column {needed!r}.")
    if not {"program_year_id", "sponsor_id"} & there:
        raise ConfigError(f"The model of {register.code!r} needs a column 'program_year_id' or 'sponsor_id'.")
    for column in register.columns:
        if column.name in OF_EVERY_LIST:
            raise ConfigError(f"{which} has the column {column.name!r}, which every list has by itself.")
        if column.name not in there and column.expression is None:
            raise ConfigError(f"{which} shows the column {column.name!r}, which its model lacks.")
    for name in dir(register.form):
        if hasattr(getattr(register.form, name), "_formfield") and name not in (*register.form.whose, *there):
            raise ConfigError(f"The form of {register.code!r} has the field {name!r}, which its model lacks.")
