"""Forms of runs."""

from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from core.ledger.models import UNION_FUNDS
from core.web.forms import Form, options


class RunForm(Form):
    """A new run: by which scheme, for which part of the tree."""

    scheme = SelectField(_l("Scheme"), validators=[InputRequired()])
    title = StringField(_l("Title"), validators=[InputRequired(), Length(max=100)])
    org_code = StringField(
        _l("Code of the union"),
        description=_l("Everybody under this union is paid; leave the sponsor's code for all."),
        validators=[InputRequired()],
    )
    source = SelectField(
        _l("Source of money"),
        description=_l("The run spends the budget of this source only; it cannot be changed later."),
        default=UNION_FUNDS,
    )


class DecisionForm(Form):
    """Approve or return."""

    decision = SelectField(
        _l("Decision"),
        choices=options({"approve": _l("Approve"), "return": _l("Return")}),
        validators=[InputRequired()],
    )
    comment = TextAreaField(_l("Comment"), validators=[Length(max=500)])


class PostForm(Form):
    """The day that the entries count from."""

    effective_on = DateField(_l("Day of posting"), validators=[InputRequired()])


class ObjectionForm(Form):
    """Hold back one payee."""

    payee_id = IntegerField(validators=[InputRequired()])
    note = StringField(_l("Objection"), validators=[InputRequired(), Length(max=500)])
