"""The settings of files: what is taken, at the boundaries, and what is said of anything else."""

from pathlib import Path

import pytest

from core.config import MEGABYTE, Settings, load_settings
from core.errors import ConfigError


def loaded(folder: Path, **variables: str) -> Settings:
    return load_settings({"ZHIJIA_INSTANCE": str(folder), **variables})


def test_without_variables_files_lie_in_the_instance_and_nothing_is_scanned(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert (settings.files_url, settings.largest_file, settings.clamd) == (None, 20 * MEGABYTE, None)
    assert settings.files == tmp_path / "files"


def test_what_is_set_is_taken(tmp_path: Path) -> None:
    for url in ("/srv/zhijia", "memory://x", "file:///srv"):
        assert loaded(tmp_path, ZHIJIA_FILES=url).files_url == url
    for number in ("1", "31"):
        assert loaded(tmp_path, ZHIJIA_LARGEST_FILE=number).largest_file == int(number) * MEGABYTE
    for address in ("unix:/run/clamd", "localhost:3310"):
        assert loaded(tmp_path, ZHIJIA_CLAMD=address).clamd == address


@pytest.mark.parametrize(
    "variables",
    [
        {"ZHIJIA_FILES": "files"},
        {"ZHIJIA_FILES": "nowhere://x"},
        {"ZHIJIA_LARGEST_FILE": "0"},
        {"ZHIJIA_LARGEST_FILE": "32"},
        {"ZHIJIA_LARGEST_FILE": "many"},
        {"ZHIJIA_CLAMD": "clamd"},
        {"ZHIJIA_CLAMD": "clamd:port"},
        {"ZHIJIA_CLAMD": ":3310"},
        {"ZHIJIA_CLAMD": "unix:clamd"},
    ],
)
def test_anything_else_is_one_sentence(tmp_path: Path, variables: dict[str, str]) -> None:
    (name,) = variables
    with pytest.raises(ConfigError, match=f"^{name} "):
        loaded(tmp_path, **variables)


def test_a_url_with_a_password_in_it_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, ZHIJIA_FILES="nowhere://key:secret@bucket")
    assert "secret" not in str(caught.value)
