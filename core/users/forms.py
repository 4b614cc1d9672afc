"""The forms of logging in and of managing users."""

from flask_babel import lazy_gettext as _l
from wtforms import DateField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from core.web.forms import Form


class LoginForm(Form):
    """Name and password."""

    username = StringField(_l("User name"), [InputRequired(), Length(max=128)])
    password = PasswordField(_l("Password"), [InputRequired()])


class PasswordForm(Form):
    """Changing one's own password."""

    current = PasswordField(_l("Current password"), [InputRequired()])
    password = PasswordField(_l("New password"), [InputRequired()])


class GrantForm(Form):
    """A role on an org subtree; no program means every program, no day means for good."""

    role = SelectField(_l("Role"), default="clerk")
    org_code = StringField(_l("Code of the organisation"), [InputRequired()])
    program = SelectField(_l("Program"), [Optional()])
    until = DateField(_l("Until (inclusive)"), [Optional()])


class UserForm(Form):
    """A new user."""

    username = StringField(_l("User name"), [InputRequired()])
    name = StringField(_l("Name"), [InputRequired()])
    org_code = StringField(_l("Code of the organisation"), [InputRequired()])
    role = SelectField(_l("Role"), default="clerk")
