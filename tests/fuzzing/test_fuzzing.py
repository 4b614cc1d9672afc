"""Every form and every list, thrown at by everybody: no page stumbles, and nothing is written that should not be.

``make fuzz ARGS="--fuzz 50 --seed 7"`` throws more, and other things.
"""

from collections.abc import Callable, Mapping

import pytest

from tests.fuzzing.house import House
from tests.fuzzing.throwing import Reader, Throwing, Thrown

Look = Callable[[Thrown], str]
PutBack = Callable[[], None]
pytestmark = pytest.mark.timeout(0)  # as long as is asked for
PROVINCE, COUNTY = Reader("province", "61"), Reader("county", "610102")
NOBODY, CLOSED = Reader("nobody", "610102", roles=()), Reader("closed", "61", is_closed=True)
#: What a look may change: its line in the trail. Sessions, which say when they were last used, are not watched.
LOOKS = {"core_audit"}
#: What stays of something that was refused, with the reason.
REFUSALS = {
    "core_audit": "what was tried, as a wrong password",
    "core_second_factor": "a code that was shown counts once, whatever becomes of the rest",
}
#: What is everybody's own, with or without a role.
OWN = REFUSALS | {"core_list_view": "how somebody likes to see a list"}
#: Of one's account too, by the page where it is done.
OWN_PAGES = {
    "users.change_password": {"core_user", "core_password"},
    "users.mail": {"core_user"},
    "users.language": {"core_user"},
    "users.enter": {"core_user", "core_password"},
}
#: What is of no program, and goes on when one is closed: whose pages are on nobody's year.
OF_THE_HOUSE = {
    "core_user": "accounts",
    "core_password": "accounts",
    "core_grant": "roles",
    "core_org_account": "the bank account of a union, on its own page",
    "core_person": "people on file, for all programs",
    "core_consent": "what people agreed to",
    "core_privacy_rule": "how long things are kept",
    "core_approval_rule": "who must approve in years to come",
    "core_period": "months of the books, in which all programs stand",
    "core_export": "a file of what may still be read",
    "core_job": "that makes it",
}
#: Closing a year ends what is done in it; here it is opened again.
OPENING = {"core_program_year": "its days", "core_settings_version": "its settings", "core_task": "what waits then"}


def wrong(thrown: Thrown) -> str:
    """What no answer may be, whoever asked."""
    if thrown.problem:
        return thrown.problem
    if thrown.method == "GET" and (more := thrown.changed - LOOKS):
        return f"a look changed {sorted(more)}"
    if thrown.status >= 400 and (more := thrown.changed - REFUSALS.keys()):
        return f"refused ({thrown.status}), and changed {sorted(more)}"
    return ""


def without_a_role(thrown: Thrown) -> str:
    """Who may nothing looks after their own account, and no more."""
    more = thrown.changed - OWN.keys() - OWN_PAGES.get(thrown.rule.endpoint, set())
    return wrong(thrown) or (f"changed {sorted(more)} ({thrown.status})" if more else "")


def in_a_closed_year(thrown: Thrown) -> str:
    """Nothing of a program is changed but by opening it."""
    allowed = OWN.keys() | OF_THE_HOUSE.keys()
    if thrown.rule.endpoint.startswith("years."):
        allowed |= OPENING.keys()
    more = thrown.changed - allowed
    return wrong(thrown) or (f"changed {sorted(more)} ({thrown.status}) in a closed year" if more else "")


def test_no_page_stumbles_and_what_is_refused_changes_nothing(
    house: House, put_back: PutBack, fuzz: int, seed: int
) -> None:
    """By who may everything, in the province and in a county."""
    faults = thrown_by(house, put_back, {COUNTY: wrong, PROVINCE: wrong}, fuzz, seed)
    assert not faults, told(faults)


def test_who_may_nothing_changes_nothing(house: House, put_back: PutBack, fuzz: int, seed: int) -> None:
    """Somebody without a role, with the forms of others; and who may everything, in a year that is closed."""
    faults = thrown_by(house, put_back, {NOBODY: without_a_role, CLOSED: in_a_closed_year}, fuzz, seed)
    assert not faults, told(faults)


def thrown_by(house: House, put_back: PutBack, readers: Mapping[Reader, Look], fuzz: int, seed: int) -> list[str]:
    """The faults that these readers meet, each told by their own measure; all with the forms of who sees them all."""
    faults: list[str] = []
    surface = house.surface(house.enter(house.world.user("61")))
    for reader, look in readers.items():
        throwing = Throwing(house, reader, surface, seed, fuzz)
        for thrown in throwing.turns(put_back):
            if problem := look(thrown):
                throwing.blame(thrown, problem)
        faults += throwing.faults.values()
    return faults


def told(faults: list[str]) -> str:
    """All of them, one below the other."""
    return "\n\n".join([f"{len(faults)} faults", *faults])
