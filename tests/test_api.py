"""The public contract and what the documents say about it are the same."""

import ast
import re
from pathlib import Path
from typing import get_type_hints

import pytest

from core import api
from core.config import ROOT
from core.plugin import hookspecs
from tests import test_hooks

HOOKS = [
    node
    for node in ast.parse(Path(hookspecs.__file__).read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef)
]


def test_the_document_lists_exactly_what_the_api_gives() -> None:
    document = (ROOT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
    text = document.split("## What `core.api` gives")[1]
    listed = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(api.__all__)


def test_the_api_gives_each_name_once_and_each_exists() -> None:
    assert len(set(api.__all__)) == len(api.__all__)
    assert [name for name in api.__all__ if not hasattr(api, name)] == []


def test_the_api_only_re_exports() -> None:
    body = ast.parse(Path(api.__file__).read_text(encoding="utf-8")).body
    assert {type(node) for node in body} == {ast.Expr, ast.ImportFrom, ast.Assign}
    imported = [alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(imported) == sorted(api.__all__)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_each_hook_has_its_section_with_its_signature_and_its_test(hook: ast.FunctionDef) -> None:
    text = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    signature = f"{hook.name}({ast.unparse(hook.args)}) -> {ast.unparse(hook.returns or ast.Constant(None))}"
    assert f"### {hook.name}\n\n```python\n{signature}\n```\n" in text
    assert callable(getattr(test_hooks, f"test_hook_{hook.name}"))
    assert get_type_hints(getattr(hookspecs, hook.name))["return"] is not None


def test_no_hook_is_documented_that_does_not_exist() -> None:
    text = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (\w+)$", text, re.MULTILINE) == [hook.name for hook in HOOKS]
