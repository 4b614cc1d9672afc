"""The settings form of a program year: its base, the fields it needs, and the way from form to JSON and back."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeVar, cast

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import DateField, Field, IntegerField, SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import InputRequired, NumberRange, Optional

from core.errors import ZhijiaError
from core.org.models import LEVELS
from core.org.titles import LEVEL_TITLES
from core.plugin.registry import registry_of
from core.programs.models import FIRST_YEAR, LAST_YEAR
from core.web.fields import YuanField, from_json, shown, to_json
from core.web.forms import Form, options

AnyForm = TypeVar("AnyForm", bound=Form)


def bank_formats() -> list[Any]:
    """The layouts of bank files that are there, as choices: those of the core, then those of plugins."""
    return options({code: layout.title for code, layout in registry_of().bank_formats.items()})


class ProgramSettingsForm(Form):
    """Settings that every program which pays out has; a plugin adds its own below them."""

    notice_working_days = IntegerField(
        _l("Public notice (working days)"),
        description=_l("How long the list is shown before it is approved; 0 means no notice."),
        default=5,
        validators=[InputRequired(), NumberRange(min=0, max=60)],
    )
    approvals_needed = IntegerField(
        _l("Approvals needed"),
        description=_l("How many reviewers must agree before money is paid."),
        default=1,
        validators=[InputRequired(), NumberRange(min=1, max=5)],
    )
    reminder_working_days = IntegerField(
        _l("Reminder (working days before)"),
        description=_l("How long before its last day people are reminded of a task; 0 means on that day."),
        default=2,
        validators=[InputRequired(), NumberRange(min=0, max=30)],
    )
    bank_format = SelectMultipleField(
        _l("Formats of the bank files"),
        description=_l("In which layouts the files for the banks are written; several are possible."),
        choices=bank_formats,
        default=("csv",),
    )
    return_working_days = IntegerField(
        _l("Return file (working days)"),
        description=_l("Within how many days after posting the bank says what became of the payments."),
        default=5,
        validators=[Optional(), NumberRange(min=0, max=60)],
    )
    paying_level = SelectField(
        _l("Paying level"),
        description=_l("The unions of this level pay from their budget."),
        choices=options({level: LEVEL_TITLES[level] for level in LEVELS}),
        default="city",
    )
    cap_program = YuanField(
        _l("Most for one payee from this program (yuan)"),
        description=_l("In the whole year; what goes beyond is cut. Empty means no limit."),
        validators=[Optional()],
    )
    cap_year = YuanField(
        _l("Most for one payee from all programs (yuan)"),
        description=_l("In the whole year, together with what other programs have paid; empty means no limit."),
        validators=[Optional()],
    )


class DatesForm(Form):
    """When a program year opens and closes; both days belong to it."""

    opens_on = DateField(_l("Opens on"), validators=[InputRequired()])
    closes_on = DateField(
        _l("Closes on"),
        description=_l("The last day on which anything can be changed; empty means no end."),
        validators=[Optional()],
    )

    @property
    def first_day(self) -> date:
        """The first day. Only when the form was validated."""
        return cast(date, self.opens_on.data)


class YearForm(DatesForm):
    """Which year, who runs it and when: what is asked beside the settings when a program is switched on."""

    year = IntegerField(_l("Year"), validators=[InputRequired(), NumberRange(min=FIRST_YEAR, max=LAST_YEAR)])
    sponsor = StringField(
        _l("Code of the sponsor"),
        description=_l("The union that runs the program, for example 61."),
        validators=[InputRequired()],
        render_kw={"list": "sponsors", "autocomplete": "off"},
    )


class CopyForm(Form):
    """Which year is copied into which."""

    source = IntegerField(_l("From the year"), validators=[InputRequired(), NumberRange(min=FIRST_YEAR, max=LAST_YEAR)])
    target = IntegerField(_l("Into the year"), validators=[InputRequired(), NumberRange(min=FIRST_YEAR, max=LAST_YEAR)])

    def validate_target(self, field: IntegerField) -> None:
        """A year is not copied into itself."""
        if field.data == self.source.data:
            raise ValidationError(_("Choose another year to copy into."))


def settings_from(form: Form) -> dict[str, Any]:
    """The values of a validated form as JSON values: days as ISO text, money as whole fen, decimals as text."""
    return {field.short_name: to_json(field.data) for field in form}


def form_for(form_class: type[AnyForm], settings: Mapping[str, Any], *, prefix: str = "") -> AnyForm:
    """The form, not submitted, filled with settings from the database; what they lack has the form's default."""
    empty = form_class()
    known = {name: from_json(empty[name], value) for name, value in settings.items() if name in empty}
    return form_class(data=known, prefix=prefix)


def checked_settings(form_class: type[Form], settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values through the form's own rules, with defaults for what is missing.

    Raises :class:`ZhijiaError` with one sentence, at the field it belongs to.
    """
    _check_names(form_class, settings)
    try:
        texts = _texts(form_for(form_class, settings))
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ZhijiaError(_("The settings cannot be read: %(reason)s", reason=str(error))) from error
    return _validated(form_class, texts)


def checked_texts(form_class: type[Form], texts: Mapping[str, Any]) -> dict[str, Any]:
    """What people typed (``pool`` = ``1.25亿元``), through the form, as JSON values; missing fields keep their default.

    Raises :class:`ZhijiaError` with one sentence, at the field it belongs to.
    """
    _check_names(form_class, texts)
    return _validated(form_class, _texts(form_class()) | dict(texts))


def _check_names(form_class: type[Form], names: Iterable[str]) -> None:
    form = form_class()
    for name in names:
        if name not in form:
            raise ZhijiaError(_("There is no setting “%(name)s”.", name=name), field=name)


def _validated(form_class: type[Form], texts: Mapping[str, Any]) -> dict[str, Any]:
    form = form_class(formdata=MultiDict(texts))
    if form.validate():
        return settings_from(form)
    for field in form:
        for sentence in field.errors:
            wrong = _("%(label)s: %(sentence)s", label=field.label.text, sentence=sentence)
            raise ZhijiaError(wrong, field=field.short_name)
    raise ZhijiaError(str(form.form_errors[0]))


def _texts(form: Form) -> dict[str, Any]:
    return {name: value for field in form for name, value in _as_text(field)}


def _as_text(field: Field) -> list[tuple[str, Any]]:
    """What a browser would send for the field as it is filled; nothing for an empty one."""
    if field.data is None or field.data is False:
        return []
    if isinstance(field.data, (list, tuple)):
        return [(field.short_name, [str(item) for item in field.data])]
    value = field._value() if hasattr(field, "_value") and field.data is not True else str(field.data)
    return [(field.short_name, value)]


def summary(form_class: type[Form] | None, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and value of each setting, as people read them; by their keys when the plugin is gone."""
    if form_class is None:
        return [(name, str(value)) for name, value in settings.items()]
    return [(str(field.label.text), shown(field)) for field in form_for(form_class, settings)]
