"""Forms of the ledgers."""

from datetime import date
from typing import cast

from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    HiddenField,
    MonthField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from core.ledger.balances import Months
from core.ledger.chart import STATUTORY
from core.ledger.models import UNION_FUNDS, ActivityTemplate
from core.ledger.titles import SOURCE_TITLES, WAYS
from core.org.models import LEVELS
from core.org.titles import LEVEL_TITLES
from core.web.fields import YuanField
from core.web.forms import Form, SignedForm, options

#: Before the key of a column, so that no column is mistaken for a field of the form itself.
COLUMN = "column-"
#: Years that a month may lie in.
FIRST_YEAR, LAST_YEAR = 1949, 2199


class ActivityForm(Form):
    """A line of the work ledger; the columns of its template are added by :func:`activity_form`."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    org_code = StringField(_l("Code of the union"), validators=[InputRequired(), Length(max=64)])
    held_on = DateField(_l("Day"), validators=[InputRequired()])
    program_year = SelectField(_l("Program"), validators=[Optional()])


class BookingForm(Form):
    """What every booking of money says. ``key`` is made with the page, so that a form sent twice books once."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    effective_on = DateField(_l("Effective day"), validators=[InputRequired()])
    description = StringField(_l("Summary"), validators=[Length(max=200)])

    @property
    def day(self) -> date:
        """The day it counts from. Only when the form was validated."""
        return cast(date, self.effective_on.data)


class BookForm(Form):
    """Which book, and which months of it; one month where only one is named, all of it where none is."""

    book = SelectField(_l("Account book"), default=STATUTORY)
    first = MonthField(_l("From month"), validators=[Optional()])
    last = MonthField(_l("To month"), validators=[Optional()])

    @property
    def months(self) -> Months | None:
        """The months. Only when the form was validated."""
        first, last = self.first.data or self.last.data, self.last.data or self.first.data
        return Months(first, last) if first and last else None

    def validate_first(self, field: MonthField) -> None:
        """A month that some book may have."""
        _refuse_far(field)

    def validate_last(self, field: MonthField) -> None:
        """A month that some book may have, and none before the first."""
        _refuse_far(field)
        if self.first.data and field.data and field.data < self.first.data:
            raise ValidationError(_("The last month lies before the first."))


def _refuse_far(field: MonthField) -> None:
    if field.data and not FIRST_YEAR <= field.data.year <= LAST_YEAR:
        raise ValidationError(_("There are no books of this year."))


class ReopenForm(Form):
    """Asking to open a month again; the reason is owed."""

    reason = StringField(_l("Reason"), validators=[Length(max=500)])


class LockForm(SignedForm):
    """Closing a month for good."""

    sure = BooleanField(_l("I know that it is never opened again"), validators=[InputRequired()])


class TakeForm(BookingForm, SignedForm):
    """Taking back what was allotted."""


class OwnFundsForm(BookingForm, SignedForm):
    """What a union brings in itself; ``amount`` is in fen."""

    org_code = StringField(_l("Code of the union"), validators=[InputRequired(), Length(max=64)])
    source = SelectField(_l("Source of money"), choices=options(SOURCE_TITLES), default=UNION_FUNDS)
    amount = YuanField(_l("Amount (yuan)"), validators=[InputRequired()])


class ChoiceForm(Form):
    """Who gives to whom, from which source, and by what the money is shared out."""

    giver = StringField(_l("Code of the giver"), validators=[InputRequired(), Length(max=64)])
    source = SelectField(_l("Source of money"), choices=options(SOURCE_TITLES), default=UNION_FUNDS)
    level = SelectField(
        _l("Receivers"),
        choices=options({"": _l("the unions directly below"), **{code: LEVEL_TITLES[code] for code in LEVELS[1:]}}),
        default="",
    )
    way = SelectField(_l("Shared out by"), choices=options(WAYS), default="people")


class AllotForm(ChoiceForm, BookingForm):
    """An allotment; ``amount`` (fen) is the sum to share out, which a table of amounts gives itself."""

    amount = YuanField(_l("Amount to share out (yuan)"))
    file = FileField(_l("Table (xlsx or CSV)"))
    #: What the preview showed: a line for each receiver with its code and its weight.
    shares = HiddenField()


def activity_form(template: ActivityTemplate) -> type[ActivityForm]:
    """The form with one field a column of the template, in its order."""
    fields = {
        COLUMN + column["key"]: TextAreaField(
            column.get(str(get_locale())) or column["zh"],
            validators=[DataRequired() if column["required"] else Optional(), Length(max=2000)],
            render_kw={"rows": 2},
        )
        for column in template.columns
    }
    return type("TemplateForm", (ActivityForm,), fields)


def columns_of(form: ActivityForm) -> dict[str, str]:
    """What was typed, by the key of the column."""
    return {name.removeprefix(COLUMN): field.data or "" for name, field in form._fields.items() if COLUMN in name}
