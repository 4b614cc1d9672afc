"""The form of an export."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectMultipleField
from wtforms.validators import InputRequired

from core.lists.types import Column
from core.people.forms import PurposeForm
from core.web.forms import options


class ExportForm(PurposeForm):
    """What of a list goes into a file, and of which kind; of a list of people also what it is for."""

    kind = RadioField(
        _l("Kind of file"),
        choices=options({"xlsx": _l("Excel (xlsx)"), "csv": _l("CSV (UTF-8)")}),
        default="xlsx",
        validators=[InputRequired()],
    )
    columns = SelectMultipleField(_l("Columns"), validators=[InputRequired(_l("Choose at least one column."))])

    def offer(self, columns: Sequence[Column], chosen: Sequence[Column], *, of_people: bool) -> None:
        """The columns that there are; those that the reader sees in the list are chosen at first."""
        if not of_people:
            del self.purpose
            del self.note
        self.columns.choices = options({column.name: column.title for column in columns})
        if self.columns.data is None:
            self.columns.data = [column.name for column in chosen]
