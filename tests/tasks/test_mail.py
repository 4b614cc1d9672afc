"""E-mails: to whom, when, once, encrypted, and nothing about anybody in them. The server is a real one, in a thread."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.config import EXTENSION, MailSettings, load_settings
from core.disbursements.testing import SwitchOn
from core.errors import ConfigError
from core.extensions import db
from core.tasks import jobs, mail
from core.tasks.models import Mail
from core.tasks.services import finish_tasks, notify
from core.users.models import User
from core.users.services import set_mail
from core.users.testing import MakeUser
from tests.tasks.conftest import REVIEW, Opener

pytestmark = pytest.mark.services
DAY = date(2014, 1, 9)


class Box:
    """What a mail server took, and what it is to answer; aiosmtpd calls it."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.answer = "250 OK"
        self.encrypted: list[bool] = []

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # aiosmtpd's name
        """Take a mail, or refuse it."""
        if self.answer.startswith("250"):
            text = message_from_bytes(envelope.content)
            body = text.get_payload(decode=True)
            assert isinstance(body, bytes)
            whole = f"{make_header(decode_header(text['Subject']))}\n{body.decode()}"
            self.taken.append((envelope.rcpt_tos[0], whole))
            self.encrypted.append(session.ssl is not None)
        return self.answer


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def server(app: Flask, box: Box) -> Iterator[Controller]:
    """A mail server on this machine, which the application is told to use."""
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    use(app, controller.port, "none")
    yield controller
    controller.stop()


def free_port() -> int:
    """A port that nobody uses; aiosmtpd cannot find one by itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def use(app: Flask, port: int, security: Any) -> None:
    settings = MailSettings("127.0.0.1", port, security, "Zhijia <zhijia@union.example>")
    app.extensions[EXTENSION] = replace(
        app.extensions[EXTENSION], mail=settings, site_url="https://zhijia.union.example/"
    )
    app.config["TRUSTED_HOSTS"] = app.extensions[EXTENSION].hosts  # as the application has it from its start


@pytest.fixture
def reader(make_user: MakeUser) -> Callable[..., User]:
    """``reader("daily")`` is a reviewer of Xi'an who wants mails that often."""

    def make(mailing: str, email: str = "reader@union.example") -> User:
        user = make_user("reviewer", "6101")
        set_mail(user, user, email, mailing)
        return user

    return make


def test_a_new_task_is_mailed_once_to_who_wants_each(
    server: Controller, box: Box, opened: Opener, reader: Callable[..., User]
) -> None:
    reader("each", "each@union.example")
    reader("daily", "daily@union.example")
    reader("none", "none@union.example")
    reader("each", "")
    opened("record:1")
    opened("record:2")
    mail.announce()
    assert mail.deliver() == 1
    assert [address for address, _text in box.taken] == ["each@union.example"]
    mail.announce()
    assert mail.deliver() == 0
    opened("record:3")
    mail.announce()
    assert mail.deliver() == 1


def test_a_message_is_mailed_as_well(server: Controller, box: Box, reader: Callable[..., User]) -> None:
    user = reader("each")
    notify(REVIEW, [user.id], "record:1", data={"title": "x"})
    mail.announce()
    assert mail.deliver() == 1
    assert "未读消息：1" in box.taken[0][1] or "Unread messages: 1" in box.taken[0][1]


def test_the_mail_says_how_much_waits_and_nothing_about_anybody(
    server: Controller, box: Box, opened: Opener, reader: Callable[..., User]
) -> None:
    user = reader("each")
    user.locale = "en"
    opened("record:1", data={"title": "吕小满"}, due_on=DAY)
    opened("record:2")
    mail.announce()
    mail.deliver()
    text = box.taken[0][1]
    assert "Tasks that wait for you: 2 (overdue: 1)" in text
    assert "https://zhijia.union.example/tasks/" in text
    for secret in ("吕小满", user.name, user.username, "record", "西安"):
        assert secret not in text


def test_the_daily_mail_comes_once_a_day_and_only_when_something_waits(
    server: Controller, box: Box, opened: Opener, reader: Callable[..., User]
) -> None:
    user = reader("daily")
    mail.owe_daily(DAY)
    assert mail.deliver() == 0
    opened("record:1")
    for _run in range(2):
        mail.owe_daily(DAY)
        mail.deliver()
    assert len(box.taken) == 1
    mail.owe_daily(DAY + timedelta(days=1))
    assert mail.deliver() == 1
    user.active = False
    db.session.commit()
    mail.owe_daily(DAY + timedelta(days=2))
    assert mail.deliver() == 0


def test_what_is_done_before_the_mail_goes_is_not_mailed(
    server: Controller, box: Box, opened: Opener, reader: Callable[..., User]
) -> None:
    reader("each")
    opened("record:1")
    mail.announce()
    finish_tasks(SYSTEM, "record:1")
    assert mail.deliver() == 0
    assert box.taken == []
    assert db.session.scalars(select(Mail)).all() == []


def test_a_mail_that_the_server_refuses_is_tried_again_until_it_is_given_up(
    server: Controller, box: Box, opened: Opener, reader: Callable[..., User]
) -> None:
    reader("each")
    opened("record:1")
    mail.announce()
    box.answer = "451 try later reader@union.example"
    assert mail.deliver() == 0
    owed = db.session.scalars(select(Mail)).one()
    assert (owed.sent_at, owed.attempts, owed.error) == (None, 1, "451")
    box.answer = "250 OK"
    assert mail.deliver() == 1
    owed.sent_at, owed.attempts = None, mail.ATTEMPTS
    db.session.commit()
    assert mail.deliver() == 0


def test_a_mail_older_than_a_day_is_given_up(
    server: Controller, box: Box, opened: Opener, reader: Callable[..., User]
) -> None:
    reader("each")
    opened("record:1")
    mail.announce()
    owed = db.session.scalars(select(Mail)).one()
    owed.created_at = datetime.now(UTC) - timedelta(days=1, minutes=1)
    db.session.commit()
    assert mail.deliver() == 0
    owed.created_at = datetime.now(UTC) - timedelta(hours=23)
    db.session.commit()
    assert mail.deliver() == 1


def test_a_mail_is_never_sent_twice_even_if_the_worker_dies_behind_it(
    server: Controller, box: Box, opened: Opener, reader: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader("each")
    opened("record:1")
    mail.announce()
    real = smtplib.SMTP.send_message

    def dies(self: smtplib.SMTP, message: Any) -> None:
        real(self, message)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(smtplib.SMTP, "send_message", dies)
        with pytest.raises(KeyboardInterrupt):
            mail.deliver()
    db.session.rollback()
    assert mail.deliver() == 0
    assert len(box.taken) == 1


def test_a_server_that_is_away_costs_no_attempt_and_piles_nothing_up(
    app: Flask, server: Controller, box: Box, opened: Opener, reader: Callable[..., User]
) -> None:
    reader("each")
    opened("record:1")
    use(app, free_port(), "none")
    mail.announce()
    assert mail.deliver() == 0
    opened("record:2")
    mail.announce()
    assert [owed.attempts for owed in db.session.scalars(select(Mail))] == [0]
    use(app, server.port, "none")
    assert mail.deliver() == 1


def test_two_workers_do_not_send_the_same_mail(
    server: Controller, box: Box, opened: Opener, reader: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader("each")
    opened("record:1")
    mail.announce()
    owed = list(db.session.scalars(select(Mail.id)))
    assert mail.deliver() == 1
    monkeypatch.setattr(mail, "owed_mails", lambda _attempts: owed)  # the other one read the list before
    assert mail.deliver() == 0
    assert len(box.taken) == 1


def test_nothing_is_sent_where_no_server_is_set(app: Flask, opened: Opener, reader: Callable[..., User]) -> None:
    reader("each")
    opened("record:1")
    mail.announce()
    assert mail.deliver() == 0
    assert [spec.name for spec in jobs.jobs_for(app.extensions[EXTENSION])] == [
        "tasks.remind",
        "tasks.failures",
        "tasks.tidy",
    ]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.crt", folder / "server.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_is_checked(
    app: Flask, box: Box, opened: Opener, reader: Callable[..., User], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, trusted: bool,
) -> None:  # fmt: skip
    public, private = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True)
    controller.start()
    use(app, controller.port, "starttls")
    app.extensions[EXTENSION] = replace(
        app.extensions[EXTENSION], mail=replace(app.extensions[EXTENSION].mail, host="localhost")
    )
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
    reader("each")
    opened("record:1")
    mail.announce()
    assert mail.deliver() == int(trusted)
    assert box.encrypted == [True] * trusted
    controller.stop()


def test_a_server_without_tls_gets_neither_password_nor_mail(
    app: Flask, server: Controller, box: Box, opened: Opener, reader: Callable[..., User]
) -> None:
    use(app, server.port, "starttls")
    reader("each")
    opened("record:1")
    mail.announce()
    assert mail.deliver() == 0
    assert box.taken == []


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"ZHIJIA_INSTANCE": str(tmp_path)} | {f"ZHIJIA_{name}": value for name, value in more.items()}


WHOLE = {"MAIL_FROM": "职家 <zhijia@union.example>", "SITE_URL": "https://zhijia.union.example"}


def test_the_settings_of_a_mail_server_are_read(tmp_path: Path) -> None:
    def read(url: str) -> MailSettings:
        found = load_settings(environment(tmp_path, MAIL_URL=url, **WHOLE)).mail
        assert found is not None
        return found

    far = read("smtp://clerk:p%40ss@mail.union.example")
    assert (far.host, far.port, far.security, far.user, far.password) == (
        "mail.union.example", 587, "starttls", "clerk", "p@ss",
    )  # fmt: skip
    assert "p@ss" not in repr(far)
    assert (read("smtps://mail.union.example").port, read("smtps://mail.union.example").security) == (465, "tls")
    assert (read("smtp://localhost").port, read("smtp://localhost:26").security) == (25, "none")
    assert load_settings(environment(tmp_path)).mail is None


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"MAIL_URL": "http://mail.union.example"}, "MAIL_URL"),
        ({"MAIL_URL": "smtp://"}, "MAIL_URL"),
        ({"MAIL_URL": "smtp://mail.union.example:many"}, "MAIL_URL"),
        ({"MAIL_FROM": "nobody"}, "MAIL_FROM"),
        ({"SITE_URL": ""}, "SITE_URL"),
        ({"SITE_URL": "zhijia.union.example"}, "SITE_URL"),
    ],
)
def test_wrong_settings_are_one_sentence(tmp_path: Path, changed: dict[str, str], named: str) -> None:
    wrong = {"MAIL_URL": "smtp://mail.union.example", **WHOLE} | changed
    with pytest.raises(ConfigError, match=f"ZHIJIA_{named}"):
        load_settings(environment(tmp_path, **wrong))


def test_the_jobs_send_and_remind(
    app: Flask, server: Controller, box: Box, opened: Opener, reader: Callable[..., User], program_year: SwitchOn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    reader("each", "each@union.example")
    reader("daily", "daily@union.example")
    opened("record:1", due_on=DAY)
    specs = {spec.name: spec for spec in jobs.jobs_for(app.extensions[EXTENSION])}
    assert set(specs) == {"tasks.remind", "tasks.failures", "tasks.tidy", "tasks.daily_mail", "tasks.mail"}
    specs["tasks.remind"].func(None)
    specs["tasks.mail"].func(None)
    assert [address for address, _text in box.taken] == ["each@union.example"]
    monkeypatch.setattr(jobs, "today", lambda: date(2014, 1, 11))  # a Saturday
    specs["tasks.daily_mail"].func(None)
    assert len(box.taken) == 1
    monkeypatch.setattr(jobs, "today", lambda: date(2014, 1, 13))
    specs["tasks.daily_mail"].func(None)
    assert [address for address, _text in box.taken] == ["each@union.example", "daily@union.example"]
