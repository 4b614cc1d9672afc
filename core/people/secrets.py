"""Personal numbers at rest: AES-256-GCM ciphertext, and a keyed digest beside it for exact look-up and uniqueness.

A ciphertext is one byte that names the key's version, a random nonce of 12 bytes, then the encrypted text with its tag.
The field's name is bound into it, so that a ciphertext moved to another column does not open there. The keys are
derived from the installation's data keys; who loses these loses the numbers.

Which version is written with stands in the database, so that all processes change to another one at the same moment
(``core.keys``): whoever encrypts or makes a digest holds a shared lock until the end of the transaction, which the
change waits for.
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
from sqlalchemy import func, select

from core.config import settings_of
from core.data_keys import DataKeys
from core.errors import ZhijiaError
from core.extensions import db
from core.keys.models import LOCK, KeysInUse

#: ``import_row`` are the three of a line of an uploaded list, as one JSON object.
Field = Literal["id_number", "phone", "bank_account", "import_row", "contact", "password", "totp"]

_NONCE = 12
#: Where a session keeps the keys that it has locked, and in which transaction.
_HELD = "zhijia_keys"


class Sealed(NamedTuple):
    """What is stored of a number: ciphertext, keyed digest (32 bytes) and the last four characters for display."""

    ciphertext: bytes
    digest: bytes
    tail: str


class Keys:
    """The keys derived from the data keys: every one opens, that of version ``cipher`` seals.

    ``digest`` is the version that digests are made with. Raises :class:`ZhijiaError` for a version that is not there.
    """

    def __init__(self, data_keys: DataKeys, cipher: int | None = None, digest: int | None = None) -> None:
        cipher, digest = cipher or data_keys.newest, digest or data_keys.newest
        for version in (cipher, digest):
            if version not in data_keys:
                sentence = _(
                    "The data key of version %(version)s is in use, which this process does not know.", version=version
                )
                raise ZhijiaError(sentence)
        self._ciphers = {version: AESGCM(_derive(key, b"zhijia encryption 1")) for version, key in data_keys.pairs}
        self._cipher, self._version = self._ciphers[cipher], bytes([cipher])
        self._digest = HMAC(_derive(data_keys[digest], b"zhijia digest 1"), SHA256())

    def encrypt(self, field: Field, value: str) -> bytes:
        """Encrypt a normalised value; the same value gives another ciphertext each time."""
        nonce = os.urandom(_NONCE)
        return self._version + nonce + self._cipher.encrypt(nonce, value.encode(), field.encode())

    def encrypt_all(self, field: Field, values: Sequence[str]) -> list[bytes]:
        """As :meth:`encrypt` each of them."""
        encrypt, name, random = self._cipher.encrypt, field.encode(), os.urandom(_NONCE * len(values))
        version, nonces = self._version, [random[start : start + _NONCE] for start in range(0, len(random), _NONCE)]
        return [
            version + nonce + encrypt(nonce, value.encode(), name) for nonce, value in zip(nonces, values, strict=True)
        ]

    def decrypt(self, field: Field, ciphertext: bytes) -> str:
        """Open a ciphertext of the field. Raises :class:`ZhijiaError` when it was changed or the key is another."""
        body = bytes(ciphertext)
        try:
            cipher = self._ciphers.get(body[0]) if body else None
            if cipher is None:
                raise InvalidTag
            return cipher.decrypt(body[1 : 1 + _NONCE], body[1 + _NONCE :], field.encode()).decode()
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


_keys: Callable[..., Keys] = lru_cache(maxsize=8)(Keys)


def keys() -> Keys:
    """The keys in use, which stay in use until the end of the transaction of ``db.session``.

    Not to be called first while rows are streamed on that connection. Raises :class:`ZhijiaError` where this process
    does not know the key that the database is encrypted with.
    """
    session = db.session()
    held = session.info.get(_HELD)
    if held is not None:
        transaction, savepoint, found = held
        # A lock that was taken inside a savepoint goes with it.
        if transaction is session.get_transaction() and savepoint in (None, session.get_nested_transaction()):
            return found  # type: ignore[no-any-return]  # what is put there below
    connection = session.connection()
    connection.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
    cipher, digest = connection.execute(select(KeysInUse.cipher, KeysInUse.digest)).one()
    taken = _keys(settings_of().data_keys, cipher, digest)
    session.info[_HELD] = session.get_transaction(), session.get_nested_transaction(), taken
    return taken


def encrypt(field: Field, value: str) -> bytes:
    """Encrypt a normalised value with this installation's key."""
    return keys().encrypt(field, value)


def decrypt(field: Field, ciphertext: bytes) -> str:
    """Open a ciphertext of the field with the key that it names. Raises :class:`ZhijiaError` where it cannot."""
    return _keys(settings_of().data_keys).decrypt(field, ciphertext)


def digest(field: Field, value: str) -> bytes:
    """The keyed digest of a normalised value, to find it by (``Person.id_number_digest``)."""
    return keys().digest(field, value)
