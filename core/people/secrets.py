"""Personal numbers at rest: AES-256-GCM ciphertext, and a keyed digest beside it for exact look-up and uniqueness.

A ciphertext is one byte that names the key's version, a random nonce of 12 bytes, then the encrypted text with its tag.
The field's name is bound into it, so that a ciphertext moved to another column does not open there. Both keys are
derived from the installation's data key; who loses that key loses the numbers.
"""

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask_babel import gettext as _

from core.config import settings_of
from core.errors import ZhijiaError

#: ``import_row`` are the three of a line of an uploaded list, as one JSON object.
Field = Literal["id_number", "phone", "bank_account", "import_row", "contact", "password"]

_VERSION = b"\x01"
_NONCE = 12


class Sealed(NamedTuple):
    """What is stored of a number: ciphertext, keyed digest (32 bytes) and the last four characters for display."""

    ciphertext: bytes
    digest: bytes
    tail: str


class Keys:
    """The two keys derived from a data key of 32 bytes."""

    def __init__(self, data_key: bytes) -> None:
        self._cipher = AESGCM(_derive(data_key, b"zhijia encryption 1"))
        self._digest = HMAC(_derive(data_key, b"zhijia digest 1"), SHA256())

    def encrypt(self, field: Field, value: str) -> bytes:
        """Encrypt a normalised value; the same value gives another ciphertext each time."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, value.encode(), field.encode())

    def encrypt_all(self, field: Field, values: Sequence[str]) -> list[bytes]:
        """As :meth:`encrypt` each of them."""
        encrypt, name, random = self._cipher.encrypt, field.encode(), os.urandom(_NONCE * len(values))
        nonces = [random[start : start + _NONCE] for start in range(0, len(random), _NONCE)]
        return [
            _VERSION + nonce + encrypt(nonce, value.encode(), name) for nonce, value in zip(nonces, values, strict=True)
        ]

    def decrypt(self, field: Field, ciphertext: bytes) -> str:
        """Open a ciphertext of the field. Raises :class:`ZhijiaError` when it was changed or the key is another."""
        body = bytes(ciphertext)
        try:
            if body[:1] != _VERSION:
                raise InvalidTag
            return self._cipher.decrypt(body[1 : 1 + _NONCE], body[1 + _NONCE :], field.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise ZhijiaError(
                _("A stored number cannot be read: it was changed, or this installation has another data key.")
            ) from error

    def digest(self, field: Field, value: str) -> bytes:
        """The keyed digest of a normalised value (HMAC-SHA256): the same value gives the same 32 bytes."""
        digest = self._digest.copy()  # which has taken the key in already
        digest.update(f"{field}:{value}".encode())
        return digest.finalize()

    def seal(self, field: Field, value: str) -> Sealed:
        """Everything that is stored of a normalised value."""
        return Sealed(self.encrypt(field, value), self.digest(field, value), value[-4:])


def _derive(data_key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(data_key)


_keys: Callable[[bytes], Keys] = lru_cache(maxsize=4)(Keys)


def keys() -> Keys:
    """The keys of this installation."""
    return _keys(settings_of().data_key)


def encrypt(field: Field, value: str) -> bytes:
    """Encrypt a normalised value with this installation's key."""
    return keys().encrypt(field, value)


def decrypt(field: Field, ciphertext: bytes) -> str:
    """Open a ciphertext of the field with this installation's key. Raises :class:`ZhijiaError` where it cannot."""
    return keys().decrypt(field, ciphertext)


def digest(field: Field, value: str) -> bytes:
    """The keyed digest of a normalised value, to find it by (``Person.id_number_digest``)."""
    return keys().digest(field, value)
