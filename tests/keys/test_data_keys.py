"""Data keys as they are written down."""

from pathlib import Path

import pytest

from core.data_keys import HIGHEST, DataKeys, load_data_keys, save_data_keys
from core.errors import ConfigError, Refused

ONE, TWO = "1" * 64, "2" * 64


def test_a_key_alone_is_the_first_version() -> None:
    keys = DataKeys.read(ONE)
    assert (list(keys), keys.newest, keys[1]) == ([1], 1, bytes.fromhex(ONE))


@pytest.mark.parametrize("between", [",", "\n", " , "])
def test_the_highest_version_is_the_newest_wherever_it_stands(between: str) -> None:
    for text in (f"2:{TWO}{between}1:{ONE}", f"{ONE}{between}2:{TWO}"):
        keys = DataKeys.read(text)
        assert (list(keys), keys.newest, keys[2]) == ([1, 2], 2, bytes.fromhex(TWO))
    assert DataKeys.read(keys.said()) == keys


@pytest.mark.parametrize(
    "text", ["", "1:", "x" * 64, ONE[:-1], f"0:{ONE}", f"256:{ONE}", f"1:{ONE},{TWO}", f"2:{ONE},2:{TWO}", f"1:{ONE};"]
)
def test_what_are_no_keys_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="key"):
        DataKeys.read(text)
    (tmp_path / "data.key").write_text(text)
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        load_data_keys("", tmp_path / "data.key")


def test_the_highest_version_that_a_byte_can_name() -> None:
    assert DataKeys.read(f"255:{ONE}").newest == HIGHEST == 255
    assert DataKeys.read(f"254:{ONE}").with_another().newest == 255
    with pytest.raises(Refused, match="last"):
        DataKeys.read(f"255:{ONE}").with_another()


def test_a_missing_file_is_made_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "data.key"
    made = load_data_keys("", file)
    assert (load_data_keys("", file), list(made), file.stat().st_mode & 0o777) == (made, [1], 0o600)
    save_data_keys(made.with_another(), file)
    again = load_data_keys("", file)
    assert (list(again), again[1], file.stat().st_mode & 0o777) == ([1, 2], made[1], 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["data.key"]
    assert load_data_keys(f"3:{TWO}", file).newest == 3


def test_the_only_key_and_a_strange_one_are_not_forgotten() -> None:
    keys = DataKeys.read(f"2:{TWO},{ONE}")
    assert list(keys.without(1)) == [2]
    for wrong, reason in ((keys, "no data key of version 3"), (keys.without(1), "no data key")):
        with pytest.raises(Refused, match=reason):
            wrong.without(3)
    with pytest.raises(Refused, match="only data key"):
        keys.without(1).without(2)


def test_a_key_is_in_no_representation() -> None:
    keys = DataKeys.read(ONE)
    assert ONE[:8] not in repr(keys)
    assert keys[1].hex()[:8] not in repr(keys)
