"""Passwords: argon2id, rehashed when its parameters rise, and the same cost for names that nobody has."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _

from core.errors import ZhijiaError

SHORTEST = 10
LONGEST = 128
_hasher = PasswordHasher()
#: Without 0, 1, i, l and o, which people confuse when they copy a password from paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_DIGITS = "23456789"


def hash_password(password: str) -> str:
    """The argon2id hash to keep."""
    return _hasher.hash(password)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex(16))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password fits; without a hash it costs the same and never fits."""
    try:
        return _hasher.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def check_password(password: str, username: str) -> None:
    """Refuse a password that is too easy to guess. Raises :class:`ZhijiaError` at the field ``password``."""
    if not SHORTEST <= len(password) <= LONGEST:
        message = _("A password has %(least)s to %(most)s characters.", least=SHORTEST, most=LONGEST)
    elif not any(c.isalpha() for c in password) or not any(c.isdigit() for c in password):
        message = _("A password has letters and digits.")
    elif username in password.lower():
        message = _("A password must not contain the user name.")
    else:
        return
    raise ZhijiaError(message, field="password")


def random_password() -> str:
    """A password that can be read out on the telephone, such as ``kvtm-7383-pwnx`` (about 46 bits)."""
    groups = ((_LETTERS, 4), (_DIGITS, 4), (_LETTERS, 4))
    return "-".join("".join(secrets.choice(alphabet) for _index in range(count)) for alphabet, count in groups)
