"""Which programs there are this year, and the first page of a program year."""

from datetime import date
from itertools import groupby

from flask import Blueprint, Flask, render_template
from flask_babel import get_locale

from core.plugin.gate import current_program_year
from core.plugin.hooks import dashboard_cards
from core.plugin.registry import registry_of
from core.programs import frame
from core.programs.forms import summary
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code, state_of, title_of, visible_to
from core.users.models import User
from core.web.guard import me, needs
from core.web.home import Panel, provide_panel

blueprint = Blueprint("programs", __name__, template_folder="templates")


@blueprint.get("/programs")
@needs("program.view")
def index() -> str:
    """Every program year that the user may see, year by year."""
    rows = visible_to(me())
    years = [(year, list(group)) for year, group in groupby(rows, key=lambda row: row[0].year)]
    return render_template("programs/index.html", years=years)


@blueprint.get("/<int:year>/<sponsor>/<program>/")
def home() -> str:
    """The first page of a program year: its figures, its settings, and what other areas show of it."""
    program_year, user = current_program_year(), me()
    loaded = registry_of().programs.get(program_year.program)
    return render_template(
        "programs/home.html",
        program_year=program_year,
        is_loaded=loaded is not None,
        cards=dashboard_cards(user, program_year),
        settings=summary(loaded.settings_form if loaded else None, program_year.settings),
        panels=frame.panels(user, program_year),
    )


def my_programs(user: User) -> Panel | None:
    """The open programs on the home page, those of the newest year first."""
    rows = [row for row in visible_to(user) if state_of(row[0]) in ("open", "upcoming")]
    return Panel(template="programs/_mine.html", context={"rows": rows[:8]}) if rows else None


def _title(program_year: ProgramYear) -> str:
    return title_of(program_year, str(get_locale()))


def _address(program_year: ProgramYear) -> dict[str, str | int]:
    """The arguments that lead ``url_for`` to another program year."""
    return {"year": program_year.year, "sponsor": sponsor_code(program_year), "program": program_year.program}


def _tabs() -> list[frame.Tab]:
    return frame.tabs(me(), current_program_year())


def _last_day(day: date | None) -> str:
    return day.isoformat() if day else "…"


def init_app(app: Flask) -> None:
    """Mount the pages; their helpers are known to every template."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(year_tabs=_tabs, year_title=_title, year_state=state_of, year_address=_address)
    app.jinja_env.filters["last_day"] = _last_day
    provide_panel(app, my_programs, weight=20)
