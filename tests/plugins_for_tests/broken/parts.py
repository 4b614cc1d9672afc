"""What most broken plugins have in order: a program, so that a year of theirs can be switched on."""

from core.api import Program


def program(code: str) -> Program:
    """A program without settings."""
    return Program(code=code, title=code, title_zh=code, title_en=code)
