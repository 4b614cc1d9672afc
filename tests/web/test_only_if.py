"""A field that counts only while another one has a certain value."""

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import InputRequired

from core.web.forms import Form, OnlyIf, options


class VisitForm(Form):
    kind = SelectField("Kind", choices=options({"home": "At home", "ward": "On the ward", "none": "None"}))
    ward = StringField("Ward", validators=[OnlyIf("kind", "ward"), InputRequired()])
    beds = IntegerField("Beds", validators=[OnlyIf("kind", "ward", "home"), InputRequired()])


@pytest.mark.parametrize(
    ("typed", "data", "wrong"),
    [
        ({"kind": "none", "ward": "3", "beds": "x"}, {"ward": "", "beds": None}, []),
        ({"kind": "home", "ward": "3", "beds": "2"}, {"ward": "", "beds": 2}, []),
        ({"kind": "home", "beds": ""}, {"ward": ""}, ["beds"]),
        ({"kind": "ward", "ward": "3", "beds": "2"}, {"ward": "3", "beds": 2}, []),
        ({"kind": "ward", "ward": "", "beds": "x"}, {}, ["ward", "beds"]),
    ],
)
def test_it_is_emptied_and_asked_nothing_where_it_does_not_count(
    typed: dict[str, str], data: dict[str, object], wrong: list[str]
) -> None:
    form = VisitForm(MultiDict(typed))
    form.validate()
    assert [name for name, errors in form.errors.items() if errors] == wrong
    assert {name: form[name].data for name in data} == data


def test_the_page_is_told_when_to_show_it() -> None:
    assert VisitForm().beds.flags.only_if == "kind=ward|home"
