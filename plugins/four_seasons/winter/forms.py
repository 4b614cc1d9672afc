"""The settings of a winter campaign, and the forms of its registers."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.api import (
    NewPersonRecordForm,
    OrgRecordForm,
    ProgramSettingsForm,
    SignedForm,
    YuanField,
    options,
)
from plugins.four_seasons.words import CATEGORY_TITLES, RULE_TITLES, WEIGHT_TITLES


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
        description=_l("Shared out to the paying unions; these raise the rest themselves."),
    )
    allotted_by = SelectField(_l("Allotted by"), choices=options(WEIGHT_TITLES), default="list")
    leader_enterprises = IntegerField(
        _l("Enterprises that each leader visits"),
        description=_l("0 where there is no quota."),
        default=0,
        filters=[lambda value: value or 0],
        validators=[Optional(), NumberRange(min=0, max=1000)],
    )
    leader_workers = IntegerField(
        _l("Workers in hardship whom each leader visits"),
        description=_l("0 where there is no quota."),
        default=0,
        filters=[lambda value: value or 0],
        validators=[Optional(), NumberRange(min=0, max=1000)],
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
    points = IntegerField(
        _l("Points"),
        description=_l("What the sponsor's money is allotted by, where the settings say so."),
        default=0,
        filters=[lambda value: value or 0],
        validators=[Optional(), NumberRange(min=0, max=10_000_000)],
    )


class BookingForm(SignedForm):
    """The day from which money that is booked counts."""

    effective_on = DateField(_l("Effective day"), validators=[Optional()])
