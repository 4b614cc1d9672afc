"""Where a page of a list goes on: the path of the last row's union and its number, ``/61/6101/:4711``."""

from flask_babel import gettext as _

from core.errors import ZhijiaError


def no_such_page() -> ZhijiaError:
    """What is wrong with an address that names no place of a list."""
    return ZhijiaError(_("This page of the list does not exist. Begin at the first page."))


def place_in(token: str) -> tuple[str, int] | None:
    """The place that an address names; none for the first page. Raises :class:`ZhijiaError` for what names none."""
    if not token:
        return None
    path, _colon, number = token.rpartition(":")
    if not path or not number.isdecimal() or len(number) > 18:
        raise no_such_page()
    return path, int(number)


def token_of(org_path: str, number: int) -> str:
    """The place behind a row, for an address."""
    return f"{org_path}:{number}"
