"""The hooks that a plugin may implement in its ``plugin.py``. Hooks return data; none gets the app."""

from collections.abc import Mapping
from pathlib import Path
from typing import IO

import click
import pluggy
from flask import Blueprint

from core.org.models import Org
from core.people.models import Person
from core.plugin.types import (
    BankFormat,
    Blocker,
    Card,
    Copied,
    EntryKind,
    JobSpec,
    MenuItem,
    Offer,
    Permission,
    PersonalDataAction,
    PersonalRecord,
    Program,
    Register,
    Report,
    Scheme,
)
from core.programs.models import ProgramYear
from core.users.models import User

PROJECT = "zhijia"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def programs() -> list[Program]:  # type: ignore[empty-body]
    """The programs that the plugin adds."""


@hookspec
def blueprints() -> Mapping[str, Blueprint]:  # type: ignore[empty-body]
    """Program code -> blueprint, named as the plugin; mounted under ``/<year>/<sponsor>/<program>``."""


@hookspec
def permissions() -> list[Permission]:  # type: ignore[empty-body]
    """The permissions that the plugin adds, ``<plugin>.<what>``."""


@hookspec
def registers() -> list[Register]:  # type: ignore[empty-body]
    """The registers, ``<plugin>.<what>``; the core makes their pages."""


@hookspec
def jobs() -> list[JobSpec]:  # type: ignore[empty-body]
    """The background jobs, ``<plugin>.<what>``."""


@hookspec
def schemes() -> list[Scheme]:  # type: ignore[empty-body]
    """The disbursement schemes, ``<plugin>.<what>``."""


@hookspec
def entry_kinds() -> list[EntryKind]:  # type: ignore[empty-body]
    """What the plugin may post to the fund ledger, ``<plugin>.<what>``."""


@hookspec
def reports() -> list[Report]:  # type: ignore[empty-body]
    """The reports, ``<plugin>.<what>``; the core shows them and lets them be downloaded."""


@hookspec
def bank_formats() -> list[BankFormat]:  # type: ignore[empty-body]
    """Layouts that banks take payments in, ``<plugin>.<what>``; the settings of a year choose among them."""


@hookspec
def offers() -> list[Offer]:  # type: ignore[empty-body]
    """Rows that other programs of the same year and sponsor may read, ``<plugin>.<what>``."""


@hookspec
def commands() -> list[click.Command]:  # type: ignore[empty-body]
    """Commands of the plugin, shown as ``zhijia <plugin> <command>``."""


@hookspec
def migrations() -> Path:  # type: ignore[empty-body]
    """The folder with the plugin's revisions."""


@hookspec
def menu_items(user: User, program_year: ProgramYear) -> list[MenuItem]:  # type: ignore[empty-body]
    """Links in the menu of a program year."""


@hookspec
def dashboard_cards(user: User, program_year: ProgramYear) -> list[Card]:  # type: ignore[empty-body]
    """Figures on the page of a program year."""


@hookspec
def year_enabled(program_year: ProgramYear) -> None:
    """A year is switched on, for the first time or again: make the rows that it begins with (idempotent)."""


@hookspec
def year_copied(source: ProgramYear, target: ProgramYear) -> list[Copied]:  # type: ignore[empty-body]
    """Take settings and quotas of the plugin's own tables over into a new year, never people."""


@hookspec
def year_blockers(program_year: ProgramYear) -> list[Blocker]:  # type: ignore[empty-body]
    """Why the year cannot be opened or closed yet."""


@hookspec
def person_merged(kept: Person, dropped: Person) -> None:
    """Two files turned out to be one person: move what points at ``dropped``, in past years too."""


@hookspec
def person_moved(person: Person, org: Org) -> None:
    """``org`` answers for the person from now on: let follow what goes along, or refuse."""


@hookspec
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:  # type: ignore[empty-body]
    """What the plugin keeps about a person, to show it, or (``erase``) after it was made unreadable."""


@hookspec
def scan_file(content: IO[bytes], name: str) -> str | None:
    """Why a file that is uploaded must not be taken (a virus by its name); none when nothing was found."""
