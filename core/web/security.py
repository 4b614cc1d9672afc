"""The security headers of every answer, in one place.

The policy allows no inline script, style or handler. A script runs only with the nonce of its answer: not even a file
of this site does without, as what somebody uploaded could be one. There is no ``strict-dynamic``: htmx puts the scripts
of a fragment into the page by script, and that word would trust them. Styles are files of this site.
"""

import secrets

from flask import Flask, Response, g, request

#: What a browser may not do with a page of ours, whatever gets into it: none of it is used.
UNUSED = (
    "accelerometer", "autoplay", "bluetooth", "camera", "clipboard-read", "display-capture", "encrypted-media",
    "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment",
    "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in UNUSED),
}
YEAR = 365 * 24 * 3600
#: What keeps the session, where cookies go over TLS only: browsers take a name that begins so from this very host.
COOKIE, SECURE_COOKIE = "session", "__Host-session"


def nonce() -> str:
    """What the scripts of this answer carry: new for each, and nobody can know it before."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def policy() -> str:
    """The content-security policy of this answer; one without a script has no nonce, and runs none."""
    scripts = f"'nonce-{g.nonce}'" if "nonce" in g else "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self'",
            "img-src 'self' data:",  # Tabler's form controls are data: images
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", policy())
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}; includeSubDomains")
    if request.endpoint == "static":
        if "v" in request.args:  # the address changes with the content, see core/web/assets.py
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.add("Cookie")  # for caches between that keep what they may not
    if request.endpoint == "users.leave":  # what the next one at this machine could go back to
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def init_app(app: Flask) -> None:
    """Add the headers to every answer, and make ``nonce()`` known to the templates."""
    app.after_request(_add_headers)
    app.jinja_env.globals["nonce"] = nonce
