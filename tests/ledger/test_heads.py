"""Heads outside the database: what is rewritten so well that plain verify believes it is found with them."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from core.audit.services import SYSTEM
from core.cli import zhijia
from core.config import EXTENSION, load_settings
from core.data_keys import DataKeys
from core.disbursements.verify_all import verify_all
from core.errors import ConfigError, Refused
from core.extensions import db
from core.ledger import heads
from core.ledger.booking import post
from core.ledger.jobs import jobs_for, write_heads
from core.ledger.models import ChainHead, Entry, Leg
from core.ledger.posting import FIRST, Posting, chained, content_digest
from core.users.access import today

pytestmark = pytest.mark.services
KEY = DataKeys.of({1: b"k" * 32})
DAYS = [date(2014, 1, 2) + timedelta(days=number) for number in range(4)]


@pytest.fixture
def place(app: Flask, posting: Posting, tmp_path: Path) -> Path:
    """A folder with the heads of four days, an entry more each day."""
    for number, day in enumerate(DAYS):
        post(SYSTEM, replace(posting, key=str(number)))
        assert heads.export_heads(str(tmp_path), KEY, day)
    return tmp_path


def rewritten(first: int) -> None:
    """What an owner of the database can do at most: another text, and every digest from there on as it should be."""
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    previous = FIRST
    for entry in db.session.scalars(select(Entry).order_by(Entry.seq)):
        if entry.seq >= first:
            rows = db.session.scalars(select(Leg).where(Leg.entry_id == entry.id).order_by(Leg.line))
            legs = [(leg.line, leg.account_id, leg.amount_fen) for leg in rows]
            entry.description, entry.previous = "另一个", previous
            entry.digest = chained(previous, content_digest(entry, legs))
        previous = entry.digest
    db.session.flush()
    db.session.execute(update(ChainHead).where(ChainHead.book == "statutory").values(digest=previous))
    db.session.commit()


def found(place: Path) -> list[str]:
    return [one.sentence for one in verify_all(str(place))]


def test_sound_books_have_every_head_that_was_exported(place: Path) -> None:
    lines = [json.loads(line) for line in (place / heads.FILE).read_text().splitlines()]
    assert [line["day"] for line in lines] == [day.isoformat() for day in DAYS]
    assert [line["books"]["statutory"]["seq"] for line in lines] == [1, 2, 3, 4]
    assert [line["books"]["statutory"]["entries"] for line in lines] == [1, 2, 3, 4]
    assert found(place) == []


@pytest.mark.as_owner
@pytest.mark.parametrize("first", [1, 3, 4])
def test_a_chain_rewritten_from_some_entry_on_is_found_with_the_heads_only(place: Path, first: int) -> None:
    rewritten(first)
    assert list(verify_all()) == []
    assert found(place) == [
        f"Book statutory was rewritten: its entry {number} is not the one of {DAYS[number - 1]}."
        for number in range(first, 5)
    ]


@pytest.mark.as_owner
def test_a_chain_cut_off_at_its_end_is_found_with_the_heads(place: Path) -> None:
    for statement in (
        "UPDATE core_account_balance kept SET posted_fen = posted_fen - leg.amount_fen FROM core_leg leg"
        " WHERE leg.account_id = kept.account_id AND leg.entry_id = (SELECT max(id) FROM core_entry)",
        "DELETE FROM core_leg WHERE entry_id = (SELECT max(id) FROM core_entry)",
        "UPDATE core_chain_head head SET seq = last.seq - 1, digest = last.previous FROM core_entry last"
        " WHERE last.id = (SELECT max(id) FROM core_entry) AND last.book = head.book",
        "DELETE FROM core_entry WHERE id = (SELECT max(id) FROM core_entry)",
    ):
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        db.session.execute(text(statement))
    db.session.commit()
    assert list(verify_all()) == []
    assert found(place) == [f"Book statutory was rewritten: its entry 4 is not the one of {DAYS[3]}."]


def test_a_file_that_is_not_as_it_was_written_is_found(place: Path) -> None:
    file = place / heads.FILE
    whole = file.read_bytes().splitlines(keepends=True)

    def with_lines(*lines: bytes) -> list[str]:
        file.write_bytes(b"".join(lines))
        return found(place)

    one, two, three, four = whole
    changed = two.replace(b'"seq":2', b'"seq":1')
    assert with_lines(one, changed, three, four) == [
        "Line 2 of the file of heads was changed, or is of another data key.",
        "Line 3 of the file of heads does not follow the one before it.",
    ]
    assert with_lines(one, three, four) == ["Line 2 of the file of heads does not follow the one before it."]
    assert with_lines(two, three, four) == ["Line 1 of the file of heads does not follow the one before it."]
    assert len(with_lines(one, three, two, four)) == 3
    assert with_lines(one, two, three, b"{}\n") == [
        "Line 4 of the file of heads was changed, or is of another data key."
    ]
    assert with_lines(one, two, four[:-9]) == ["Line 3 of the file of heads was changed, or is of another data key."]
    assert with_lines(*whole) == []
    assert len(list(heads.verify_heads(str(file), DataKeys.of({1: b"x" * 32})))) == 4


def test_one_line_a_day_and_none_after_a_broken_one(place: Path) -> None:
    file = place / heads.FILE
    before = file.read_bytes()
    assert not heads.export_heads(str(place), KEY, DAYS[-1])
    assert file.read_bytes() == before
    file.write_bytes(before[:-1])
    with pytest.raises(Refused, match="Line 4 of the file of heads was changed"):
        heads.export_heads(str(place), KEY, DAYS[-1] + timedelta(days=1))
    assert file.read_bytes() == before[:-1]


def test_an_old_file_is_found_where_the_last_day_is_expected(place: Path) -> None:
    late = list(heads.verify_heads(str(place), KEY, expected=DAYS[-1] + timedelta(days=1)))
    assert [one.sentence for one in late] == [f"The heads were exported on {DAYS[-1]} for the last time."]
    assert list(heads.verify_heads(str(place), KEY, expected=DAYS[-1])) == []


def test_the_clock_and_the_command_export_to_the_place_that_is_set(
    app: Flask, posting: Posting, tmp_path: Path
) -> None:
    post(SYSTEM, posting)
    runner = app.test_cli_runner()
    digest = db.session.scalars(select(Entry.digest)).one().hex()
    assert f"statutory 1 {digest}" in runner.invoke(zhijia, ["ledger", "heads"]).output.splitlines()
    refused = runner.invoke(zhijia, ["ledger", "heads", "--export"])
    assert isinstance(refused.exception, ConfigError)
    settings = app.extensions[EXTENSION]
    assert [spec.name for spec in jobs_for(settings)] == ["ledger.expire_holds"]
    settings = app.extensions[EXTENSION] = replace(settings, heads_url=f"memory:/{tmp_path}")
    assert [spec.name for spec in jobs_for(settings)] == ["ledger.expire_holds", "ledger.heads"]
    write_heads(None)  # type: ignore[arg-type]  # it asks its context for nothing
    assert "exported before today" in runner.invoke(zhijia, ["ledger", "heads", "--export"]).output
    assert list(verify_all(settings.heads_url, expected=today())) == []
    assert runner.invoke(zhijia, ["verify", "--heads", str(settings.heads_url)]).exit_code == 0


def test_the_place_is_a_folder_from_the_root_on_or_an_address(tmp_path: Path) -> None:
    for wrong in ("heads", "nowhere://x"):
        with pytest.raises(ConfigError, match="ZHIJIA_HEADS"):
            load_settings({"ZHIJIA_INSTANCE": str(tmp_path), "ZHIJIA_HEADS": wrong})
    assert load_settings({"ZHIJIA_INSTANCE": str(tmp_path), "ZHIJIA_HEADS": "/mnt/h"}).heads_url == "/mnt/h"
