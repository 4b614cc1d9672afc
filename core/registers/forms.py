"""The filter of the lists of registers."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from core.web.forms import Form


class FilterForm(Form):
    """What a list is narrowed down to: a part of the tree, the beginning of a name. Sent in the address."""

    org = StringField(_l("Code of the union"), render_kw={"autocomplete": "off", "maxlength": 64})
    text = StringField(
        _l("Beginning of the name, its pinyin or initials"), render_kw={"autocomplete": "off", "maxlength": 50}
    )
