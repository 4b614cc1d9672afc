from pathlib import Path

import pytest
from flask import Flask

from core.audit.services import SYSTEM
from core.org.services import load_divisions

TREE = """code,name,level,parent_code
99,某省,province,
9901,甲市,city,99
9902,乙市,city,99
990101,丙县,county,9901
990201,戊县,county,9902
990101001,丁街道,township,990101
990101100,己镇,township,990101
990201100,庚镇,township,990201
990101001001,辛社区,village,990101001
"""


@pytest.fixture
def tree(app: Flask, tmp_path: Path) -> None:
    """A province with two cities and three townships."""
    path = tmp_path / "divisions.csv"
    path.write_text(TREE)
    load_divisions(SYSTEM, path)
