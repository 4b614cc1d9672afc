"""The list of attacks says what is tested, all of it, and nothing else."""

from tests.attacks.listing import DOCUMENT, attacks, document, missing


def test_the_document_lists_what_is_tested() -> None:
    assert missing() == []
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python -m tests.attacks.listing"


def test_there_are_at_least_forty() -> None:
    found = list(attacks())
    assert len(found) == len({(file, name) for file, name, _said in found})
    assert len(found) >= 40
