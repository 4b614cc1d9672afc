"""The settings of a winter campaign, and the forms of its pages."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from core.api import (
    SOURCE_TITLES,
    Form,
    NewPersonRecordForm,
    OnlyIf,
    OrgRecordForm,
    ProgramSettingsForm,
    SignedForm,
    YuanField,
    options,
    today,
)
from plugins.four_seasons.titles import CATEGORY_TITLES, GIFT_TITLES, RULE_TITLES, WHOM_TITLES


class WinterSettingsForm(ProgramSettingsForm):
    """Settings of a year's winter campaign (送温暖). Amounts are whole fen in ``data``."""

    rule = SelectField(_l("Rule of payment"), choices=options(RULE_TITLES), default="pool")
    pool = YuanField(
        _l("Pool (yuan)"), description=_l("All money of all levels; shared equally among the workers on the list.")
    )
    deep = YuanField(_l("Deep hardship, each (yuan)"))
    relative = YuanField(_l("Relative hardship, each (yuan)"))
    accidental = YuanField(_l("Hardship caused by accident, each (yuan)"))
    province_allotment = YuanField(
        _l("Allotted by the sponsor (yuan)"),
        description=_l("Shared out to the cities by the number on file; the cities raise the rest themselves."),
    )
    starts_on = DateField(_l("First day of the campaign"), validators=[Optional()])
    ends_on = DateField(_l("Last day of the campaign"), validators=[Optional()])

    def validate_pool(self, field: YuanField) -> None:
        """A pool is needed where it is shared out."""
        if self.rule.data == "pool" and not field.data:
            raise ValidationError(_("To share a pool, the pool must be more than 0 yuan."))

    def _validate_amount(self, field: YuanField) -> None:
        if self.rule.data == "category" and not field.data:
            raise ValidationError(_("To pay by category, the amount must be more than 0 yuan."))

    validate_deep = validate_relative = validate_accidental = _validate_amount

    def validate_province_allotment(self, field: YuanField) -> None:
        """What the sponsor gives is part of the pool."""
        if self.rule.data == "pool" and field.data and self.pool.data and field.data > self.pool.data:
            raise ValidationError(_("The sponsor cannot allot more than the whole pool."))

    def validate_ends_on(self, field: DateField) -> None:
        """The campaign must not end before it begins."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day of the campaign lies before the first."))


class HardshipForm(NewPersonRecordForm):
    """One worker of the hardship list."""

    category = SelectField(_l("Category of hardship"), choices=options(CATEGORY_TITLES))
    cause = StringField(_l("Cause of hardship"), validators=[Length(max=200)])


class TargetForm(OrgRecordForm):
    """How many workers a union is to reach in the year."""

    workers = IntegerField(_l("Workers to reach"), validators=[InputRequired(), NumberRange(min=0, max=10_000_000)])


class BookingForm(SignedForm):
    """The day from which money that is booked counts."""

    effective_on = DateField(_l("Effective day"), validators=[Optional()])


class VisitForm(Form):
    """A visit: who went to whom on which day, what they brought, and who pays. ``key`` is one per visit."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    org_code = StringField(
        _l("Code of the paying union"),
        validators=[InputRequired(), Length(max=64)],
        description=_l("The visit is spent from this union's budget of the year."),
    )
    whom = SelectField(_l("Whom"), choices=options(WHOM_TITLES))
    id_number = StringField(
        _l("Identity number"),
        validators=[OnlyIf("whom", "person"), Length(max=30)],
        render_kw={"autocomplete": "off"},
    )
    unit = StringField(_l("Name of the unit"), validators=[OnlyIf("whom", "unit"), Length(max=100)])
    visited_on = DateField(_l("Day of the visit"), validators=[InputRequired()])
    party = StringField(_l("Who went"), validators=[DataRequired(_l("Please say who went.")), Length(max=100)])
    kind = SelectField(_l("What was brought"), choices=options(GIFT_TITLES))
    gift = StringField(
        _l("Goods"), validators=[OnlyIf("kind", "goods"), Length(max=100)], description=_l("Rice, oil, a quilt.")
    )
    amount = YuanField(_l("Amount (yuan)"), description=_l("Of goods, what they cost."), validators=[InputRequired()])
    source = SelectField(_l("Source of money"), choices=options(SOURCE_TITLES), default="union")
    effective_on = DateField(
        _l("Effective day"),
        validators=[Optional()],
        description=_l("The day of the visit, unless its month is closed already."),
    )
    again = BooleanField(_l("Book it although the worker was given something this year"))

    def validate_id_number(self, field: StringField) -> None:
        """A worker is found by it."""
        if not field.data:
            raise ValidationError(_("Please enter the identity number."))

    def validate_unit(self, field: StringField) -> None:
        """A unit has a name."""
        if not field.data:
            raise ValidationError(_("Please enter the name of the unit."))

    def validate_gift(self, field: StringField) -> None:
        """Goods are named."""
        if not field.data:
            raise ValidationError(_("Please say which goods."))

    def validate_visited_on(self, field: DateField) -> None:
        """What is written down has happened."""
        if field.data and field.data > today():
            raise ValidationError(_("This day lies in the future; a visit is written down when it was paid."))

    def validate_effective_on(self, field: DateField) -> None:
        """A late visit is booked later than it was."""
        if field.data and self.visited_on.data and field.data < self.visited_on.data:
            raise ValidationError(_("The effective day lies before the visit."))


class UndoForm(Form):
    """Why a visit is undone."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    reason = StringField(_l("Reason"), validators=[InputRequired(), Length(max=200)])
