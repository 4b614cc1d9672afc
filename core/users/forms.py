"""The forms of logging in and of managing users."""

from flask_babel import lazy_gettext as _l
from wtforms import DateField, FileField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, Regexp

from core.web.forms import Form, SignedForm, options

#: When e-mails come.
MAILING_TITLES = {
    "daily": _l("once a day, when something waits"),
    "each": _l("soon after each new task or message"),
    "none": _l("never"),
}
_EMAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\Z"


class LoginForm(Form):
    """Name and password."""

    username = StringField(_l("User name"), [InputRequired(), Length(max=128)], render_kw={"autocomplete": "username"})
    password = PasswordField(_l("Password"), [InputRequired()], render_kw={"autocomplete": "current-password"})


class CodeForm(Form):
    """A code of the second factor."""

    code = StringField(
        _l("Code of the second factor"),
        [InputRequired(), Length(max=40)],
        render_kw={"autocomplete": "one-time-code"},
    )


class PasswordForm(Form):
    """Changing one's own password."""

    current = PasswordField(_l("Current password"), [InputRequired()], render_kw={"autocomplete": "current-password"})
    password = PasswordField(_l("New password"), [InputRequired()], render_kw={"autocomplete": "new-password"})


class MailForm(Form):
    """Where and when e-mails go; an empty address gets none."""

    email = StringField(
        _l("E-mail address"),
        [Optional(), Length(max=254), Regexp(_EMAIL, message=_l("This is not an e-mail address."))],
        description=_l("Mails only say how much waits, with a link; never a name or a number."),
    )
    mailing = SelectField(_l("E-mails come"), choices=options(MAILING_TITLES), default="daily")


class GrantForm(SignedForm):
    """A role on an org subtree; no program means every program, no day means for good."""

    role = SelectField(_l("Role"), default="clerk")
    org_code = StringField(_l("Code of the organisation"), [InputRequired()])
    program = SelectField(_l("Program"), [Optional()])
    until = DateField(_l("Until (inclusive)"), [Optional()])


class UploadForm(SignedForm):
    """A list of users."""

    file = FileField(_l("List (xlsx or CSV)"))


class UserForm(SignedForm):
    """A new user."""

    username = StringField(_l("User name"), [InputRequired()])
    name = StringField(_l("Name"), [InputRequired()])
    org_code = StringField(_l("Code of the organisation"), [InputRequired()])
    role = SelectField(_l("Role"), default="clerk")
