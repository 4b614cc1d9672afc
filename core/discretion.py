"""What errors say, without what they say of people: for logs, for the jobs page and for whoever reads a failure.

The database adds the row that it refused (``DETAIL: Failing row contains (...)``) and repeats a value that it could not
read. Both are left out, and numbers that could be somebody's are masked. A name in the text of an exception of one's
own is nothing that can be recognised here: exceptions name ids.
"""

import re
from collections.abc import MutableMapping
from typing import Any

from core.people.numbers import NUMBER

#: In a message the lines end where they end, in a ``repr`` by two characters.
_ADDED = re.compile(r"(DETAIL|CONTEXT|LINE [0-9]+):(?:(?!\\n).)*")
_VALUES = re.compile(r"(invalid input syntax for [^:\n]+|invalid input value for [^:\n]+|value) ?:? ?\"[^\"\n]*\"")
_NUMBER = re.compile(f"(?<![0-9a-zA-Z_.])(?:{NUMBER})(?![0-9a-zA-Z_])")
#: Keys of a log line whose text comes from an error.
_OF_ERRORS = ("error", "exception", "reason")


def discreet(text: str) -> str:
    """The text without the rows and values that a database error repeats, and with long numbers masked."""
    text = _ADDED.sub(r"\1: …", text)
    text = _VALUES.sub(r"\1 …", text)
    return _NUMBER.sub("****", text)


def discreet_line(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: what comes from errors is :func:`discreet`."""
    for key in _OF_ERRORS:
        if isinstance(line.get(key), str):
            line[key] = discreet(line[key])
    return line
