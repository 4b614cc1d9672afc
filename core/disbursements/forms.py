"""Forms of runs."""

from flask_babel import lazy_gettext as _l
from wtforms import (
    DateField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from core.disbursements.approval_rules import LONGEST_TITLE, MOST_STAGES, MOST_VOTES
from core.disbursements.approvals import ALL, ANY, OWN_LEVEL, SOME, Stage
from core.ledger.models import UNION_FUNDS
from core.org.models import LEVELS
from core.org.titles import LEVEL_TITLES
from core.programs.models import FIRST_YEAR, LAST_YEAR
from core.web.fields import YuanField
from core.web.forms import Form, SignedForm, options

POLICY_TITLES = {
    ANY: _l("Any one of them"),
    SOME: _l("A number of them"),
    ALL: _l("All of them"),
}
DECIDING = {OWN_LEVEL: _l("The run's own union"), **{level: LEVEL_TITLES[level] for level in LEVELS}}


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


class DecisionForm(SignedForm):
    """Approve or return. ``seen`` is the round and stage that the page showed."""

    seen = HiddenField(validators=[Regexp(r"^[0-9]{1,9}-[0-9]{1,9}\Z", message=_l("Open the page of the run again."))])

    decision = SelectField(
        _l("Decision"),
        choices=options({"approve": _l("Approve"), "return": _l("Return")}),
        validators=[InputRequired()],
    )
    comment = TextAreaField(_l("Comment"), validators=[Length(max=500)])

    @property
    def round_and_stage(self) -> tuple[int, int]:
        """What was shown. Only when the form was validated."""
        shown = (self.seen.data or "").split("-")
        return int(shown[0]), int(shown[1])


class PostForm(SignedForm):
    """The day that the entries count from."""

    effective_on = DateField(_l("Day of posting"), validators=[InputRequired()])


class ObjectionForm(Form):
    """Hold back one payee."""

    payee_id = IntegerField(validators=[InputRequired()])
    note = StringField(_l("Objection"), validators=[InputRequired(), Length(max=500)])


class StageForm(Form):
    """One stage; without a deciding union it is none."""

    title = StringField(_l("Title of the stage"), validators=[Length(max=LONGEST_TITLE)])
    level = SelectField(_l("Who decides"), choices=options({"": "—", **DECIDING}))
    policy = SelectField(_l("How many approve"), choices=options(POLICY_TITLES), default=ANY)
    n = IntegerField(_l("The number"), validators=[Optional(), NumberRange(min=1, max=MOST_VOTES)])


class StagesForm(Form):
    """Where a rule begins, and its stages."""

    from_fen = YuanField(
        _l("From (yuan)"),
        description=_l("The rule holds for runs of this total and more, up to where the next rule begins."),
        validators=[InputRequired()],
    )
    stages = FieldList(FormField(StageForm), min_entries=MOST_STAGES, max_entries=MOST_STAGES)

    def entered(self) -> list[Stage]:
        """The stages that were filled in. Only when the form was validated."""
        rows = [entry.form for entry in self.stages]
        return [
            Stage(title=row.title.data or "", level=row.level.data, policy=row.policy.data, n=_votes(row))
            for row in rows
            if row.level.data or row.title.data
        ]


class RuleForm(StagesForm):
    """A new rule: whose runs it is for as well."""

    year = IntegerField(_l("Year"), validators=[InputRequired(), NumberRange(min=FIRST_YEAR, max=LAST_YEAR)])
    org_code = StringField(
        _l("Code of the sponsor"),
        description=_l("The rule holds for what this union and those below it sponsor."),
        validators=[InputRequired()],
        render_kw={"autocomplete": "off"},
    )
    program = SelectField(_l("Program"))


def _votes(row: StageForm) -> int:
    return (row.n.data or 0) if row.policy.data == SOME else 1
