"""The marks that the decorators of ``core.web.guard`` leave on a view, for those who ask what stands before it."""

PUBLIC = "is_public"
NEEDS = "needs_permission"
READS = "reads_only"
DUE = "open_while_due"


def is_public(view: object) -> bool:
    """Whether everybody may open the view without logging in."""
    return bool(getattr(view, PUBLIC, False))


def permission_needed(view: object) -> str | None:
    """The permission that ``needs`` asks for before the view, if it does."""
    permission: str | None = getattr(view, NEEDS, None)
    return permission


def reads(view: object) -> bool:
    """Whether the view changes nothing of the program year, even where it is sent something."""
    return bool(getattr(view, READS, False))


def is_open_while_due(view: object) -> bool:
    """Whether the view is open to whoever must first choose a password or enrol a second factor."""
    return bool(getattr(view, DUE, False))
