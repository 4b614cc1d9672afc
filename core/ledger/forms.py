"""Forms of the ledgers."""

from datetime import date
from typing import cast

from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from core.ledger.models import ActivityTemplate
from core.web.fields import YuanField
from core.web.forms import Form

#: Before the key of a column, so that no column is mistaken for a field of the form itself.
COLUMN = "column-"


class ActivityForm(Form):
    """A line of the work ledger; the columns of its template are added by :func:`activity_form`."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    org_code = StringField(_l("Code of the union"), validators=[InputRequired(), Length(max=64)])
    held_on = DateField(_l("Day"), validators=[InputRequired()])
    program_year = SelectField(_l("Program"), validators=[Optional()])


class OwnFundsForm(Form):
    """What a union gives from its own funds; ``amount`` is in fen."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    org_code = StringField(_l("Code of the union"), validators=[InputRequired(), Length(max=64)])
    amount = YuanField(_l("Amount (yuan)"), validators=[InputRequired()])
    effective_on = DateField(_l("Effective day"), validators=[InputRequired()])
    description = StringField(_l("Summary"), validators=[Length(max=200)])

    @property
    def day(self) -> date:
        """The day it counts from. Only when the form was validated."""
        return cast(date, self.effective_on.data)


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
