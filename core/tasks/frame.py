"""Where tasks and messages show up outside their own pages: the home page, the menu, and the bell above every page."""

from flask import Flask

from core.tasks import inbox, views
from core.tasks.queries import count_unread
from core.tasks.shown import waiting_tasks
from core.web.guard import me
from core.web.home import provide_waiting


def init_app(app: Flask) -> None:
    """Mount the pages, and show what waits."""
    app.register_blueprint(views.blueprint)
    app.register_blueprint(inbox.blueprint)
    app.jinja_env.globals["unread_messages"] = lambda: count_unread(me())
    provide_waiting(app, waiting_tasks)
