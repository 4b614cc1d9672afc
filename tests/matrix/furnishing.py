"""All that can hang on an entry, made by people of its union: files, imports in every state, a notice, an objection."""

import io

from sqlalchemy import select

from core.api import Register, today
from core.exports import services as exports
from core.exports.sources import source_of
from core.extensions import db
from core.files import services as files
from core.files.records import record_of
from core.imports import services as imports
from core.imports.models import Import
from core.lists.queries import Asked
from core.notices import services as notices
from core.notices.models import Notice, NoticeLine
from core.notices.snapshot import columns_to_show
from core.people.purposes import Purpose
from core.users.models import User
from tests.files.conftest import picture
from tests.matrix.ways import PDF, sheet
from tests.matrix.world import Entry, World


def furnish(world: World, entry: Entry) -> None:
    """Give an entry everything; whose doing it was is somebody of its union who asks for nothing later."""
    user = world.user(entry.code, who="maker")
    _attach(entry, user)
    _upload(world, entry, user)
    _export(entry, user)
    world.run_jobs()
    notice = post(world, entry.register, [entry], user, entry.code)
    line = line_of(notice, entry)
    objection = notices.object_to(
        user, notice, line, text="不属实", raised_by="", contact="13800000000", received_on=today()
    )
    entry.ids |= {"notice": notice.id, "line": line.id, "objection": objection.id}


def _attach(entry: Entry, user: User) -> None:
    row = db.session.get_one(entry.register.model, entry.row)
    record = record_of(entry.register, entry.year, row)
    entry.ids["file"] = files.attach(user, record, "附件.pdf", io.BytesIO(PDF + str(entry.row).encode())).id
    entry.ids["picture"] = files.attach(user, record, "照片.png", io.BytesIO(picture())).id


def _upload(world: World, entry: Entry, user: User) -> None:
    register = entry.register

    def upload(state: str, text: bytes) -> int:
        one = imports.upload(user, register, entry.year, io.BytesIO(text), f"{state}.csv")
        entry.ids[state] = one.id
        return one.id

    upload("staged", sheet(world, register, entry.code, wrong="0")[1])
    upload("mapping", sheet(world, register, entry.code, extra="备忘")[1])
    for state in ("ready", "merged"):
        upload(state, sheet(world, register, world.new_union(entry.code))[1])
    merged = db.session.get_one(Import, entry.ids["merged"])
    imports.start_merge(user, merged, register, entry.year, only_good=False)


def _export(entry: Entry, user: User) -> None:
    source = source_of(user, entry.register.code, entry.year)
    asked = exports.ask(user, source, entry.year, Asked(), source.listing.columns, "csv", Purpose("report"))
    entry.ids["export"] = asked.id


def post(world: World, register: Register, entries: list[Entry], user: User, code: str) -> Notice:
    """Post a notice of entries, with every column that it can show."""
    rows = select(register.model.id).where(register.model.id.in_([entry.row for entry in entries]))
    columns = [column.name for column in columns_to_show(register)]
    draft = notices.Draft(
        org=world.org(code),
        title="公示",
        text="",
        contact="办公室",
        working_days=5,
        columns=columns,
        expected=len(entries),
    )
    return notices.post(user, register, world.years[register.program], rows, draft)


def line_of(notice: Notice, entry: Entry) -> NoticeLine:
    """The line of an entry in a notice."""
    return db.session.query(NoticeLine).filter_by(notice_id=notice.id, row_id=entry.row).one()
