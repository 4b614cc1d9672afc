"""HEAD, which no token is asked for and which a closed year lets pass, does nothing but what GET does."""

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from core.api import db
from core.files.models import File
from core.users.testing import Browser
from core.web.guard import public
from tests.attacks.test_every_form import WORD
from tests.files.conftest import address as address
from tests.files.conftest import browser as browser
from tests.files.conftest import clerk as clerk
from tests.files.conftest import clubs as clubs
from tests.files.conftest import corner as corner
from tests.files.conftest import english as english
from tests.files.conftest import files, send
from tests.files.conftest import plugins as plugins
from tests.files.conftest import record as record
from tests.files.conftest import settings as settings
from tests.files.conftest import store_path as store_path
from tests.matrix.ways import PDF

pytestmark = pytest.mark.services


def test_nothing_is_removed_or_added_by_a_head(browser: Browser, address: str) -> None:
    """Wants a file taken away or an entry added past the token of the page and past the closing of the year: by
    HEAD, with the form in its body.
    """
    assert send(browser, address, "a.pdf", PDF).status_code == 302
    [file] = files()
    for path in (
        f"{address}{file.id}/remove",
        address,
        address.rpartition("/registers/")[0] + "/registers/corners/add",
    ):
        answer = browser.open(path, method="HEAD", csrf=False, data={"name": WORD, "org_code": "610102"})
        assert answer.status_code in (200, 404), path
    assert [one.id for one in files()] == [file.id]
    assert db.session.query(File).count() == 1


def test_no_view_is_told_of_a_head(app: Flask, client: FlaskClient) -> None:
    """Wants a view, of a plugin too, that takes whatever is not GET for a form, to write."""
    told = []

    @public
    def careless() -> str:
        told.append(request.method)
        return "body"

    app.add_url_rule("/careless", view_func=careless)
    answer = client.head("/careless")
    assert (answer.status_code, answer.data, answer.headers["Content-Length"], told) == (200, b"", "4", ["GET"])
