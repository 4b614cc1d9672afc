"""Log lines: one a line on stderr, ``key=value``, with the request's number; stdout belongs to what commands print."""

import sys
from typing import Any

import structlog

from core.discretion import discreet_line


def _to_stderr(*_arguments: Any) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)


def configure() -> None:
    """Set up structlog for this process; safe to repeat."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            discreet_line,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=_to_stderr,
    )
