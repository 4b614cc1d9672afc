"""The pages of the months of a book: closing, opening again by two persons, closing for good."""

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from core.errors import NotFound, ZhijiaError
from core.ledger import closing
from core.ledger.balances import books
from core.ledger.checks import checks_before_closing, checks_of_sums, said
from core.ledger.closing import CLOSE
from core.ledger.forms import LockForm, ReopenForm
from core.ledger.models import Book
from core.ledger.period_queries import PAGE, PeriodRow, Request, find_period, periods_of, requests_of
from core.ledger.statements import book_title
from core.ledger.views import blueprint
from core.web.forms import Form, SignedForm
from core.web.guard import found, me, needs, prove

#: Each step, and the sentence that says it was taken.
DONE = {
    "start": _l("The month takes no more entries."),
    "cancel": _l("The month takes entries again."),
    "close": _l("The month is closed, and its balances are written down."),
    "ask": _l("Somebody else must agree now."),
    "agree": _l("The month takes entries again."),
    "lock": _l("The month is closed for good."),
}
#: The form of a step that asks for something.
FORMS: dict[str, type[Form]] = {"close": SignedForm, "ask": ReopenForm, "agree": SignedForm, "lock": LockForm}


@blueprint.get("/periods")
@needs(CLOSE)
def periods() -> str:
    """The months of a book, newest first."""
    closing.require_closing(me())
    code = request.args.get("book")
    book = _book(code) if code else books()[0]
    before = _month(request.args["before"]) if "before" in request.args else None
    rows = periods_of(book.code, before)
    return render_template(
        "ledger/periods.html",
        book=book,
        books=books(),
        book_title=book_title,
        rows=rows[:PAGE],
        said=said,
        is_first=before is None,
        next=said(rows[PAGE - 1].period) if len(rows) > PAGE else None,
    )


@blueprint.get("/periods/<book>/<month>")
@needs(CLOSE)
def period(book: str, month: str) -> str:
    """One month: what was entered, what closing it asks for, and who asked to open it again."""
    return _page(book, month, {})


@blueprint.post(f"/periods/<book>/<month>/<any({', '.join(DONE)}):step>")
@needs(CLOSE)
def move_period(book: str, month: str, step: str) -> Response | tuple[str, int]:
    """Take the month one step on, or back."""
    row, form = _period(book, month), FORMS.get(step, Form)(request.form)
    status = 400
    if form.validate():
        try:
            if isinstance(form, SignedForm):
                prove(form)
            _take(step, row, form)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(DONE[step], "success")
            return redirect(url_for(".period", book=book, month=month))
    return _page(book, month, {step: form}), status


def _take(step: str, row: PeriodRow, form: Form) -> None:
    book, month = row.period.book, row.period.first_on
    match step:
        case "start":
            closing.start_closing(me(), book, month)
        case "cancel":
            closing.cancel_closing(me(), book, month)
        case "close":
            closing.close(me(), book, month)
        case "ask":
            closing.ask_reopening(me(), book, month, form["reason"].data or "")
        case "agree":
            closing.reopen(me(), found(_waiting(requests_of(row.period))).reopening.id)
        case "lock":
            closing.lock(me(), book, month)


def _page(book: str, month: str, sent: dict[str, Form]) -> str:
    """``sent`` has the form of the step that was refused."""
    row = _period(book, month)
    requests = requests_of(row.period)
    checks = {"open": checks_before_closing, "closing": checks_of_sums}.get(row.period.state)
    waiting = _waiting(requests)
    return render_template(
        "ledger/period.html",
        row=row,
        period=row.period,
        month=said(row.period),
        book=_book(book),
        book_title=book_title,
        checks=list(checks(row.period)) if checks else [],
        requests=requests,
        waiting=waiting,
        is_mine=waiting is not None and waiting.reopening.asked_by == me().id,
        forms={step: sent.get(step) or form() for step, form in FORMS.items()},
        refused=[sentence for form in sent.values() for sentence in form.form_errors],
    )


def _period(book: str, month: str) -> PeriodRow:
    closing.require_closing(me())
    return found(find_period(book, _month(month)))


def _waiting(requests: list[Request]) -> Request | None:
    return next((one for one in requests if one.reopening.agreed_by is None), None)


def _book(code: str) -> Book:
    return found(next((book for book in books() if book.code == code), None))


def _month(text: str) -> date:
    """The first day of ``2014-01``."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise NotFound(_("There is no such month.")) from error
