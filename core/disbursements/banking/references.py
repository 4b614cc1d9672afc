"""The reference of a payment that goes to the bank and comes back: ``R12-345``, run 12, payee 345."""

import re
import unicodedata

_REFERENCE = re.compile(r"R([0-9]{1,18})-([0-9]{1,18})")


def reference_of(run_id: int, payee_id: int) -> str:
    """What names the payment to the bank."""
    return f"R{run_id}-{payee_id}"


def parse_reference(text: str) -> tuple[int, int] | None:
    """Run and payee; none where the text is no reference."""
    match = _REFERENCE.fullmatch(unicodedata.normalize("NFKC", text).strip().upper())
    return (int(match[1]), int(match[2])) if match else None
