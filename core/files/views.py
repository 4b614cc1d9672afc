"""The files of an entry of a register, below its address: list, attach, save, look at, remove.

The gate has checked year and sponsor; here the register's own permissions are asked for, and the entry must lie in the
scope. What is handed out is never run as a page of this site: saved by default, and shut in when shown.
"""

from collections.abc import Iterator

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from core.config import MEGABYTE, settings_of
from core.errors import ZhijiaError
from core.files import queries, services
from core.files.forms import UploadForm
from core.files.kinds import ENDINGS, JPEG, KINDS
from core.files.models import File
from core.files.records import Record, record_of
from core.plugin.gate import current_program_year
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.registers.access import line_of, register_here, register_to_change
from core.registers.queries import Line
from core.registers.states import is_changeable, refuse_unless_changeable
from core.users.access import can
from core.users.models import User
from core.web.downloads import named
from core.web.guard import found, me
from core.web.home import Panel
from core.web.sending import sent_file

blueprint = Blueprint(
    "files",
    __name__,
    url_prefix="/<int:year>/<sponsor>/<program>/registers/<name>/<int:row_id>/files",
    template_folder="templates",
)
Page = str | AnyResponse | tuple[str, int]
#: For a file of somebody's that a browser opens by itself: it may load nothing, run nothing, and is of no origin.
SHUT_IN = (
    "default-src 'none'; base-uri 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'; sandbox"
)
#: Browsers show a PDF with a reader of their own, which a sandbox forbids; scripts in it never reach the site.
PDF_SHUT_IN = (
    "default-src 'none'; base-uri 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
)


@blueprint.route("/", methods=["GET", "POST"])
def index(name: str, row_id: int) -> Page:
    """The files, and the form that attaches another."""
    if request.method == "GET":
        return _files_page(register_here(name), row_id, UploadForm())
    register, line = _to_change(name, row_id)
    form = UploadForm()
    try:
        with sent_file() as (content, title):
            services.attach(me(), record_of(register, current_program_year(), line.row), title, content)
    except ZhijiaError as error:
        form.refuse(error)
        return _files_page(register, row_id, form), error.status
    flash(_("The file is attached."), "success")
    return redirect(url_for("registers.show", name=name, row_id=row_id))


@blueprint.get("/<int:file_id>")
def download(name: str, row_id: int, file_id: int) -> AnyResponse:
    """The content, to be saved; with ``show`` an image or a PDF to be looked at."""
    record, file = _file(name, row_id, file_id)
    blocks = services.download(me(), record, file)
    kind = KINDS.get(file.kind)
    shown = kind is not None and kind.shown and "show" in request.args
    return _handed_out(blocks, file.kind, file.name, file.size, shown=shown)


@blueprint.get("/<int:file_id>/thumbnail")
def thumbnail(name: str, row_id: int, file_id: int) -> AnyResponse:
    """The small picture of an image."""
    record, file = _file(name, row_id, file_id)
    found(file.thumbnail_key)
    blocks = services.thumbnail(me(), record, file)
    return _handed_out(blocks, JPEG.mime, "thumbnail.jpg", None, shown=True)


@blueprint.route("/<int:file_id>/remove", methods=["GET", "POST"])
def remove(name: str, row_id: int, file_id: int) -> Page:
    """Ask whether the file is to be removed, then do it."""
    register, line = _to_change(name, row_id)
    record = record_of(register, current_program_year(), line.row)
    file = found(queries.find_file(record.subject, file_id))
    if request.method == "GET":
        return render_template("files/remove.html", register=register, line=line, file=file)
    services.remove(me(), record, file)
    flash(_("The file is removed."), "success")
    return redirect(url_for("registers.show", name=name, row_id=row_id))


def files_panel(
    user: User, register: Register, program_year: ProgramYear, row: object, form: UploadForm | None = None
) -> Panel:
    """The files as a part of the page of the entry; the form is there for who may change it while the year is open."""
    record = record_of(register, program_year, row)
    is_open = state_of(program_year) == "open" and is_changeable(register, row)
    editable = is_open and can(user, record.edit_permission, record.org_path, record.program)
    files = queries.files_of(record.subject)
    context = {
        "files": [(file, KINDS.get(file.kind)) for file in files],
        "at": {"name": register.name, "row_id": int(record.subject.rpartition(":")[2])},
        "editable": editable,
        "form": form or UploadForm(),
        "is_full": len(files) >= services.MOST_FILES,
        "most": services.MOST_FILES,
        "endings": "、".join(ENDINGS),
        "largest": settings_of().largest_file // MEGABYTE,
    }
    return Panel(template="files/_files.html", context=context)


def _files_page(register: Register, row_id: int, form: UploadForm) -> str:
    line = line_of(register, row_id, register.view_permission)
    part = files_panel(me(), register, current_program_year(), line.row, form)
    return render_template("files/index.html", register=register, line=line, part=part)


def _to_change(name: str, row_id: int) -> tuple[Register, Line]:
    """The entry, for who may change it, while the year is open and its state allows it."""
    register = register_to_change(name)
    line = line_of(register, row_id, register.edit_permission)
    refuse_unless_changeable(register, line.row)
    return register, line


def _file(name: str, row_id: int, file_id: int) -> tuple[Record, File]:
    """A file of the entry, for who may read the entry."""
    register = register_here(name)
    line = line_of(register, row_id, register.view_permission)
    record = record_of(register, current_program_year(), line.row)
    return record, found(queries.find_file(record.subject, file_id))


def _handed_out(blocks: Iterator[bytes], mime: str, name: str, size: int | None, *, shown: bool) -> Response:
    response = Response(blocks, mimetype=mime)
    response.headers.set("Content-Disposition", "inline" if shown else "attachment", **named(name))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = PDF_SHUT_IN if shown and mime == "application/pdf" else SHUT_IN
    if size is not None:
        response.content_length = size
    return response
