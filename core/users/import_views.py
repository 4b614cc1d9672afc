"""Adding users from a list, and the first passwords, which this page shows once and nobody keeps."""

import io
from typing import IO

from flask import Blueprint, render_template, request, send_file
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.registers.sheets import write_xlsx
from core.users.admin import PERMISSION
from core.users.forms import UploadForm
from core.users.importing import COLUMNS, MOST, TOLD, Fault, FaultyList, Line, import_users, read_list
from core.users.services import FIRST_PASSWORD
from core.web.guard import me, needs, prove
from core.web.sending import sent_file

blueprint = Blueprint("users_import", __name__, url_prefix="/admin/users/import", template_folder="templates")


@blueprint.get("")
@needs(PERMISSION)
def upload() -> str:
    """Where a list is sent."""
    return _page(UploadForm())


@blueprint.post("")
@needs(PERMISSION)
def take() -> str | tuple[str, int]:
    """Add everybody of the list, or say what is wrong in which line."""
    form, faults, status = UploadForm(request.form), list[Fault](), 400
    if form.validate():
        try:
            prove(form)
            with sent_file() as (content, name):
                lines = _read(content, name)
            new = import_users(me(), lines)
            return render_template("users/imported.html", new=new, days=FIRST_PASSWORD.days)
        except FaultyList as error:
            form.refuse(error)
            faults = error.faults
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
    return _page(form, faults), status


@blueprint.get("/template.xlsx")
@needs(PERMISSION)
def template() -> Response:
    """An empty list with its headings; a star stands behind those that must be there."""
    target = io.BytesIO()
    headings = [f"{title}*" if required else str(title) for _name, title, required in COLUMNS]
    write_xlsx(target, headings, [], _("Users"))
    target.seek(0)
    return send_file(target, as_attachment=True, download_name="users.xlsx")


def _read(content: IO[bytes], name: str) -> list[Line]:
    try:
        return read_list(content, name)
    except ZhijiaError as error:
        error.field = "file"
        raise


def _page(form: UploadForm, faults: list[Fault] | None = None) -> str:
    return render_template("users/import.html", form=form, faults=(faults or [])[:TOLD], most=MOST)
