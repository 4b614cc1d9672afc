"""Several choices in one cell: titles in either language or codes, between the signs that people write there."""

import pytest
from flask import Flask
from wtforms import SelectMultipleField
from wtforms.validators import InputRequired

from core.imports.cells import FormCells, is_required
from core.imports.sheets import _text
from core.web.forms import Form, options

pytestmark = pytest.mark.services
CHOICES = {"relief": "困难救助", "jobs": "Finding jobs", "law": "法律援助"}


class OfferForm(Form):
    """What is offered; at least something of the other."""

    offers = SelectMultipleField("Offers", choices=options(CHOICES))
    needed = SelectMultipleField("Needed", choices=options(CHOICES), validators=[InputRequired()])


def test_every_choice_of_a_cell_is_read(app: Flask) -> None:
    cells = FormCells(OfferForm(), "offers", "Offers")
    texts = ["困难救助、法律援助", "relief，jobs", " 困难救助 ; FINDING JOBS;", "law", "", "、"]
    assert cells.column(texts) == (
        ['["relief", "law"]', '["relief", "jobs"]', '["relief", "jobs"]', '["law"]', "[]", "[]"],
        {},
    )


def test_a_choice_that_is_not_there_is_named(app: Flask) -> None:
    texts, faults = FormCells(OfferForm(), "offers", "Offers").column(["困难救助、打牌"])
    assert texts == ['"困难救助、打牌"']
    assert faults == {0: ("“Offers”: “打牌” is none of 困难救助、Finding jobs、法律援助.",)}


def test_a_cell_may_be_empty_unless_something_is_required(app: Flask) -> None:
    form = OfferForm()
    assert not is_required(form["offers"])
    assert is_required(form["needed"])
    assert FormCells(form, "needed", "Needed").column([""])[1] == {0: ("“Needed” is missing.",)}


def test_wrong_rows_are_handed_back_as_they_are_read(app: Flask) -> None:
    form = OfferForm()
    assert _text(form, "offers", ["relief", "law"]) == "困难救助、法律援助"
    assert _text(form, "offers", "困难救助、打牌") == "困难救助、打牌"
