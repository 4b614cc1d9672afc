"""Errors that a user reads: one sentence, in the user's language, at the place it belongs to."""

from flask_babel import LazyString


class ZhijiaError(Exception):
    """Something the user asked for cannot be done; ``str(error)`` is the sentence to show.

    ``field`` names the form field that the sentence belongs to, if there is one.
    """

    status = 400

    def __init__(self, message: str | LazyString, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class ConfigError(ZhijiaError):
    """A setting is wrong; raised at start, shown without a traceback."""


class Refused(ZhijiaError):
    """A rule of the house forbids it: own approval, closed year, overspending, wrong state."""

    status = 409


class NotFound(ZhijiaError):
    """There is no such thing, or none that this user may know of. Both look the same on purpose."""

    status = 404


class Forbidden(ZhijiaError):
    """The user may see it but not do this to it."""

    status = 403
