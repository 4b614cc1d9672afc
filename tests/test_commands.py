"""The commands as an operator types them: a process of its own, no application context from a test."""

import os
import subprocess
import sys

import pytest

from core.config import ROOT, Settings


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {
        "ZHIJIA_INSTANCE": str(settings.instance),
        "ZHIJIA_DATABASE_URL": settings.database_url or "",
        "ZHIJIA_OWNER_URL": settings.owner_url or "",
        "ZHIJIA_REDIS_URL": settings.redis_url or "",
    }
    command = [sys.executable, "-m", "core.cli", *arguments]
    return subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.services
@pytest.mark.parametrize(
    "arguments", [["db", "upgrade"], ["plugin", "list"], ["years", "list"], ["calendar", "show", "2014-01-24"]]
)
def test_a_command_finds_its_database(settings: Settings, arguments: list[str]) -> None:
    done = run(settings, *arguments)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.services
def test_a_refusal_is_one_sentence_without_a_traceback(settings: Settings) -> None:
    done = run(settings, "orgs", "show", "nowhere")
    assert (done.returncode, done.stderr) == (2, "There is no organisation with the code nowhere.\n")
