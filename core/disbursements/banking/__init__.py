"""To the bank and back: files out, results in, lists for cash and goods, statements.

Each module has one purpose. What a line came to is a row of its own (:class:`.models.PaymentResult`), so that a million
payments are not rewritten when they arrive; only those that come back are marked.
"""
