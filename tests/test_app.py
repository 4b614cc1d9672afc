import pytest
from flask import Flask
from sqlalchemy import text

from core.extensions import db


@pytest.mark.services
def test_the_migrated_database_has_the_core_tables(app: Flask) -> None:
    assert db.session.execute(text("SELECT count(*) FROM core_org")).scalar_one() == 0
