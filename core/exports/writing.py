"""Writing a list into a file in bounded memory: CSV or xlsx, in a zip with a password where it holds personal data."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO

from pyzipper import WZ_AES, ZIP_DEFLATED, AESZipFile

from core.registers.sheets import Mark, harmless, in_one_line, write_xlsx

Row = Sequence[str | int | Decimal]
Write = Callable[[IO[bytes]], None]


def write_list(
    target: IO[bytes], kind: str, heading: Sequence[str], rows: Iterable[Row], title: str, mark: Mark = ()
) -> None:
    """Write the table as ``xlsx`` (numbers as numbers) or ``csv`` (UTF-8 with a mark that Excel knows it by).

    ``mark`` says whose file it is: at the head and foot of each printed page of an xlsx and on a last sheet, or in the
    first line of a CSV, so that an import still finds the headings.
    """
    if kind == "xlsx":
        write_xlsx(target, heading, rows, title, mark)
        return
    text = io.TextIOWrapper(target, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    if mark:
        writer.writerow([in_one_line(mark)])
    writer.writerow([harmless(cell) for cell in heading])
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    text.detach()


def write_locked(target: IO[bytes], name: str, password: str, write: Write, folder: Path) -> None:
    """A zip with one file called ``name`` in it, encrypted by AES-256. ``write`` writes that through ``folder``."""
    with tempfile.TemporaryFile(dir=folder) as plain:
        write(plain)
        plain.seek(0)
        with AESZipFile(target, "w", compression=ZIP_DEFLATED, encryption=WZ_AES) as archive:
            archive.setpassword(password.encode())
            with archive.open(name, "w", force_zip64=True) as member:
                while block := plain.read(1024 * 1024):
                    member.write(block)
