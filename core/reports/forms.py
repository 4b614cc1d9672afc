"""How a report is looked at, in the address."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from core.lists.types import Column
from core.web.forms import Form, options


class LookForm(Form):
    """By what to group, within which union, and whether beside the year before."""

    by = SelectMultipleField(
        _l("Group by"),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=False,  # the page says itself what it has not
    )
    org = StringField(_l("Code of the union"), render_kw={"autocomplete": "off", "maxlength": 64})
    compare = BooleanField(_l("Compare with last year"))

    def offer(self, dimensions: Sequence[Column]) -> None:
        """What can be grouped by; the first of it where nothing is asked for."""
        self.by.choices = options({column.name: column.title for column in dimensions})
        if not self.by.data and dimensions:
            self.by.data = [dimensions[0].name]
