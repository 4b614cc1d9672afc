"""The web: ``gunicorn -c python:core.web.serving wsgi:app``."""

from core import create_app

app = create_app(serving=True)
