"""Scanners: clamd over its socket, and those of plugins. What could not be checked is not taken."""

import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
from flask import Flask

from core.config import EXTENSION
from core.errors import Refused
from core.files import scanning
from core.files.scanning import scan_with_clamd
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import registry_of
from core.users.testing import Browser
from tests.files.conftest import PDF, actions, at_field, files, send, stored

CLEAN = b"stream: OK\0"
FOUND = b"stream: Win.Test.EICAR_HDB-1 FOUND\0"


class Clamd(threading.Thread):
    """A scanner that takes one stream after another and always says the same; ``None`` hangs up instead."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(daemon=True)
        self.answer: bytes | None = CLEAN
        self.streams: list[bytes] = []
        self._listener = listener

    def run(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                body = b""
                while length := struct.unpack(">I", stream.read(4))[0]:
                    body += stream.read(length)
                self.streams.append(body)
                if self.answer is not None:
                    connection.sendall(self.answer)


@pytest.fixture(params=["unix", "tcp"])
def clamd(request: pytest.FixtureRequest, app: Flask, tmp_path: Path) -> Iterator[Clamd]:
    """The scanner, on a socket of each sort, told to the application."""
    kind = socket.AF_UNIX if request.param == "unix" else socket.AF_INET
    with socket.socket(kind) as listener:
        listener.bind(str(tmp_path / "clamd") if request.param == "unix" else ("127.0.0.1", 0))
        listener.listen()
        place = listener.getsockname()
        address = f"unix:{place}" if request.param == "unix" else f"{place[0]}:{place[1]}"
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], clamd=address)
        scanner = Clamd(listener)
        scanner.start()
        yield scanner
        listener.shutdown(socket.SHUT_RDWR)
    scanner.join(5)


def test_a_clean_file_is_taken_and_was_read_whole(
    clamd: Clamd, browser: Browser, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_BLOCK", 5)
    assert send(browser, address).status_code == 302
    assert clamd.streams == [PDF]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (FOUND, "a virus was found in it: Win.Test.EICAR_HDB-1"),
        (b"INSTREAM size limit exceeded. ERROR\0", "could not be checked for viruses"),
        (b"stream: OK but not quite\0", "could not be checked for viruses"),
        (b"", "could not be checked for viruses"),
        (None, "could not be checked for viruses"),
    ],
)
def test_what_is_not_said_to_be_clean_is_refused(
    clamd: Clamd, browser: Browser, address: str, store_path: Path, answer: bytes | None, sentence: str
) -> None:
    clamd.answer = answer
    assert sentence in at_field(send(browser, address))
    assert (files(), actions(), stored(store_path)) == ([], [], set())


@pytest.mark.parametrize("address_of_clamd", ["unix:/nowhere/clamd", "127.0.0.1:1"])
def test_a_scanner_that_is_not_there_refuses_the_file(
    app: Flask, browser: Browser, address: str, store_path: Path, address_of_clamd: str
) -> None:
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], clamd=address_of_clamd)
    page = send(browser, address)
    assert page.status_code == 409
    assert "could not be checked for viruses" in at_field(page)
    assert (files(), stored(store_path)) == ([], set())


def test_a_scanner_that_says_nothing_is_not_waited_for_for_ever(
    clamd: Clamd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    monkeypatch.setattr(scanning, "PATIENCE", 0.1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        path = tmp_path / "x"
        path.write_bytes(PDF)
        with path.open("rb") as content, pytest.raises(Refused, match="could not be checked"):
            scan_with_clamd(f"unix:{tmp_path / 'silent'}", content)


class Scanner:
    """A plugin that scans."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.seen: list[tuple[str, bytes]] = []

    @hookimpl
    def scan_file(self, content: IO[bytes], name: str) -> object:
        self.seen.append((name, content.read()))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_every_scanner_reads_from_the_beginning_and_each_is_believed(
    app: Flask, browser: Browser, address: str, store_path: Path
) -> None:
    first, second = Scanner(None), Scanner(None)
    registry_of(app).manager.register(first, "first")
    registry_of(app).manager.register(second, "second")
    assert send(browser, address).status_code == 302
    assert first.seen == second.seen == [("证明.pdf", PDF)]
    first.answer = "Worm.A"
    assert "a virus was found in it: Worm.A" in at_field(send(browser, address, content=PDF + b"x"))
    assert len(files()) == len(stored(store_path)) == 1


@pytest.mark.parametrize("answer", [KeyError("signatures"), True, ["Worm.A"]])
def test_a_scanner_that_fails_refuses_the_file(
    app: Flask, browser: Browser, address: str, store_path: Path, answer: object
) -> None:
    registry_of(app).manager.register(Scanner(answer), "scanner")
    page = send(browser, address)
    assert page.status_code == 409
    assert "The plugin “scanner” failed, and nothing was changed" in page.text
    assert (files(), actions(), stored(store_path)) == ([], [], set())
