"""The form of a file, and of a member of the household."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.api import NewPersonRecordForm, OnlyIf, PersonRecordForm, YuanField, options, today
from plugins.hardship_aid.words import BARRIERS, CAUSES, HEADS, HEALTH, RELATIONS, WORKERS


def not_in_future(_form: object, field: DateField) -> None:
    """What is written down has happened."""
    if field.data and field.data > today():
        raise ValidationError(_("This day lies in the future."))


class FileForm(NewPersonRecordForm):
    """The application of a worker (困难职工建档申请)."""

    worker = SelectField(_l("Kind of worker"), choices=options(WORKERS))
    household_size = IntegerField(
        _l("People in the household"),
        description=_l("Those who live together, the worker included."),
        validators=[InputRequired(), NumberRange(min=1, max=30)],
    )
    head = SelectField(_l("Head of the household"), choices=options(HEADS))
    head_name = StringField(
        _l("Name of the head"),
        default="",
        validators=[OnlyIf("head", *(code for code in HEADS if code != "self")), Length(max=60)],
    )
    income_fen = YuanField(_l("Income of the household in a year (yuan)"), validators=[InputRequired()])
    rigid_fen = YuanField(
        _l("Unavoidable expenses in a year (yuan)"),
        description=_l("What illness, disability and schooling cost after insurance and relief (刚性支出)."),
        validators=[InputRequired()],
    )
    loss_fen = YuanField(
        _l("Loss by an accident in the year (yuan)"),
        description=_l("After compensation, insurance and relief; 0 where there was none."),
        default=0,
        validators=[InputRequired()],
    )
    cause = SelectField(_l("Cause of hardship"), choices=options(CAUSES))
    cause_note = StringField(_l("More about the cause"), default="", validators=[Length(max=200)])
    barrier = SelectField(_l("What keeps a household off the file"), choices=options(BARRIERS))
    applied_on = DateField(_l("Applied on"), validators=[InputRequired(), not_in_future])

    visited_on = DateField(
        _l("Visited on"),
        description=_l("Once the first review is passed."),
        validators=[Optional(), not_in_future],
    )
    visitors = StringField(_l("Visitors"), default="", validators=[Length(max=100)])

    def validate_head_name(self, field: StringField) -> None:
        """A household has a head."""
        if not field.data:
            raise ValidationError(_("A household needs a head: enter the name."))


class MemberForm(PersonRecordForm):
    """Somebody of the worker's household."""

    name = StringField(_l("Name"), validators=[InputRequired(_l("Please enter the name.")), Length(max=60)])
    relation = SelectField(_l("Relation to the worker"), choices=options(RELATIONS))
    born_on = DateField(_l("Born on"), validators=[InputRequired(), not_in_future])
    health = SelectField(_l("Health"), choices=options(HEALTH))
    school = StringField(_l("School"), default="", validators=[Length(max=100)])
    income_fen = YuanField(_l("Income in a year (yuan)"), default=0, validators=[InputRequired()])
