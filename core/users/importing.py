"""Users from a list (xlsx or CSV): all of it, or nothing and what is wrong in which line.

One line is one user with one role; further lines of the same user name add roles. Each new user gets a first password,
which is told once and kept nowhere but as its hash.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.audit.services import Actor, record
from core.errors import ZhijiaError
from core.extensions import db
from core.imports.cells import plain_day
from core.imports.fields import check_columns, field_of, matched, plain
from core.org.models import Org
from core.org.queries import by_code
from core.org.scope import shared_path
from core.plugin.registry import registry_of
from core.registers.sheets import Row, Source, read_rows
from core.users.login import normalise
from core.users.models import User
from core.users.passwords import random_password
from core.users.roles import ROLES
from core.users.services import GrantRequest, add_grant, add_user, give_first_password

#: Lines of one list: each first password is hashed at a cost, while somebody waits for the page.
MOST = 300
#: Faults that are told of at once.
TOLD = 100
COLUMNS = (
    ("username", _l("User name"), True),
    ("name", _l("Name"), True),
    ("org_code", _l("Code of the organisation"), True),
    ("role", _l("Role"), False),
    ("program", _l("Program"), False),
    ("until", _l("Until (inclusive)"), False),
)


class Fault(NamedTuple):
    """What is wrong in a line of the list, counted as Excel does."""

    line: int
    sentence: str


class NewUser(NamedTuple):
    """A user who was added, with the union's name and the first password."""

    user: User
    org: str
    password: str


class FaultyList(ZhijiaError):
    """The list has faults; nothing of it was taken."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(_("Nothing was added; lines with faults: %(count)s.", count=len(faults)), field="file")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list as it was typed."""

    number: int
    values: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def read_list(source: Source, file_name: str) -> list[Line]:
    """The lines of a list. Raises :class:`ZhijiaError` for a file that is no such list, or too long a one."""
    rows = read_rows(source, file_name)
    heading = next(rows, None)
    fields = [field_of(name, title, required) for name, title, required in COLUMNS]
    columns = matched(heading.values, fields, {}) if heading else []
    check_columns(columns, fields)
    lines = list(_lines(rows, columns))
    if not lines:
        raise ZhijiaError(_("The list has no lines."))
    return lines


def _lines(rows: Iterable[Row], columns: list[str | None]) -> Iterator[Line]:
    for count, row in enumerate(rows, start=1):
        if count > MOST:
            raise ZhijiaError(_("A list has at most %(count)s lines; divide it.", count=MOST))
        values = {name: value.strip() for name, value in zip(columns, row.values, strict=False) if name}
        yield Line(row.line, values)


def import_users(actor: Actor, lines: list[Line]) -> list[NewUser]:
    """Add everybody of the list, each with a first password. Raises :class:`FaultyList` and adds nobody."""
    added: dict[str, tuple[User, Org]] = {}
    faults = []
    for line in lines:
        try:
            with db.session.begin_nested():
                _take(actor, line, added)
        except ZhijiaError as error:
            faults.append(Fault(line.number, str(error)))
    if faults:
        db.session.rollback()
        raise FaultyList(faults)
    new = []
    for user, org in added.values():
        password = random_password()
        give_first_password(user, password)
        new.append(NewUser(user, org.name, password))
    top = shared_path(user.org_path for user, _org in added.values())
    record(actor, "user.import", "users", top, users=len(new))
    db.session.commit()
    return new


def _take(actor: Actor, line: Line, added: dict[str, tuple[User, Org]]) -> None:
    username, org = normalise(line["username"]), _org(line["org_code"])
    grant = _grant(line, org)
    if username not in added:
        user = add_user(actor, username, line["name"], None, org, [grant] if grant else [])
        added[username] = user, org
        return
    user, _first = added[username]
    if user.name != line["name"]:
        raise ZhijiaError(_("The user name “%(name)s” stands for somebody else in a line above.", name=username))
    if grant is None:
        raise ZhijiaError(_("This user stands in a line above already; a further line names another role."))
    add_grant(actor, user, grant)


def _org(code: str) -> Org:
    org = by_code(code) if code else None
    if org is None:
        raise ZhijiaError(_("There is no organisation with the code “%(code)s” here.", code=code))
    return org


def _grant(line: Line, org: Org) -> GrantRequest | None:
    if not line["role"]:
        return None
    programs = {code: program.title for code, program in registry_of().programs.items()}
    role = _code_of(line["role"], ROLES)
    program = _code_of(line["program"], programs) if line["program"] else None
    return GrantRequest(role=role, org=org, program=program, until=_day(line["until"]))


def _code_of(text: str, titles: Mapping[str, object]) -> str:
    """A code as it is, or the code that a title stands for; another text as it is, to be refused by name."""
    return next((code for code, title in titles.items() if plain(text) in (plain(code), plain(str(title)))), text)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(plain_day(text))
    except ValueError as error:
        raise ZhijiaError(_("“%(text)s” is not a day.", text=text)) from error
