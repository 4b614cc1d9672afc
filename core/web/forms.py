"""The base of every form: blanks stripped, messages in the reader's language."""

from collections.abc import Mapping
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form as WTForm
from wtforms import PasswordField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its type information
from wtforms.i18n import get_translations
from wtforms.validators import InputRequired, StopValidation

from core.errors import ZhijiaError

#: What is as large does not fit into the bigint of a table.
LARGEST_NUMBER = 10**18


def options(titles: Mapping[str, object]) -> list[Any]:
    """The choices of a select field, from value -> title (titles may be lazy)."""
    return [SelectChoice(value, title) for value, title in titles.items()]


class OnlyIf:
    """A validator for a field that counts only while another one has one of these values; else it is emptied.

    The page shows the field only then; without JavaScript it is there and its value is left out.
    """

    def __init__(self, other: str, *values: str) -> None:
        self._other, self._values = other, values
        self.field_flags = {"only_if": f"{other}={'|'.join(values)}"}

    def __call__(self, form: WTForm, field: Any) -> None:
        """Empty the field and ask it nothing more where it does not count."""
        if str(form[self._other].data) not in self._values:
            field.data = "" if isinstance(field, StringField) else None
            field.errors[:] = []
            raise StopValidation


def _strip(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


class Form(WTForm):
    """Base of the forms of core and plugins; fill it with ``Form(request.form)``. CSRF is checked for every POST."""

    class Meta:
        """Chinese messages from WTForms; text without surrounding blanks."""

        def get_translations(self, _form: WTForm) -> Any:
            """The messages of WTForms in the reader's language."""
            return get_translations([str(get_locale() or "zh"), "en"])

        def bind_field(self, form: WTForm, unbound_field: Any, options: Any) -> Any:
            """Strip text fields (not passwords, where a blank may be meant)."""
            if unbound_field.field_class is StringField:
                options.setdefault("filters", []).append(_strip)
            return unbound_field.bind(form=form, **options)

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """As WTForms does; a number that no column holds is refused first, as its own validators cannot weigh it."""
        for field in self:
            if isinstance(field.data, int) and abs(field.data) >= LARGEST_NUMBER:
                field.data = None
                field.process_errors = [*field.process_errors, _("This number is too large.")]
        return bool(super().validate(*args, **kwargs))

    def refuse(self, error: ZhijiaError) -> None:
        """Show the sentence of a refusal at its field, or above the form when it belongs to none."""
        if error.field and error.field in self._fields:
            field = self._fields[error.field]
            field.errors = [*field.errors, str(error)]
        else:
            self.form_errors.append(str(error))


class SignedForm(Form):
    """A step that asks for one's own password again, and for a code of the second factor where one is enrolled.

    Its page shows both by ``ui.proof(form)``; its view has them proved by :func:`core.web.guard.prove`.
    """

    password = PasswordField(
        _l("Your password"),
        description=_l("Asked again, so that nobody acts in your name."),
        validators=[InputRequired()],
        render_kw={"autocomplete": "current-password"},
    )
    code = StringField(
        _l("Code of the second factor"),
        description=_l("Six digits from the app, or one of your recovery codes."),
        render_kw={"autocomplete": "one-time-code", "maxlength": 40},
    )
