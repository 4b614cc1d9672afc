"""What every list's pages do: show it, hand out a part of it to htmx, and keep what its reader chooses.

An area gives its own address to a list and asks :func:`show_list` and :func:`change_list` for the rest, so that its
permission and its scope stand before every path to the rows: page, filter, sort, search, count and sums alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response
from wtforms import Field

from core.errors import NotFound, ZhijiaError
from core.lists import queries, services
from core.lists.columns import NUMBERS, headings, shown
from core.lists.filters import Reading
from core.lists.forms import PREFIX, NameForm, filtered
from core.lists.models import ListView
from core.lists.paging import Place, place_of, token_of
from core.lists.queries import Asked, Page, Totals
from core.lists.types import Action, Column, Line, Listing
from core.org.scope import Scope
from core.people.forms import IdNumberForm
from core.people.numbers import parse_id_number
from core.users.access import scope_of
from core.users.models import User
from core.web.filters import address
from core.web.guard import me

blueprint = Blueprint("lists", __name__, url_prefix="/lists", template_folder="templates")
Shown = tuple[str, int, dict[str, str]]
#: Ids that a page can choose one by one.
MOST_CHOSEN = 1000


def _no_link(_line: Line) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where a list stands, and what can be done from it.

    ``index`` is its address, ``change`` the one that takes what its reader chooses (POST), ``keep`` the arguments that
    say which list it is. ``link`` leads from the first column to a row's own page; ``row_actions`` stand at the end of
    a row, ``batch`` below the list: pages that get the chosen rows by POST and ask back (see :func:`chosen`).
    ``exported_as`` are the arguments by which the pages of exports know the list; none where it cannot be exported.
    ``empty`` is what to say where there is nothing yet, and what to do about it.
    """

    index: str
    change: str
    keep: Mapping[str, str] = field(default_factory=dict)
    link: Callable[[Line], str | None] = _no_link
    row_actions: Callable[[Line], list[Action]] | None = None
    batch: Sequence[Action] = ()
    exported_as: Mapping[str, Any] = field(default_factory=dict)
    empty: tuple[str, str] = ("", "")


@dataclass(frozen=True, kw_only=True)
class ListPage:
    """Everything that the template of a list shows."""

    listing: Listing
    frame: Frame
    reading: Reading
    columns: Sequence[Column]
    views: Sequence[ListView]
    page: Page
    number: IdNumberForm
    name: NameForm
    totals: Totals | None
    is_first: bool

    def url(self, **changes: Any) -> str:
        """The address of the list as it is asked for now, with changes; none takes an argument out."""
        asked = self.reading.asked
        return address(self.frame.index, {**self.frame.keep, **(asked.args or {}), "sort": asked.sort, **changes})

    def to(self, target: str) -> str:
        """Another address with what the list is asked for."""
        asked = self.reading.asked
        return address(target, {**self.frame.keep, **(asked.args or {}), "sort": asked.sort})

    def view_url(self, view: ListView) -> str:
        """The address of a saved filter."""
        return address(self.frame.index, {**self.frame.keep, **view.filters, "sort": view.sort})

    @property
    def export_url(self) -> str:
        """The way to a file of the list as it is asked for now; nothing where it cannot be exported."""
        asked, known = self.reading.asked, self.frame.exported_as
        return address(url_for("exports.new"), {**(asked.args or {}), "sort": asked.sort, **known}) if known else ""

    @property
    def all_url(self) -> str:
        """The address of the list without any filter."""
        return address(self.frame.index, {**self.frame.keep, "sort": self.reading.asked.sort})

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter was asked for."""
        return bool(self.reading.asked.args)

    @property
    def saved(self) -> list[ListView]:
        """The saved filters."""
        return [view for view in self.views if view.name]

    @property
    def heads(self) -> list[tuple[Column, str, str, str]]:
        """Column, heading, the address that sorts by it (or nothing), and how it is sorted now: ``aria-sort``."""
        order = queries.usual_order(self.listing, self.reading.asked).name
        found = []
        for column, title in zip(self.columns, headings(self.columns), strict=True):
            sortable = queries.order_of(self.listing, column.name) is not None
            now = {column.name: "ascending", f"-{column.name}": "descending"}.get(order, "")
            turned = f"-{column.name}" if now == "ascending" else column.name
            found.append((column, title, self.url(sort=turned) if sortable else "", now))
        return found

    @property
    def more_filters(self) -> list[tuple[Column, list[Field]]]:
        """The columns that have a filter of their own, with its fields."""
        form = self.reading.form
        return [
            (column, [item for item in form if item.name.split("-")[1:2] == [column.name]])
            for column in filtered(self.listing)
        ]

    @property
    def has_more_filters(self) -> bool:
        """Whether a column's own filter is set or was refused: then they must not be folded away."""
        return any(item.errors or item.name in (self.reading.asked.args or {}) for item in self.reading.form
                   if item.name.startswith(PREFIX))  # fmt: skip

    @property
    def previous_url(self) -> str | None:
        """The page before this one."""
        return self._beside(0, "before") if self.page.has_previous else None

    @property
    def next_url(self) -> str | None:
        """The page after this one."""
        return self._beside(-1, "after") if self.page.has_next else None

    def _beside(self, at: int, name: str) -> str | None:
        if not self.page.lines:
            return self.url() if name == "before" else None
        line = self.page.lines[at]
        return self.url(**{name: token_of(queries.usual_order(self.listing, self.reading.asked), line.key, line.id)})


def show_list(template: str, listing: Listing, scope: Scope, frame: Frame, **context: Any) -> Shown:
    """The page with the list, or the part of it that htmx asks for. Status 400 where something asked for is wrong.

    ``template`` includes ``lists/_list.html``; ``context`` is for what stands around it.
    """
    return _show(template, listing, scope, frame, context, IdNumberForm(), NameForm())


def change_list(template: str, listing: Listing, scope: Scope, frame: Frame, **context: Any) -> Shown | Response:
    """Take what the reader of a list sent: columns to show, a filter to save or delete, a number to look for."""
    number, name = IdNumberForm(), NameForm()
    try:
        match request.form.get("do"):
            case "columns":
                services.remember_columns(me(), listing, request.form.getlist("column"))
            case "delete":
                services.drop_filter(me(), listing, request.form.get("name", ""))
            case "save":
                name = NameForm(request.form)
                asked = Reading(listing, scope, request.args).asked
                services.save_filter(me(), listing, name.name.data or "", asked.args or {}, asked.sort)
            case "find" if listing.person_id is not None:
                number = IdNumberForm(request.form)
                return _find(template, listing, scope, frame, number, context)
            case _:
                raise NotFound(_("There is nothing here, or nothing that you may see."))
    except ZhijiaError as error:
        if "name" not in request.form:
            raise
        name.refuse(error)
        return _show(template, listing, scope, frame, context, number, name, error.status)
    return redirect(address(frame.index, request.args.to_dict(flat=False)))


def _find(
    template: str, listing: Listing, scope: Scope, frame: Frame, form: IdNumberForm, context: Mapping[str, Any]
) -> Shown | Response:
    """Narrow the list down to the person with a number; somebody who is not in it looks like nobody.

    The address that it has then names the person, never the number; htmx gets the list at once, without a second way.
    """
    status = 400
    if form.validate():
        try:
            person_id = queries.person_in(listing, scope, parse_id_number(form.id_number.data or "").number)
            services.note_number(me(), listing, person_id)
            if person_id is not None:
                url = address(frame.index, {**frame.keep, "person": person_id})
                if _part() != "list":
                    return redirect(url)
                args = MultiDict({"person": str(person_id)})
                page, code, headers = _show(
                    template, listing, scope, frame, context, IdNumberForm(), NameForm(), args=args
                )
                return page, code, {**headers, "HX-Push-Url": url}
            raise NotFound(_("Nobody in this list has this identity number."), field="id_number")
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
    return _show(template, listing, scope, frame, context, form, NameForm(), status)


def _show(
    template: str,
    listing: Listing,
    scope: Scope,
    frame: Frame,
    context: Mapping[str, Any],
    number: IdNumberForm,
    name: NameForm,
    status: int = 200,
    args: MultiDict[str, str] | None = None,
) -> Shown:
    reading = Reading(listing, scope, request.args if args is None else args)
    place = _place(listing, reading)
    if listing.person_id is not None and reading.asked.args and place is None and args is None:
        services.note_search(me(), listing, reading.asked.args)
    if "org" in reading.form:
        reading.form["org"].render_kw |= {
            "hx-get": url_for("lists.orgs"),
            "hx-trigger": "input changed delay:200ms",
            "hx-target": "#list-orgs",
            "hx-swap": "innerHTML",
            "hx-sync": "this:replace",
        }
    if status == 200 and reading.failed:
        status = 400
    views = queries.views_of(me().id, listing)
    columns = _columns(listing, views)
    part = _part()
    wants_totals = part == "list-totals"
    if wants_totals and reading.failed:
        raise _wrong_filter()
    list_page = ListPage(
        listing=listing,
        frame=frame,
        reading=reading,
        columns=columns,
        views=views,
        page=Page((), False, False) if wants_totals else queries.page_of(listing, scope, reading.asked, columns, place),
        number=number,
        name=name,
        totals=queries.totals_of(listing, scope, reading.asked, columns)
        if wants_totals or "totals" in request.args
        else None,
        is_first=place is None,
    )
    return render_list({"list-totals": "lists/_totals.html", "list": "lists/_list.html"}.get(part or "", template),
                       list_page, status, context)  # fmt: skip


def _part() -> str | None:
    """The part of the page that htmx asks for; none where a whole page is wanted."""
    return request.headers.get("HX-Target") if "HX-History-Restore-Request" not in request.headers else None


def render_list(template: str, list_page: ListPage, status: int, context: Mapping[str, Any]) -> Shown:
    """The page, or the part of a page, that shows a list."""
    page = render_template(template, list=list_page, numbers=NUMBERS, shown=shown, **context)
    # Where something is wrong htmx would put the answer where messages go; the list shows its sentences itself.
    return page, status, {"HX-Retarget": "#list"} if status != 200 and "HX-Target" in request.headers else {}


def _place(listing: Listing, reading: Reading) -> Place | None:
    order = queries.usual_order(listing, reading.asked)
    for name in ("after", "before"):
        token = request.args.get(name, "")
        if token:
            try:
                return place_of(order, token, back=name == "before")
            except ZhijiaError as error:
                reading.refuse(error)
    return None


def _columns(listing: Listing, views: Sequence[ListView]) -> list[Column]:
    """The columns that the reader chose; the first always stands, as it leads to the row's page."""
    kept = next((view.columns for view in views if not view.name), [])
    first = listing.columns[0]
    return [column for column in listing.columns if column is first
            or (column.name in kept if kept else not column.hidden)]  # fmt: skip


def columns_of(user: User, listing: Listing) -> list[Column]:
    """The columns of a list that a user sees."""
    return _columns(listing, queries.views_of(user.id, listing))


def asked_for(listing: Listing, scope: Scope) -> Asked:
    """What the address asks of a list. Raises :class:`ZhijiaError` where that is wrong, for pages without its form."""
    reading = Reading(listing, scope, request.args)
    if reading.failed:
        raise _wrong_filter()
    return reading.asked


def _wrong_filter() -> ZhijiaError:
    return ZhijiaError(_("The filter of the list is wrong; go back and put it right."))


def chosen(listing: Listing, scope: Scope) -> Asked:
    """The rows that were sent to be worked on: ``row`` (ids), or with ``all=1`` what fits the filter in the address.

    For :func:`core.lists.queries.rows_of` and :func:`core.lists.queries.count_of`, which keep to the scope. The page
    that asks back sends the same again: ``lists/_chosen.html``. Raises :class:`ZhijiaError` when nothing was chosen or
    the filter is wrong.
    """
    asked = asked_for(listing, scope)
    if request.form.get("all"):
        return asked
    ids = [int(text) for text in request.form.getlist("row") if text.isdecimal() and len(text) < 19]
    if not ids or len(ids) > MOST_CHOSEN:
        raise ZhijiaError(_("Choose some rows of the list first."))
    return Asked((*asked.conditions, listing.model.id.in_(ids)), asked.args)


@blueprint.get("/orgs")
def orgs() -> str:
    """Unions that fit what is being typed, as options of a field; only those that the user may see."""
    found = queries.orgs_like(scope_of(me(), "org.view"), request.args.get("org", "").replace("\0", "").strip())
    return render_template("lists/_orgs.html", orgs=found)
