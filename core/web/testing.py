"""Fixtures with a real server and a real browser; core/testing.py exports them. Mark such tests ``browser``."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from core.config import ROOT, Settings
from core.users.testing import PASSWORD, MakeUser, code_of, enrol

#: A browser in a test leaves alone the network of its maker, the graphics card, the sandbox that root cannot have.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30  # seconds
SERVING = "python:core.web.serving"
OpenAs = Callable[..., Page]


def environ_of(settings: Settings) -> dict[str, str]:
    """The variables that give another process these settings."""
    return {
        "ZHIJIA_INSTANCE": str(settings.instance),
        "ZHIJIA_DATABASE_URL": settings.database_url or "",
        "ZHIJIA_OWNER_URL": settings.owner_url or "",
        "ZHIJIA_REDIS_URL": settings.redis_url or "",
        "ZHIJIA_SECRET_KEY": settings.secret_key.hex(),
        "ZHIJIA_DATA_KEY": settings.data_keys.said(),
        "ZHIJIA_FILES": settings.files_url or "",
        "ZHIJIA_JOB_HEARTBEAT": str(settings.job_heartbeat),
        "ZHIJIA_SECOND_FACTOR": str(int(settings.second_factor)),
    }


def end_tree(process: psutil.Popen) -> None:
    """End a process and all that it started, also what was left behind when it was killed."""
    if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        family = [process, *process.children(recursive=True)]
        process.terminate()
        _gone, left = psutil.wait_procs(family, timeout=5)
        for one in left:
            one.kill()
    process.wait()


@pytest.fixture
def live_server(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[str]:
    """The address of the web as it runs in earnest, gunicorn and all, on this test's database and Redis.

    It logs to ``web.log`` in the test's ``tmp_path``. Ask for ``worker_process`` as well where jobs must run.
    """
    log = tmp_path / "web.log"
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("a") as output:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        bind = f"fd://{listener.fileno()}"
        command = [sys.executable, "-m", "gunicorn", "-c", SERVING, "wsgi:app", "--bind", bind]
        process = psutil.Popen(
            command, cwd=ROOT, env=os.environ | environ_of(settings), pass_fds=[listener.fileno()],
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _await(address, process, log)
        yield address
    finally:
        end_tree(process)


def _await(address: str, process: psutil.Popen, log: Path) -> None:
    """Wait for the first answer; the listener is open from the start, so that a request waits for the app."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection.request("GET", "/login")
            assert connection.getresponse().status == 200, log.read_text()
            return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    pytest.fail(f"The web did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("There is no Chromium for the browser tests; run: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser, live_server: str) -> Iterator[BrowserContext]:
    """A fresh profile: nobody logged in, nothing cached; addresses are relative to the live server."""
    fresh = browser.new_context(
        base_url=live_server,
        viewport={"width": 1440, "height": 900},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab. The test fails for any error of a script and for whatever the content policy had to stop."""
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None)
    yield tab
    assert errors == []


@pytest.fixture
def open_as(page: Page, make_user: MakeUser) -> OpenAs:
    """``open_as(role, org_code="61", path="/")`` logs a new user in through the page, and opens an address."""

    def enter(role: str, org_code: str = "61", path: str = "/") -> Page:
        user = make_user(role, org_code)
        enrol(user)
        page.goto("/login")
        page.fill("input[name=username]", user.username)
        page.fill("input[name=password]", PASSWORD)
        page.click("form button[type=submit]:has-text('登录')")
        page.wait_for_load_state()
        if "/login/code" in page.url:
            page.fill("input[name=code]", code_of(user))
            page.click("form button[type=submit]:has-text('登录')")
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(path)
        return page

    return enter
