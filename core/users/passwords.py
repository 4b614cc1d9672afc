"""Passwords: argon2id, rehashed when its parameters rise, and the same cost for names that nobody has.

What is refused follows OWASP ASVS 5.0, 6.2: by length and by what is guessed first, never by kinds of characters.
"""

import re
import secrets
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from core.errors import ZhijiaError

SHORTEST = 10
LONGEST = 128
#: Words that everybody of the house would try first.
HOUSE_WORDS = ("zhijia", "gonghui", "zonggonghui", "职家", "工会")
#: A shorter word of the user's own is not looked for: it stands in many a good password by chance.
SHORTEST_WORD = 4
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


@cache
def _common() -> frozenset[str]:
    """The 30,000 passwords that leaked most often (the list of zxcvbn), in lower case."""
    return frozenset(FREQUENCY_LISTS["passwords"])


def check_password(password: str, words: Iterable[str]) -> None:
    """Refuse a password that is guessed soon. Raises :class:`ZhijiaError` at the field ``password``.

    ``words`` are those that somebody would try who knows the user: user name, name, union.
    """
    lower = password.lower()
    bare = re.sub(r"^[^a-z]+|[^a-z]+$", "", lower)
    guessable = next((word for word in (*HOUSE_WORDS, *words) if _is_telling(word) and word.lower() in lower), None)
    if not SHORTEST <= len(password) <= LONGEST:
        message = _("A password has %(least)s to %(most)s characters.", least=SHORTEST, most=LONGEST)
    elif guessable:
        message = _("A password must not contain “%(word)s”: whoever knows you would try it.", word=guessable)
    elif lower in _common() or bare in _common() or len(set(lower)) < SHORTEST // 2:
        message = _("This password is among those that are tried first; choose another one.")
    else:
        return
    raise ZhijiaError(message, field="password")


def _is_telling(word: str) -> bool:
    return len(word) >= SHORTEST_WORD or (len(word) >= 2 and not word.isascii())


def random_password() -> str:
    """A password that can be read out on the telephone, such as ``kvtm-7383-pwnx`` (about 46 bits)."""
    groups = ((_LETTERS, 4), (_DIGITS, 4), (_LETTERS, 4))
    return "-".join("".join(secrets.choice(alphabet) for _index in range(count)) for alphabet, count in groups)
