"""The jobs of files: thumbnails in bounds, contents taken away after the row, and what is left over at night."""

import io
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zlib import crc32

import pytest
from flask import Flask
from PIL import Image, ImageFile

from core.audit.services import SYSTEM
from core.config import EXTENSION
from core.extensions import db
from core.files import jobs, thumbnails
from core.files.jobs import PATIENCE
from core.files.models import File
from core.files.records import Record
from core.files.store import FOLDER, store_of
from core.files.thumbnails import LONGEST_SIDE, NoThumbnail, make_thumbnail
from core.jobs.models import Job
from core.jobs.services import enqueue
from core.users.models import User
from core.users.testing import Browser
from tests.files.conftest import PDF, actions, files, picture, send, stored
from tests.plugins_for_tests.reading_club.registers import Corner
from tests.registers.conftest import URL

pytestmark = pytest.mark.services
RunJobs = Callable[[], int]


def opened(small: bytes) -> Image.Image:
    return Image.open(io.BytesIO(small), formats=["JPEG"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_thumbnail_is_small_and_looks_like_the_image(kind: str) -> None:
    image = opened(make_thumbnail(io.BytesIO(picture(kind))))
    assert image.size == (LONGEST_SIDE, LONGEST_SIDE // 2)
    left, right = (image.getpixel((x, 60)) for x in (60, 180))
    assert isinstance(left, tuple) and isinstance(right, tuple)
    assert left[0] > 200 > 60 > left[2]
    assert right[2] > 200 > 60 > right[0]


def test_a_thumbnail_is_upright_and_tells_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "王某"  # turned by a quarter; the author
    image = opened(make_thumbnail(io.BytesIO(picture("JPEG", exif=exif))))
    assert image.size == (LONGEST_SIDE // 2, LONGEST_SIDE)
    assert dict(image.getexif()) == {}


def test_what_is_transparent_becomes_white() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(target, "PNG")
    assert opened(make_thumbnail(target)).getpixel((5, 5)) == (255, 255, 255)


def test_an_image_may_have_so_many_pixels_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "MOST_PIXELS", 600 * 300)
    make_thumbnail(io.BytesIO(picture()))
    monkeypatch.setattr(thumbnails, "MOST_PIXELS", 600 * 300 - 1)
    with pytest.raises(NoThumbnail, match="600 x 300 pixels"):
        make_thumbnail(io.BytesIO(picture()))


def bomb(side: int) -> bytes:
    """A small PNG that says it has ``side`` x ``side`` pixels."""
    content = picture(size=(1, 1))
    head = content[12:16] + side.to_bytes(4, "big") * 2 + content[24:29]
    return content[:12] + head + crc32(head).to_bytes(4, "big") + content[33:]


@pytest.mark.parametrize("side", [7_100, 10_000, 60_000])
def test_a_decompression_bomb_is_not_unpacked(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO(bomb(side))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _image: pytest.fail("unpacked"))
    with pytest.raises(NoThumbnail):
        make_thumbnail(content)


@pytest.mark.parametrize(
    "content", [b"", PDF, picture()[:100], picture("JPEG")[:30], picture("WEBP")[:20], bomb(300), b"GIF89a" + bytes(20)]
)
def test_a_broken_image_has_none(content: bytes) -> None:
    with pytest.raises(NoThumbnail):
        make_thumbnail(io.BytesIO(content))


def test_an_image_gets_its_thumbnail_from_a_job(
    browser: Browser, address: str, store_path: Path, run_jobs: RunJobs
) -> None:
    send(browser, address, "图.png", picture())
    (file,) = files()
    assert "/thumbnail" not in browser.get(address).text
    assert run_jobs() == 1
    assert file.thumbnail_key and stored(store_path) == {file.key, file.thumbnail_key}
    assert f'src="{address}{file.id}/thumbnail"' in browser.get(address).text
    response = browser.get(f"{address}{file.id}/thumbnail")
    assert (response.status_code, response.mimetype) == (200, "image/jpeg")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert opened(response.data).size == (LONGEST_SIDE, LONGEST_SIDE // 2)
    enqueue("files.thumbnail", SYSTEM, file.org_path, args={"file_id": file.id})
    run_jobs()
    assert len(stored(store_path)) == 2
    browser.post(f"{address}{file.id}/remove")
    assert file.thumbnail_key is None
    run_jobs()
    assert stored(store_path) == set()


def test_a_strange_image_keeps_its_icon_and_the_job_is_done(
    browser: Browser, address: str, store_path: Path, run_jobs: RunJobs
) -> None:
    send(browser, address, "图.png", bomb(60_000))
    run_jobs()
    (file,) = files()
    assert (file.thumbnail_key, len(stored(store_path))) == (None, 1)
    assert [job.state for job in db.session.query(Job)] == ["done"]


def test_only_images_ask_for_a_thumbnail(browser: Browser, address: str, run_jobs: RunJobs) -> None:
    send(browser, address)
    assert run_jobs() == 0


def test_a_file_that_is_removed_before_or_while_its_thumbnail_is_made_gets_none(
    browser: Browser, address: str, store_path: Path, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(browser, address, "图.png", picture())
    (file,) = files()

    def slow(_content: object) -> bytes:
        browser.post(f"{address}{file.id}/remove")
        return b"small"

    monkeypatch.setattr(jobs, "make_thumbnail", slow)
    run_jobs()
    enqueue("files.thumbnail", SYSTEM, "/61/", args={"file_id": file.id})
    run_jobs()
    assert (file.thumbnail_key, stored(store_path)) == (None, set())
    assert {job.state for job in db.session.query(Job)} == {"done"}


def age(store_path: Path, key: str, seconds: float) -> None:
    path = store_path / FOLDER / key[:2] / key
    os.utime(path, (time.time() - seconds,) * 2)


def test_at_night_what_no_row_names_goes_when_it_is_old_enough(
    app: Flask, browser: Browser, address: str, store_path: Path, run_jobs: RunJobs
) -> None:
    send(browser, address, "图.png", picture())
    run_jobs()
    (file,) = files()
    assert file.key and file.thumbnail_key
    store, day = store_of(), PATIENCE.total_seconds()
    assert day == 24 * 3600
    old, young, part = (store.put(io.BytesIO(b"stray")) for _number in range(3))
    unfinished = f"{part}.part"
    (store_path / FOLDER / part[:2] / part).rename(store_path / FOLDER / part[:2] / unfinished)
    for key in (file.key, file.thumbnail_key, old, unfinished):
        age(store_path, key, day + 60)
    age(store_path, young, day - 60)
    bank = store_path / "bank" / "7-6101.csv"
    bank.parent.mkdir()
    bank.write_bytes(b"a bank file")
    enqueue("files.tidy", SYSTEM, "/61/")
    run_jobs()
    assert stored(store_path) == {file.key, file.thumbnail_key, young}
    assert bank.exists()


def test_at_night_the_files_of_entries_that_are_gone_go(
    browser: Browser, address: str, corner: Corner, store_path: Path, run_jobs: RunJobs
) -> None:
    send(browser, address)
    (file,) = files()
    enqueue("files.tidy", SYSTEM, "/61/")
    run_jobs()
    assert file.removed_at is None
    assert browser.post(f"{URL}corners/{corner.id}/remove").status_code == 302
    enqueue("files.tidy", SYSTEM, "/61/")
    run_jobs()
    assert file.removed_at is None  # it is younger than a day
    file.created_at -= PATIENCE + timedelta(minutes=1)
    db.session.commit()
    enqueue("files.tidy", SYSTEM, "/61/")
    run_jobs()
    assert (file.removed_at is None, stored(store_path)) == (False, set())
    assert actions()[-1] == ("file.remove", file.subject)


def test_the_night_comes_by_itself(app: Flask) -> None:
    (spec,) = (spec for spec in jobs.JOBS if spec.schedule)
    assert (spec.name, spec.program) == ("files.tidy", None)


def test_files_live_in_whatever_fsspec_reaches(
    app: Flask, browser: Browser, address: str, run_jobs: RunJobs, tmp_path: Path
) -> None:
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], files_url=f"memory:/{tmp_path}")
    assert send(browser, address, "图.png", picture()).status_code == 302
    run_jobs()
    (file,) = files()
    assert browser.get(f"{address}{file.id}").data == picture()
    assert browser.get(f"{address}{file.id}/thumbnail").status_code == 200
    browser.post(f"{address}{file.id}/remove")
    run_jobs()
    enqueue("files.tidy", SYSTEM, "/61/")
    run_jobs()
    assert [names for names in store_of().folders() if names] == []


def test_a_job_for_a_file_that_never_was_does_nothing(
    app: Flask, record: Record, clerk: User, run_jobs: RunJobs
) -> None:
    enqueue("files.thumbnail", clerk, record.org_path, args={"file_id": 999})
    run_jobs()
    assert [job.state for job in db.session.query(Job)] == ["done"]
    assert db.session.query(File).count() == 0
