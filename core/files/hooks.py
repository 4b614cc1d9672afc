"""What files answer beside the plugins: when people become one, are looked up or erased; and the core's own scanner."""

import secrets
from typing import IO

from flask_babel import gettext as _
from sqlalchemy import Text, cast, func, select, update

from core.audit.services import SYSTEM
from core.config import settings_of
from core.extensions import db
from core.files import queries
from core.files.models import File
from core.files.scanning import scan_with_clamd
from core.files.services import withdraw
from core.people.models import Person
from core.people.personal import ERASED_NAME
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import registry_of
from core.plugin.types import PersonalDataAction, PersonalRecord, Register
from core.programs.models import ProgramYear
from core.registers.queries import belongs
from core.web.filters import local_day


@hookimpl
def scan_file(content: IO[bytes]) -> str | None:
    """What clamd finds, where the installation has one."""
    address = settings_of().clamd
    return scan_with_clamd(address, content) if address else None


@hookimpl(tryfirst=True)  # the typed front asks those last: the plugins have moved or removed their rows by then
def person_merged(kept: Person, dropped: Person) -> None:
    """The files are about ``kept`` from now on; where the entry of ``dropped`` went, they go to that of ``kept``."""
    db.session.flush()
    for register in registry_of().registers.values():
        if register.of_people:
            for file in queries.left_alone(register, File.person_id == dropped.id):
                _follow(register, kept, file)
    db.session.flush()
    db.session.execute(update(File).where(File.person_id == dropped.id).values(person_id=kept.id))


@hookimpl(tryfirst=True)  # as above
def person_moved(person: Person) -> None:
    """The files of an entry lie where the entry lies."""
    for register in registry_of().registers.values():
        if register.of_people:
            entry = register.model
            subject = func.concat(f"{register.code}:", cast(entry.id, Text))
            mine = (File.person_id == person.id, File.subject == subject, File.org_id != entry.org_id)
            place = {"org_id": entry.org_id, "org_path": entry.org_path}
            db.session.execute(update(File).where(*mine).values(place).execution_options(synchronize_session=False))


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The names of the files of entries about the person; erasing takes names and contents away."""
    files = queries.files_about(person.id)
    records = [_shown(file) for file in files]
    if action == "erase":
        withdraw(SYSTEM, [file for file in files if file.removed_at is None])
        for file in files:
            file.name, file.digest = ERASED_NAME, secrets.token_bytes(32)
        db.session.flush()
    return records


def _follow(register: Register, kept: Person, file: File) -> None:
    """Give the file to the entry of ``kept`` in the same year, or of the same sponsor, unless it has it already."""
    model, program_year = register.model, db.session.get(ProgramYear, file.program_year_id)
    if program_year is None:
        return
    same = belongs(register, program_year)
    row = db.session.scalars(select(model).where(model.person_id == kept.id, *same).order_by(model.id)).first()
    if row is None or any(other.digest == file.digest for other in queries.files_of(f"{register.code}:{row.id}")):
        return
    file.subject, file.org_id, file.org_path = f"{register.code}:{row.id}", row.org_id, row.org_path
    db.session.flush()


def _shown(file: File) -> PersonalRecord:
    register = registry_of().registers.get(file.subject.partition(":")[0])
    values = {
        _("File"): file.name,
        _("Register"): str(register.title) if register else file.subject,
        _("Uploaded on"): local_day(file.created_at),
    }
    if file.removed_at is not None:
        values[_("Removed on")] = local_day(file.removed_at)
    return PersonalRecord(title=_("Attachment"), values=values)
