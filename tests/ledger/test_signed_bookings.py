"""Allotting and taking back ask for one's own password again; a refusal loses nothing of what the page carried."""

import pytest
from flask.testing import FlaskClient

from tests.ledger.test_allot_pages import BACK, BUDGET, FORM, booking, english, finance, given, hidden, row_of

__all__ = ["booking", "english", "finance"]
pytestmark = pytest.mark.services


def test_nothing_is_allotted_or_taken_back_without_ones_own_password(finance: FlaskClient, booking: str) -> None:
    carried = hidden(finance.post(f"{BUDGET}allot/preview", data=FORM).text) | {"key": "another"}
    for proof, expected in (({"password": ""}, 400), ({"password": "not-mine-2014"}, 401)):
        refused = finance.post(f"{BUDGET}allot", data=carried | proof)
        assert (refused.status_code, 'id="password-errors"' in refused.text) == (expected, True)
        assert hidden(refused.text)["shares"] == carried["shares"]  # the preview again, with all that it carried
        back = finance.post(f"{booking}/take-back", data=BACK | {f"take-{row_of('6101')}": "1"} | proof)
        assert (back.status_code, 'id="password-errors"' in back.text) == (expected, True)
    assert given() == {"6101": 6_000, "6102": 4_000}
