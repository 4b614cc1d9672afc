"""The settings of a year of study aid, and the form of an application."""

from typing import cast

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from core.api import Form, NewPersonRecordForm, ProgramSettingsForm, YuanField, options, today
from plugins.four_seasons.autumn.fields import parent_field
from plugins.four_seasons.autumn.words import BASES, EXCLUDING, LEVELS, OTHER_AID, RULES


def more_than_nothing(_form: Form, field: YuanField) -> None:
    """Whoever is approved gets something."""
    if not field.data:
        raise ValidationError(_("The amount must be more than 0 yuan."))


def not_in_future(_form: Form, field: DateField) -> None:
    """What is written down has happened."""
    if field.data and field.data > today():
        raise ValidationError(_("This day lies in the future."))


class StudyAidSettingsForm(ProgramSettingsForm):
    """Settings that every program of study aid has."""

    applications_until = DateField(
        _l("Applications until"),
        description=_l("The last day on which somebody can have applied; empty means no closing date."),
        validators=[Optional()],
    )
    starts_on = DateField(
        _l("First day of the campaign"),
        description=_l("Whoever has graduated by then gets nothing; 1 January if it is empty."),
        validators=[Optional()],
    )
    ends_on = DateField(_l("Last day of the campaign"), validators=[Optional()])
    review_days = IntegerField(
        _l("Review (working days)"),
        description=_l("How long an application may wait for each review; 0 means no deadline."),
        default=5,
        validators=[InputRequired(), NumberRange(min=0, max=60)],
    )
    excludes = SelectMultipleField(
        _l("What excludes from study aid"),
        choices=options(EXCLUDING),
        default=tuple(EXCLUDING),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )

    def validate_ends_on(self, field: DateField) -> None:
        """The campaign must not end before it begins."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day of the campaign lies before the first."))


def _amount(title: LazyString, fen: int | None = None) -> YuanField:
    return YuanField(cast(str, title), default=fen, validators=[InputRequired(), more_than_nothing])


class AutumnSettingsForm(StudyAidSettingsForm):
    """Settings of a year's autumn campaign (金秋助学). An amount for each level and basis, ``<level>_<basis>``."""

    rule = SelectField(_l("Rule of payment"), choices=options(RULES), default="fixed")
    pool = YuanField(_l("Pool (yuan)"), description=_l("All money of all levels, where it is shared out."))
    province_fund = YuanField(_l("Fund of the sponsor (yuan)"), description=_l("Its part of what all levels raise."))
    senior_on_file = _amount(_l("Senior school, parent on file, each (yuan)"))
    junior_on_file = _amount(_l("Junior college, parent on file, each (yuan)"))
    bachelor_on_file = _amount(_l("Bachelor, parent on file, each (yuan)"))
    senior_difficult = _amount(_l("Senior school, parent not on file, each (yuan)"))
    junior_difficult = _amount(_l("Junior college, parent not on file, each (yuan)"))
    bachelor_difficult = _amount(_l("Bachelor, parent not on file, each (yuan)"))

    def validate_pool(self, field: YuanField) -> None:
        """A pool is needed where it is shared out."""
        if self.rule.data == "pool" and not field.data:
            raise ValidationError(_("To share a pool, the pool must be more than 0 yuan."))


class MineSettingsForm(StudyAidSettingsForm):
    """Settings of a year of aid to mine-disaster families (矿难家庭助学): an amount for each level, a person and year.

    The defaults are those of the Tianjiao Foundation in 2014 (domain.md, C06).
    """

    senior = _amount(_l("Senior school, each (yuan)"), 2_000_00)
    junior = _amount(_l("Junior college, each (yuan)"), 4_000_00)
    bachelor = _amount(_l("Bachelor, each (yuan)"), 5_000_00)


class MineApplicationForm(NewPersonRecordForm):
    """The application of a student of a mine-disaster family."""

    parent = parent_field()
    level = SelectField(_l("Level of school"), choices=options(LEVELS))
    school = StringField(_l("School"), validators=[DataRequired(), Length(max=100)])
    admitted_on = DateField(_l("Admitted on"), validators=[InputRequired(), not_in_future])
    graduates_on = DateField(_l("Graduates on"), validators=[InputRequired()])
    other_aid = SelectField(_l("Other aid"), choices=options(OTHER_AID), default="none")
    applied_on = DateField(_l("Applied on"), validators=[InputRequired(), not_in_future])

    def validate_graduates_on(self, field: DateField) -> None:
        """Nobody graduates before being admitted."""
        if field.data and self.admitted_on.data and field.data <= self.admitted_on.data:
            raise ValidationError(_("The student graduates before being admitted."))


class ApplicationForm(MineApplicationForm):
    """The application of a student of a worker's family, who may be on the hardship file."""

    basis = SelectField(_l("Applies as"), choices=options(BASES))
