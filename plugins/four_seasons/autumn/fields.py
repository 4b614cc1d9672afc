"""The field that names another person by the identity number, and keeps no number."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from core.api import ZhijiaError, digest, mask_id, parse_id_number


class Named(str):
    """How somebody was named: the masked number, a blank, the keyed digest in hex; read by people as the former."""

    __slots__ = ()

    def __str__(self) -> str:
        return self.partition(" ")[0]


class ParentField(StringField):
    """Takes an identity number; ``data`` is a :class:`Named`, which entries, their history and imports keep.

    Nothing of what is kept is put into the page: an empty field leaves who is named already.
    """

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ""

    def process_data(self, value: Any) -> None:
        """What an entry holds."""
        self.data = Named(value or "")

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Keep the digest of a number; raises :class:`ValueError` for one that is none."""
        typed = str(valuelist[0]).strip() if valuelist else ""
        if not typed:
            self.data = self.object_data if isinstance(self.object_data, Named) else Named(self.object_data or "")
            return
        try:
            number = parse_id_number(typed).number
        except ZhijiaError as error:
            self.data = Named("")
            raise ValueError(str(error)) from error
        self.data = Named(f"{mask_id(number)} {digest('id_number', number).hex()}")


def parent_field() -> ParentField:
    """The parent of a student."""
    return ParentField(
        _l("Identity number of the parent"),
        description=_l("A worker on file in any union. Leave it empty to keep whom the entry names already."),
        render_kw={"autocomplete": "off", "maxlength": 30},
    )
