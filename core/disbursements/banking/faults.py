"""What can be wrong with a cell of a return file, as a code in the database and as a sentence for whoever reads it."""

from flask_babel import lazy_gettext as _l

#: The columns of a return file, as pages call them.
FIELDS = {
    "reference": _l("Reference number"),
    "result": _l("Result"),
    "amount": _l("Amount (yuan)"),
    "reason": _l("Reason"),
    "day": _l("Day"),
    "currency": _l("Currency"),
}
_SENTENCES = {
    "reference_missing": _l("The reference is missing."),
    "reference_unknown": _l("No payment of this run has the reference “%(said)s”."),
    "reference_of_another_run": _l("“%(said)s” is a payment of another run."),
    "twice": _l("The same payment stands in line %(said)s already."),
    "code_unknown": _l("“%(said)s” is no result; write full, failed or pending (or the amount)."),
    "amount_bad": _l("“%(said)s” is not an amount."),
    "amount_decimals": _l("“%(said)s” has a part smaller than one fen."),
    "larger": _l("%(said)s yuan is more than the payment."),
    "partial": _l("%(said)s yuan is a part of the payment; a payment is made whole or not at all."),
    "day_bad": _l("“%(said)s” is not a day; write it as 2014-01-24."),
    "day_future": _l("%(said)s lies in the future."),
    "currency": _l("“%(said)s” is not the currency of this run; it is paid in CNY."),
    "was_paid": _l("This payment is on record as paid already."),
    "was_failed": _l("This payment is on record as failed already."),
}


def sentence_of(code: str, said: str) -> str:
    """What is wrong, in the reader's language; ``said`` is what stands in the cell."""
    return str(_SENTENCES[code]) % {"said": said}


def title_of(field: str) -> str:
    """The column that it is in."""
    return str(FIELDS[field])
