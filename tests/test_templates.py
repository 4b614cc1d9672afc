"""What every template of core and plugins must keep to, since the content-security policy allows nothing inline."""

import re
from pathlib import Path

import pytest

from core.config import ROOT

TEMPLATES = sorted(
    path for folder in ("core", "plugins", "examples") for path in (ROOT / folder).rglob("templates/**/*.html")
)
FORBIDDEN = {
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*(\ssrc=|application/json))", re.IGNORECASE),
    "a script without its nonce": re.compile(
        r'<script(?! nonce="\{\{ nonce\(\) \}\}"|[^>]*application/json)', re.IGNORECASE
    ),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "a place that a script is written into": re.compile(r"srcdoc\s*=|<(iframe|object|embed|base)\b", re.IGNORECASE),
    "an attribute without quotes": re.compile(r"<[^>%{]*\s[a-z-]+=\{\{", re.IGNORECASE),
    "an hx-on handler": re.compile(r"\shx-on", re.IGNORECASE),
    "unescaped output": re.compile(r"\|\s*safe\b"),
}
POST_FORM = re.compile(r"<form[^>]*method=[\"']?post.*?</form>", re.IGNORECASE | re.DOTALL)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_has_nothing_inline_and_a_token_in_every_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for what, pattern in FORBIDDEN.items():
        found = pattern.search(text)
        assert not found, f"{what}: {found and found[0]}"
    for form in POST_FORM.findall(text):
        assert "csrf()" in form, f"a form without its token: {form[:80]}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<a onclick='x'>", "an inline handler"),
        ('<p\n style="color:red">', "a style attribute"),
        ("<script>alert(1)</script>", "an inline script"),
        ('<script src="a.js"></script>', "a script without its nonce"),
        ('<a href="JavaScript:alert(1)">', "a javascript: address"),
        ('<iframe srcdoc="{{ text }}">', "a place that a script is written into"),
        ("<input value={{ text }}>", "an attribute without quotes"),
    ],
)
def test_the_patterns_find_what_they_are_for(text: str, what: str) -> None:
    assert FORBIDDEN[what].search(text)
    assert not FORBIDDEN[what].search(
        '<script nonce="{{ nonce() }}" src="a.js"></script><script type="application/json">{}</script>'
    )
