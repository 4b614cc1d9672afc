"""The frame that every page stands in: what the templates know without being told.

Everything here is asked for lazily, so that the plain error page can be shown while the database is away.
"""

from datetime import UTC, datetime
from typing import Any

from flask import Flask, g
from flask_babel import get_locale
from flask_login import current_user

from core.extensions import login_manager
from core.org.models import Org
from core.programs.models import ProgramYear
from core.users.access import today
from core.users.queries import org_by_id
from core.users.roles import titles_of
from core.users.services import LANGUAGES
from core.web import assets, errors, filters, guard, home, labels, limits, locale, navigation, security
from core.web.guard import me


def _program_year() -> ProgramYear | None:
    program_year: ProgramYear | None = g.get("program_year")
    return program_year


def _sponsor() -> Org | None:
    program_year = _program_year()
    return org_by_id(program_year.org_id) if program_year else None


def _program_title() -> str:
    program_year = _program_year()
    return str(program_year.title.get(str(get_locale()), program_year.program)) if program_year else ""


def _this_year() -> int:
    program_year = _program_year()
    return program_year.year if program_year else today().year


def _menu() -> list[navigation.NavItem]:
    return navigation.menu_for(me())


def _my_org() -> Org | None:
    return org_by_id(me().org_id)


def _my_roles() -> list[str]:
    return titles_of(me())


def _frame() -> dict[str, Any]:
    return {"language": str(get_locale()), "reference": g.get("request_id")}


def init_app(app: Flask) -> None:
    """Bind login, language, headers, errors and the frame to the app, after its plugins are loaded."""
    login_manager.init_app(app, add_context_processor=False)
    login_manager.session_protection = None  # the server keeps the sessions, see core/users/sessions.py
    login_manager.request_loader(guard.load_user)
    locale.init_app(app)
    for part in (errors, limits, guard, security, filters, assets, home):
        part.init_app(app)
    app.context_processor(_frame)
    app.jinja_env.globals.update(
        printed_at=lambda: filters.local_time(datetime.now(UTC)),
        action_title=labels.action_title,
        asks_for_code=guard.asks_for_code,
        current_user=current_user,
        languages=LANGUAGES,
        menu=_menu,
        my_org=_my_org,
        my_count=home.my_count,
        my_roles=_my_roles,
        program_title=_program_title,
        sponsor=_sponsor,
        state_label=labels.label_of,
        this_year=_this_year,
        today=today,
        titles_of=titles_of,
    )
