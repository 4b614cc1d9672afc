"""``zhijia services`` and wrong settings, as an operator meets them: one sentence, exit code 2, no traceback."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import ROOT
from core.embedded import stop_postgres, stop_redis
from core.embedded.versions import POSTGRES, check_servers, postgres_version, redis_version, refuse_old
from core.errors import ConfigError


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for servers, which are ended after the test."""
    with tempfile.TemporaryDirectory(prefix="zhijia-place-") as folder:
        yield Path(folder)
        stop_postgres(Path(folder))
        stop_redis(Path(folder))


def run(place: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ZHIJIA_")}
    environ = ours | {"ZHIJIA_INSTANCE": str(place)} | variables
    command = [sys.executable, "-m", "core.cli", *arguments]
    return subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)


def test_start_status_and_stop(place: Path) -> None:
    before = run(place, "services", "status")
    assert (before.returncode, before.stdout.count("does not answer (embedded)")) == (1, 2)
    started = run(place, "services", "start")
    assert (started.returncode, started.stderr) == (0, "")
    assert [line.split()[0] for line in started.stdout.splitlines()] == ["PostgreSQL", "Redis"]
    idle = "No worker's clock was seen in the last minute\n"
    assert run(place, "services", "status").stdout == started.stdout + idle
    assert run(place, "services", "stop").stdout == "PostgreSQL stopped\nRedis stopped\n"
    assert run(place, "services", "stop").stdout == "PostgreSQL did not run\nRedis did not run\n"


def test_the_status_of_outside_servers(tmp_path: Path, server_urls: tuple[str, str]) -> None:
    database, messages = server_urls
    done = run(tmp_path, "services", "status", ZHIJIA_DATABASE_URL=database, ZHIJIA_REDIS_URL=messages)
    assert (done.returncode, done.stdout.count("(outside)")) == (0, 2)
    assert "second factor" not in done.stdout
    without = {"ZHIJIA_SECOND_FACTOR": "0"}
    done = run(tmp_path, "services", "status", ZHIJIA_DATABASE_URL=database, ZHIJIA_REDIS_URL=messages, **without)
    assert "No second factor is asked for" in done.stdout
    away = "postgresql://nobody@/none?host=/nowhere"
    done = run(tmp_path, "services", "status", ZHIJIA_DATABASE_URL=away, ZHIJIA_REDIS_URL=messages)
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "PostgreSQL does not answer (outside)")


WRONG = {
    "ZHIJIA_DATABASE_URL": ("mysql://root@host/zhijia", "must begin with postgresql://"),
    "ZHIJIA_REDIS_URL": ("http://host", "must begin with redis://, rediss:// or unix://"),
    "ZHIJIA_SECRET_KEY": ("short", "must be 64 hexadecimal digits"),
    "ZHIJIA_DATA_KEY": ("z" * 64, "must be 64 hexadecimal digits"),
    "ZHIJIA_STRICT_PLUGINS": ("perhaps", "it takes 1 or 0"),
    "ZHIJIA_SECURE_COOKIES": ("2", "it takes 1 or 0"),
    "ZHIJIA_JOB_HEARTBEAT": ("often", "it takes seconds between 0.05 and 60"),
    "ZHIJIA_PROXIES": ("4", "it takes the number of proxies in front, 0 to 3"),
    "ZHIJIA_FILES": ("nowhere://bucket", "ZHIJIA_FILES begins with nowhere://, which cannot be used"),
    "ZHIJIA_LARGEST_FILE": ("32", "it takes whole megabytes between 1 and 31"),
    "ZHIJIA_CLAMD": ("clamd", "it takes unix:/path/of/the/socket or host:port"),
    "ZHIJIA_INSTANCE": ("/proc/zhijia", "cannot be written"),
}


@pytest.mark.parametrize("variable", WRONG)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, variable: str) -> None:
    value, sentence = WRONG[variable]
    done = run(tmp_path, "services", "status", **{variable: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_server_that_is_too_old_is_refused() -> None:
    for enough in ((15, 0), (18, 4), None):
        refuse_old("PostgreSQL", enough, POSTGRES)
    with pytest.raises(ConfigError, match=r"^PostgreSQL 14\.9 is too old: Zhijia needs PostgreSQL 15\.0 or newer\.$"):
        refuse_old("PostgreSQL", (14, 9), POSTGRES)


@pytest.mark.services
def test_the_servers_of_the_tests_are_new_enough(server_urls: tuple[str, str]) -> None:
    check_servers(*server_urls)
    assert postgres_version(server_urls[0]) is not None
    assert redis_version(server_urls[1]) is not None
