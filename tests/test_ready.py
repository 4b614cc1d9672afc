"""``/health`` and ``/ready``: what a watcher is told, and what not."""

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from redis import Redis
from redis.exceptions import ConnectionError as NoRedis
from sqlalchemy import event, text

from core import create_app
from core.config import Settings
from core.jobs.clock import Clock
from core.jobs.messages import CLOCK, redis_of
from core.web.ready import EXTENSION, KEPT

pytestmark = pytest.mark.services


def ask(app: Flask) -> tuple[int, dict[str, bool]]:
    """What a watcher is told now, and not what the last one was told."""
    app.extensions[EXTENSION].at = -KEPT
    answer = app.test_client().get("/ready")
    return answer.status_code, dict(answer.get_json())


def test_all_is_there_once_a_clock_has_ticked(app: Flask, db: SQLAlchemy) -> None:
    there = {"database": True, "tables": True, "redis": True}
    assert ask(app) == (200, {**there, "clock": False})
    Clock(app).tick()
    assert ask(app) == (200, {**there, "clock": True})
    assert 0 < int(str(redis_of().ttl(CLOCK))) <= 60


@pytest.mark.as_owner
def test_tables_that_are_behind_make_no_pages(app: Flask, db: SQLAlchemy) -> None:
    db.session.execute(text("UPDATE core_alembic SET version_num = 'older'"))
    db.session.commit()
    status, state = ask(app)
    assert (status, state["database"], state["tables"]) == (503, True, False)


def test_a_database_that_is_away_is_told_and_nothing_of_it(settings: Settings) -> None:
    away = create_app(replace(settings, database_url="postgresql+psycopg://secret@/none?host=/nowhere"), discover=False)
    answer = away.test_client().get("/ready")
    assert answer.status_code == 503
    assert set(answer.get_json()) == {"database", "tables", "redis", "clock"}
    assert not answer.get_json()["database"]
    assert "secret" not in answer.text
    assert "nowhere" not in answer.text
    assert away.test_client().get("/health").get_json() == {"ok": True}


def test_without_redis_pages_are_made_all_the_same(app: Flask, db: SQLAlchemy, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_redis: Redis) -> None:
        raise NoRedis

    monkeypatch.setattr(Redis, "ping", away)
    status, state = ask(app)
    assert (status, state["redis"], state["clock"]) == (200, False, False)


def test_however_many_ask_the_database_is_asked_once(app: Flask, db: SQLAlchemy, client: FlaskClient) -> None:
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    ask(app)
    once = len(statements)
    assert once
    for _index in range(5):
        assert client.get("/ready").status_code == 200
    assert client.get("/health").status_code == 200
    assert len(statements) == once
