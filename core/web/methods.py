"""HEAD is GET without its body, for every view alike."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class HeadAsGet:
    """Has each HEAD answered as the GET that it asks about.

    Flask hands HEAD to the views of GET, and neither the token of a form nor the closing of a year is asked of it: a
    view that took whatever is not GET for a form that was sent would write.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer; the head of a HEAD is that of the page."""
        if environ["REQUEST_METHOD"] != "HEAD":
            return self._app(environ, start_response)
        body = self._app({**environ, "REQUEST_METHOD": "GET"}, start_response)
        if hasattr(body, "close"):
            body.close()
        return []
