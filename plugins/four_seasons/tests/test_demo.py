"""The demonstration: what it refuses, that it leaves nothing running, and the whole way with a few people."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.users.passwords import check_password
from plugins.four_seasons.demo.browser import Browser, fen, number, table_rows, visible_text
from plugins.four_seasons.demo.campaign import Demo
from plugins.four_seasons.demo.house import MARKER, PID_FILES, ROOT, DemoError, House, _server, fresh_house, wipe
from plugins.four_seasons.demo.seasons import Line


@pytest.fixture
def port() -> int:
    """A free port below those that the system gives to outgoing connections meanwhile."""
    for candidate in range(20_000 + os.getpid() % 5_000, 32_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", candidate)) != 0:
                return candidate
    raise AssertionError("no port is free")


@pytest.fixture
def started(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A demonstration for 2,000 people (some in every city) in a folder of its own."""
    options = ["--no-serve", "--json", "--people", "2000", "--port", str(port), "--folder", str(tmp_path / "demo")]
    process = subprocess.Popen(
        [sys.executable, "-m", "plugins.four_seasons.demo", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        if process.poll() is None:
            process.terminate()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DemoError, match="left alone"):
        wipe(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_its_password_is_never_one_that_is_tried_first(tmp_path: Path) -> None:
    for _attempt in range(500):
        check_password(Demo(House(tmp_path, 1), 1, print).password, ["clerk", "xian.clerk", "程双岗"])


def test_a_former_demonstration_is_wiped(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / MARKER).touch()
    (folder / "old").touch()
    with fresh_house(folder, 1):
        assert not (folder / "old").exists()


def test_two_demonstrations_at_once_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DemoError, match="Another demonstration"), fresh_house(tmp_path / "demo", 1):
            pass


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        house = House(tmp_path, taken.getsockname()[1])
        with pytest.raises(DemoError, match="--port"):
            house.start_web()


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with fresh_house(tmp_path / "demo", 1) as house, pytest.raises(DemoError, match="No such command"):
        house.zhijia("nonsense")


def test_a_pid_file_that_names_somebody_else_ends_nobody(tmp_path: Path) -> None:
    name, _how = PID_FILES[1]
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text("1\n")
    assert _server(tmp_path, name) is None


def test_a_web_that_does_not_answer_is_a_sentence(port: int) -> None:
    with pytest.raises(DemoError, match="does not answer"):
        Browser(f"http://127.0.0.1:{port}").get("/")


def test_pages_are_read_as_people_read_them() -> None:
    page = (
        "<head><title>x</title></head><table><thead><tr><td>no</td></tr></thead>"
        "<tbody><tr><td> 西安 <b>市</b></td><td>1,250.50</td></tr></tbody></table><script>no()</script>"
    )
    assert table_rows(page) == [["西安 市", "1,250.50"]]
    assert "no()" not in visible_text(page)
    assert (number("136,000"), fen("1,250.50"), fen("3"), fen("0.5")) == (136_000, 125_050, 300, 50)


@pytest.mark.parametrize(
    ("computed", "qualifier", "wrong"),
    [
        (2_000, "exact", False),
        (2_001, "exact", True),
        (2_001, "over", False),
        (2_000, "over", False),
        (1_999, "over", True),
    ],
)
def test_a_figure_is_what_the_documents_say(computed: int, qualifier: str, wrong: bool) -> None:
    assert bool(Line("employers", computed, 2_000, qualifier, is_compared=True).wrong) is wrong
    assert Line("employers", computed, 2_000, qualifier, is_compared=False).wrong == ""


@pytest.mark.timeout(600)
@pytest.mark.services
def test_the_campaign_is_paid_out_from_nothing_to_the_bank_file(started: subprocess.Popen[str], tmp_path: Path) -> None:
    printed, complained = started.communicate()
    assert started.returncode == 0, complained
    report = json.loads(printed.splitlines()[-1])
    seconds, year_end = report.pop("seconds"), report.pop("year_end")
    assert report == {
        "people_on_file": 2000,
        "allotted_fen": 1_100_000_000,
        "cities": 11,
        "own_approval_refused": True,
        "paid": 2000,
        "excluded": 0,
        "total_fen": 12_500_000_000,
        "ledger_balanced": True,
        "chain_ok": True,
        "jobs_failed": 0,
    }
    assert set(seconds) >= {"unions", "people", "compute", "autumn", "verify", "together"}
    assert year_end == {
        "winter_warmth-raised province": 11_000_000,
        "winter_warmth-raised all levels": 125_000_000,
        "winter_warmth-workers all levels": 2_000,
        "spring_jobs-employers all levels": 2_046,
        "spring_jobs-placed all levels": 2_000,
        "summer_coolness-units province": 13,
        "summer_coolness-raised province": 500_000,
        "summer_coolness-raised all levels": 20_000_000,
        "autumn_study_aid-raised province": 3_000_000,
        "autumn_study_aid-raised all levels": 30_480_000,
        "autumn_study_aid-students all levels": 1_000,
    }
    assert not (tmp_path / "demo").exists()


@pytest.mark.timeout(300)
@pytest.mark.services
def test_a_demonstration_that_is_ended_leaves_nothing_running(started: subprocess.Popen[str], tmp_path: Path) -> None:
    assert started.stdout is not None
    while not started.stdout.readline().startswith("unions"):
        assert started.poll() is None, started.stderr and started.stderr.read()
    started.send_signal(signal.SIGTERM)
    _printed, complained = started.communicate()
    assert started.returncode == 130, complained
    assert [name for name, _how in PID_FILES if _server(tmp_path / "demo", name)] == []
    for name in ("web", "worker"):
        pid = (tmp_path / "demo" / f"{name}.pid").read_text()
        assert not Path(f"/proc/{pid}").exists()
