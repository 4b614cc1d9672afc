"""What imports answer beside the plugins: when somebody is looked up or erased, and when a year is to be closed."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select, update

from core.errors import Refused
from core.extensions import db
from core.imports.models import UNFINISHED, Import, ImportRow
from core.people.models import Person
from core.plugin.hookspecs import hookimpl
from core.plugin.types import Blocker, PersonalDataAction, PersonalRecord
from core.programs.models import ProgramYear
from core.web.labels import label_of


@hookimpl
def year_blockers(program_year: ProgramYear) -> list[Blocker]:
    """Files that nobody dealt with block the closing."""
    unfinished = Import.state.in_(UNFINISHED) & (Import.program_year_id == program_year.id)
    count = db.session.scalars(select(func.count()).select_from(Import).where(unfinished)).one()
    if not count:
        return []
    sentence = ngettext(
        "%(num)d uploaded file is neither merged into its register nor cancelled.",
        "%(num)d uploaded files are neither merged into their registers nor cancelled.",
        count,
    )
    return [Blocker(step="close", sentence=sentence)]


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """The lines of uploaded files with the person's number. Erasing blanks them, once no file waits to be merged."""
    lines = db.session.execute(
        select(Import, ImportRow.line)
        .join(ImportRow, ImportRow.import_id == Import.id)
        .where(ImportRow.id_number_digest == person.id_number_digest)
        .order_by(Import.id.desc(), ImportRow.line)
    ).all()
    if action == "erase":
        _blank(person, [one for one, _line in lines])
    return [
        PersonalRecord(
            title=_("Uploaded files"),
            values={
                _("File"): one.file_name,
                _("Line"): str(line),
                _("State"): str(label_of("import", one.state).title),
            },
        )
        for one, line in lines
    ]


def _blank(person: Person, imports: list[Import]) -> None:
    """The lines that were wrong stay countable, without what they said."""
    waiting = next((one for one in imports if one.state in UNFINISHED), None)
    if waiting is not None:
        raise Refused(
            _(
                "%(person)s stands in the uploaded file “%(file)s”; merge it or cancel it first.",
                person=person.name,
                file=waiting.file_name,
            )
        )
    mine = ImportRow.id_number_digest == person.id_number_digest
    blank: dict[str, Any] = {"values": {}, "secret": None, "id_number_digest": None, "id_number_tail": ""}
    db.session.execute(update(ImportRow).where(mine).values(**blank))
