"""A forged ``Host``: no page, no link and no mail ever leads to a name that is not ours."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from core import create_app
from core.config import Settings, load_settings
from core.errors import ConfigError

pytestmark = pytest.mark.services
FORGED = [
    "evil.example",
    "localhost.evil.example",
    "evil.example:80",
    "localhost@evil.example",
    "",
    "local host",
    "[::",
    "a/b",
]


@pytest.mark.parametrize("host", FORGED)
def test_a_strange_host_gets_a_sentence_and_nothing_else(host: str, client: FlaskClient) -> None:
    """Wants links and mails that lead to a name of theirs, by a forged Host."""
    for path in ("/", "/login", "/static/app.css", "/no/such/page"):
        answer = (
            client.get(path, headers={"Host": host}) if host else client.get(path, environ_overrides={"HTTP_HOST": ""})
        )
        if not host and answer.status_code != 400:  # without a name it is the server's own
            continue
        assert answer.status_code == 400, path
        assert "evil.example" not in answer.text
        assert "evil.example" not in str(answer.headers)
        assert answer.headers["X-Request-ID"] in answer.text
        assert "script-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_names_of_the_site_are_its_address_and_what_is_added(settings: Settings) -> None:
    ours = replace(settings, site_url="https://zhijia.example/", more_hosts=("old.zhijia.example",))
    app = create_app(ours, discover=False)
    for host, status in {
        "zhijia.example": 200,
        "zhijia.example:8443": 200,
        "old.zhijia.example": 200,
        "localhost": 200,
        "127.0.0.1:5000": 200,
        "www.zhijia.example": 400,
        "zhijia.example.evil.example": 400,
    }.items():
        assert app.test_client().get("/health", headers={"Host": host}).status_code == status, host


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_forwarded_host_counts_only_behind_a_proxy_of_ours(settings: Settings, proxies: int) -> None:
    """Wants the same by the header that a proxy would set."""
    app = create_app(replace(settings, proxies=proxies), discover=False)
    answer = app.test_client().get("/health", headers={"X-Forwarded-Host": "evil.example"})
    assert answer.status_code == (400 if proxies else 200)
    lax = app.test_client().get("/health", headers={"X-Forwarded-Proto": "https"})
    assert ("Strict-Transport-Security" in lax.headers) is bool(proxies)


def test_a_redirect_names_no_host(client: FlaskClient) -> None:
    """Wants a redirect to carry a visitor to their name."""
    answer = client.get("/account", headers={"X-Forwarded-Host": "evil.example", "X-Host": "evil.example"})
    assert answer.headers["Location"] == "/login?next=/account"


@pytest.mark.parametrize("value", ["https://zhijia.example", "zhijia.example:443", "*", ".example", "a b;c", "张.cn"])
def test_a_wrong_name_of_a_host_is_one_sentence(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="ZHIJIA_HOSTS"):
        load_settings({"ZHIJIA_INSTANCE": str(tmp_path), "ZHIJIA_HOSTS": value})


def test_names_are_read(tmp_path: Path) -> None:
    variables = {"ZHIJIA_SITE_URL": "https://Zhijia.example:8443/", "ZHIJIA_HOSTS": "a.example, B.example"}
    hosts = load_settings({"ZHIJIA_INSTANCE": str(tmp_path), **variables}).hosts
    assert hosts == ["zhijia.example", "a.example", "b.example", "localhost", "127.0.0.1"]
