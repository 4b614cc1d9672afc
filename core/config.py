"""Settings of the installation, read once at start from ``ZHIJIA_*`` variables, typed and checked.

A wrong value is one sentence (:class:`~core.errors.ConfigError`), never a traceback. Numbers that a year or a province
could change are not here: they are settings of a program year.
"""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from flask import current_app
from fsspec import get_filesystem_class

from core.data_keys import DataKeys, load_data_keys
from core.errors import ConfigError

#: What people read and what days are counted in; the database keeps UTC.
LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
ROOT = Path(__file__).resolve().parent.parent

#: Where the app keeps its settings, among its extensions.
EXTENSION = "zhijia_settings"

#: Where the data keys are, below the instance, when the variable does not give them.
KEY_FILE = "data.key"
MEGABYTE = 1024 * 1024
#: Names under which a machine calls itself: probes and demonstrations come by them.
LOCAL_HOSTS = ("localhost", "127.0.0.1")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The server that takes e-mails; ``security`` is none only for one on this very machine."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one installation is told. No URL means: the embedded server under ``instance``.

    ``owner_url`` is the database as the owner of its tables, for migrations; ``database_url`` as the application.
    """

    instance: Path
    database_url: str | None
    owner_url: str | None
    redis_url: str | None
    secret_key: bytes
    data_keys: DataKeys
    plugins: tuple[str, ...]
    strict_plugins: bool
    secure_cookies: bool
    job_heartbeat: float = 5.0
    proxies: int = 0
    mail: MailSettings | None = None
    site_url: str = "http://localhost/"
    more_hosts: tuple[str, ...] = ()
    page_seconds: int = 30
    files_url: str | None = None
    heads_url: str | None = None
    largest_file: int = 20 * MEGABYTE
    clamd: str | None = None
    chart: Path | None = None
    session_idle: timedelta = timedelta(minutes=30)
    session_limit: timedelta = timedelta(hours=8)
    second_factor: bool = True
    dormant_days: int = 90

    @property
    def files(self) -> Path:
        """The folder of generated files (bank files, exports), and of attachments where no URL says otherwise."""
        return self.instance / "files"

    @property
    def hosts(self) -> list[str]:
        """The names that a request may ask for: what else stands in ``Host`` is refused."""
        return [urlsplit(self.site_url).hostname or "", *self.more_hosts, *LOCAL_HOSTS]


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check every ``ZHIJIA_*`` variable. Raises :class:`ConfigError` with one sentence."""
    instance = Path(environ.get("ZHIJIA_INSTANCE") or ROOT / "instance").expanduser().resolve()
    _make_writable(instance)
    limit = _whole(environ, "ZHIJIA_SESSION_LIMIT", "minutes", 480, 5, 1440)
    idle = _whole(environ, "ZHIJIA_SESSION_IDLE", "minutes", min(30, limit), 2, limit)
    return Settings(
        instance=instance,
        database_url=database_url(environ.get("ZHIJIA_DATABASE_URL", "")),
        owner_url=database_url(environ.get("ZHIJIA_OWNER_URL", ""), "ZHIJIA_OWNER_URL"),
        redis_url=_redis_url(environ.get("ZHIJIA_REDIS_URL", "")),
        secret_key=_key(environ, "ZHIJIA_SECRET_KEY", instance / "secret.key"),
        data_keys=load_data_keys(environ.get("ZHIJIA_DATA_KEY", ""), instance / KEY_FILE),
        plugins=tuple(name for name in environ.get("ZHIJIA_PLUGINS", "").replace(",", " ").split()),
        strict_plugins=_flag(environ, "ZHIJIA_STRICT_PLUGINS"),
        secure_cookies=_flag(environ, "ZHIJIA_SECURE_COOKIES"),
        job_heartbeat=_seconds(environ, "ZHIJIA_JOB_HEARTBEAT", 5.0),
        proxies=_proxies(environ.get("ZHIJIA_PROXIES", "").strip()),
        mail=_mail(environ),
        site_url=_site_url(environ),
        more_hosts=_hosts(environ),
        page_seconds=_whole(environ, "ZHIJIA_PAGE_SECONDS", "seconds", 30, 5, 300),
        files_url=_folder_url(environ, "ZHIJIA_FILES"),
        heads_url=_folder_url(environ, "ZHIJIA_HEADS"),
        largest_file=_megabytes(environ.get("ZHIJIA_LARGEST_FILE", "").strip()),
        clamd=_clamd(environ.get("ZHIJIA_CLAMD", "").strip()),
        chart=_chart(environ.get("ZHIJIA_CHART", "").strip()),
        session_idle=timedelta(minutes=idle),
        session_limit=timedelta(minutes=limit),
        second_factor=_flag(environ, "ZHIJIA_SECOND_FACTOR", default="1"),
        dormant_days=_whole(environ, "ZHIJIA_DORMANT_DAYS", "days", 90, 7, 3650),
    )


def settings_of() -> Settings:
    """The settings of the current app."""
    settings: Settings = current_app.extensions[EXTENSION]
    return settings


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"The folder {folder} cannot be written ({error.strerror}); choose another with ZHIJIA_INSTANCE."
        ) from error


def _flag(environ: Mapping[str, str], name: str, *, default: str = "0") -> bool:
    value = environ.get(name, "").strip().lower() or default
    if value in _TRUE | _FALSE:
        return value in _TRUE
    raise ConfigError(f"{name} is {value!r}; it takes 1 or 0.")


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0
    if not 0.05 <= value <= 60:
        raise ConfigError(f"{name} is {text!r}; it takes seconds between 0.05 and 60.")
    return value


def _whole(environ: Mapping[str, str], name: str, unit: str, default: int, least: int, most: int) -> int:
    text = environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise ConfigError(f"{name} is {text!r}; it takes whole {unit} between {least} and {most}.")
    return int(text)


def _proxies(text: str) -> int:
    """How many proxies stand in front and tell the visitor's address; none are believed by default."""
    if text and text not in {"0", "1", "2", "3"}:
        raise ConfigError(f"ZHIJIA_PROXIES is {text!r}; it takes the number of proxies in front, 0 to 3.")
    return int(text or 0)


def _mail(environ: Mapping[str, str]) -> MailSettings | None:
    """Where mails go, or none. ``smtp://`` turns to TLS before anything else, ``smtps://`` begins with it."""
    url = environ.get("ZHIJIA_MAIL_URL", "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("smtp", "smtps") or not host:
        raise ConfigError("ZHIJIA_MAIL_URL must read smtp://user:password@host:587 or smtps://user:password@host:465.")
    sender = environ.get("ZHIJIA_MAIL_FROM", "").strip()
    if "@" not in parseaddr(sender)[1]:
        raise ConfigError("ZHIJIA_MAIL_URL needs the address that mails come from, ZHIJIA_MAIL_FROM.")
    if not environ.get("ZHIJIA_SITE_URL", "").strip():
        raise ConfigError("ZHIJIA_MAIL_URL needs the address of the site that mails lead to, ZHIJIA_SITE_URL.")
    local = host in ("localhost", "127.0.0.1", "::1")
    security: Literal["none", "starttls", "tls"] = "none" if local else "starttls"
    if parts.scheme == "smtps":
        security = "tls"
    default = {"none": 25, "starttls": 587, "tls": 465}[security]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailSettings(host, port or default, security, sender, user, password)


def _site_url(environ: Mapping[str, str]) -> str:
    url = environ.get("ZHIJIA_SITE_URL", "").strip() or "http://localhost/"
    if not url.startswith(("http://", "https://")) or not urlsplit(url).netloc:
        raise ConfigError("ZHIJIA_SITE_URL must begin with https:// or http:// and name the host.")
    return url.rstrip("/") + "/"


def _hosts(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Names that this site is asked for by, besides that of its address."""
    hosts = environ.get("ZHIJIA_HOSTS", "").replace(",", " ").lower().split()
    for host in hosts:
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", host):
            raise ConfigError(f"ZHIJIA_HOSTS holds {host!r}; it takes names of hosts, without scheme and port.")
    return tuple(hosts)


def _folder_url(environ: Mapping[str, str], name: str) -> str | None:
    """Where files lie: a folder, or a URL that fsspec knows and whose package is installed."""
    text = environ.get(name, "").strip()
    protocol, is_url, _rest = text.partition("://")
    if is_url:
        try:
            get_filesystem_class(protocol)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"{name} begins with {protocol}://, which cannot be used: {error}.") from error
    elif text and not Path(text).is_absolute():
        raise ConfigError(f"{name} is {text!r}; it takes a folder from the root on, or a URL such as s3://....")
    return text or None


def _megabytes(text: str) -> int:
    """How large an attachment may be; what a request may hold besides it fits into the last of 32 MB."""
    if text and text not in {str(number) for number in range(1, 32)}:
        raise ConfigError(f"ZHIJIA_LARGEST_FILE is {text!r}; it takes whole megabytes between 1 and 31.")
    return int(text or 20) * MEGABYTE


def _clamd(text: str) -> str | None:
    """Where the virus scanner listens."""
    host, _colon, port = text.rpartition(":")
    if text and not text.startswith("unix:/") and not (host and port.isdecimal()):
        raise ConfigError(f"ZHIJIA_CLAMD is {text!r}; it takes unix:/path/of/the/socket or host:port.")
    return text or None


def _chart(text: str) -> Path | None:
    """The chart of accounts, where it is not the one that comes along; the ledger reads and checks it at start."""
    return Path(text).expanduser().resolve() if text else None


def database_url(value: str, name: str = "ZHIJIA_DATABASE_URL") -> str | None:
    """An address as people write it, as SQLAlchemy reads it."""
    if not value:
        return None
    for prefix in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if value.startswith(prefix):
            return "postgresql+psycopg://" + value.removeprefix(prefix)
    raise ConfigError(f"{name} must begin with postgresql:// (PostgreSQL 15 or newer is the only engine).")


def _redis_url(value: str) -> str | None:
    if not value:
        return None
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigError("ZHIJIA_REDIS_URL must begin with redis://, rediss:// or unix://.")
    return value


def _key(environ: Mapping[str, str], name: str, file: Path) -> bytes:
    """A 32-byte key from the variable (64 hexadecimal digits) or from a file of mode 0600, made when missing."""
    text = environ.get(name, "").strip()
    if not text:
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            text = file.read_text().strip()
        else:
            text = secrets.token_hex(32)
            with os.fdopen(descriptor, "w") as handle:
                handle.write(text)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ConfigError(f"{name} must be 64 hexadecimal digits (32 bytes); it is read from {file} when not set.")
    return key
