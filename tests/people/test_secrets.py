import hmac

import pytest

from core.data_keys import DataKeys
from core.errors import ZhijiaError
from core.people.secrets import Keys, _derive

KEYS = Keys(DataKeys.of({1: b"a" * 32}))


def test_a_number_opens_with_its_own_key_and_field_only() -> None:
    ciphertext = KEYS.encrypt("id_number", "61010219900101123X")
    assert KEYS.decrypt("id_number", ciphertext) == "61010219900101123X"
    with pytest.raises(ZhijiaError, match="another data key"):
        KEYS.decrypt("phone", ciphertext)
    with pytest.raises(ZhijiaError, match="another data key"):
        Keys(DataKeys.of({1: b"b" * 32})).decrypt("id_number", ciphertext)


@pytest.mark.parametrize("damage", [lambda c: c[:-1] + bytes([c[-1] ^ 1]), lambda c: b"\x02" + c[1:], lambda c: c[:5]])
def test_a_changed_ciphertext_is_refused(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(ZhijiaError):
        KEYS.decrypt("phone", damage(KEYS.encrypt("phone", "13900000000")))


def test_the_same_number_has_another_ciphertext_each_time_but_one_digest() -> None:
    first, second = KEYS.seal("phone", "13900000000"), KEYS.seal("phone", "13900000000")
    assert first.ciphertext != second.ciphertext
    assert first.digest == second.digest != KEYS.digest("bank_account", "13900000000")
    assert Keys(DataKeys.of({1: b"b" * 32})).digest("phone", "13900000000") != first.digest
    assert (len(first.digest), first.tail) == (32, "0000")
    assert b"139" not in first.ciphertext


def test_the_digest_is_an_hmac() -> None:
    key = _derive(b"a" * 32, b"zhijia digest 1")
    assert KEYS.digest("phone", "13900000000") == hmac.digest(key, b"phone:13900000000", "sha256")


def test_many_are_encrypted_as_one_is() -> None:
    values = [f"139{number:08d}" for number in range(50)]
    ciphertexts = KEYS.encrypt_all("phone", values)
    assert [KEYS.decrypt("phone", ciphertext) for ciphertext in ciphertexts] == values
    assert len({ciphertext[1:13] for ciphertext in ciphertexts}) == 50
    assert KEYS.encrypt_all("phone", []) == []
