"""The pages of exports: asking for one from a list, one's own exports, and taking the file."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from core.errors import NotFound, ZhijiaError
from core.exports import queries, services
from core.exports.forms import ExportForm
from core.exports.sources import Source, source_of
from core.lists.queries import count_of
from core.lists.views import asked_for, columns_of
from core.programs.models import ProgramYear
from core.web.downloads import named
from core.web.guard import found, me

blueprint = Blueprint("exports", __name__, url_prefix="/exports", template_folder="templates")


@blueprint.get("/")
def index() -> str:
    """My exports, newest first."""
    before = request.args.get("before", type=int)
    rows = queries.exports_of(me().id, before)
    return render_template(
        "exports/index.html",
        rows=rows[: queries.PAGE],
        more=rows[queries.PAGE - 1].export.id if len(rows) > queries.PAGE else None,
        before=before,
        days=queries.kept_for().days,
    )


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> str | AnyResponse | tuple[str, int]:
    """What of a list goes into the file; the address says which list, and what it is narrowed down to."""
    if "list" not in request.args:
        return redirect(url_for(".index"))
    source, program_year = _source()
    form = ExportForm(request.form if request.method == "POST" else None)
    of_people = source.listing.person_id is not None
    form.offer(source.listing.columns, columns_of(me(), source.listing), of_people=of_people)
    status, count = 200, None
    try:
        asked = asked_for(source.listing, source.scope)
        if request.method == "POST":
            if form.validate():
                columns = [column for column in source.listing.columns if column.name in (form.columns.data or ())]
                purpose = form.asked() if of_people else None
                export = services.ask(me(), source, program_year, asked, columns, form.kind.data, purpose)
                return redirect(url_for(".show", export_id=export.id))
            status = 400
        count = count_of(source.listing, source.scope, asked)
    except ZhijiaError as error:
        form.refuse(error)
        status = error.status
    page = render_template("exports/new.html", source=source, form=form, count=count)
    return page, status


@blueprint.get("/<int:export_id>")
def show(export_id: int) -> str:
    """One export: how far it is, then the file and what opens it. Reads itself again while it is being made."""
    row = found(queries.find_export(me().id, export_id))
    template = "exports/_export.html" if request.headers.get("HX-Request") == "true" else "exports/show.html"
    return render_template(
        template, row=row, export=row.export, password=services.password_of(row.export), days=queries.kept_for().days
    )


@blueprint.get("/<int:export_id>/file")
def take(export_id: int) -> Response:
    """The file."""
    export = found(queries.find_export(me().id, export_id)).export
    response = Response(services.take(me(), export), mimetype="application/octet-stream")
    kind = "zip" if export.password else export.kind
    response.headers.set("Content-Disposition", "attachment", **named(f"{export.title}.{kind}"))
    response.headers["Content-Length"] = str(export.size)
    return response


def _source() -> tuple[Source, ProgramYear | None]:
    number = request.args.get("in", type=int)
    program_year = queries.readable_year(me(), number) if number is not None else None
    if "in" in request.args and program_year is None:
        raise NotFound(_("There is no such program year, or none that you may see."))
    return source_of(me(), request.args.get("list", ""), program_year), program_year
