"""Reports that an area of the core has for every program year; it names them while the application is made.

They stand beside those of the program under its address, but not in their list: the page of the area leads to them.
"""

from collections.abc import Callable, Iterator

from flask import Flask, current_app

from core.plugin.types import Report
from core.programs.models import ProgramYear

EXTENSION = "zhijia_reports"


def provide_report(app: Flask, of_year: Callable[[ProgramYear], Report]) -> None:
    """Show the report that ``of_year(program_year)`` gives for each program year."""
    providers: list[Callable[[ProgramYear], Report]] = app.extensions.setdefault(EXTENSION, [])
    providers.append(of_year)


def provided(program_year: ProgramYear) -> Iterator[Report]:
    """The reports of the core."""
    return (of_year(program_year) for of_year in current_app.extensions.get(EXTENSION, []))
