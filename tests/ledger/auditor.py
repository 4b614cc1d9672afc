"""An auditor who keeps the books in memory and says beforehand what every call will come to.

He knows one union with one budget line. An answer is ``None`` for what is done now, :data:`AGAIN` for what was done
under the same key before, or the words of the refusal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

AGAIN = "again"
KEY_USED = "has been used"
FLOORS = ("101", "102")
Legs = list[tuple[str, int]]


@dataclass
class Booked:
    """An entry; ``hold`` is the one that it settled."""

    legs: Legs
    is_reversal: bool = False
    is_reversed: bool = False
    is_ours: bool = True
    hold: int | None = None


@dataclass
class HeldMoney:
    """A hold."""

    amount: int
    month: date
    state: str = "open"
    settled: int = 0


@dataclass
class Auditor:
    """What stands in the books; ``today`` is where he stands."""

    today: date
    allotted: int
    held: int = 0
    used: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    periods: dict[date, str] = field(default_factory=dict)
    asked: set[date] = field(default_factory=set)
    entries: list[Booked] = field(default_factory=list)
    holds: list[HeldMoney] = field(default_factory=list)
    keys: dict[str, tuple[object, str | None]] = field(default_factory=dict)

    def under(self, key: str, request: object, decide: Callable[[], str | None]) -> str | None:
        """One answer a key: the same for the same request, whatever it was, and for anything else a refusal."""
        if key in self.keys:
            before, answer = self.keys[key]
            return (answer or AGAIN) if before == request else KEY_USED
        answer = decide()
        self.keys[key] = (request, answer)
        return answer

    def state(self, month: date) -> str:
        """As the database sees a month that nobody posted to yet."""
        later_closed = any(state != "open" for first, state in self.periods.items() if first > month)
        return self.periods.get(month, "closed" if later_closed else "open")

    def book(self, legs: Legs, month: date, booked: Booked | None = None) -> str | None:
        """Whether the legs can stand; if so they do."""
        if any(amount == 0 for _code, amount in legs):
            return "a line without an amount"
        if self.state(month) != "open":
            return f"{month:%Y-%m} is closed"
        if booked is not None and booked.is_reversed:
            return "reversed already"
        after = dict(self.balances)
        for code, amount in legs:
            after[code] = after.get(code, 0) + amount
        short = sorted(code for code, _amount in legs if code in FLOORS and after[code] < 0)
        if short:
            return f"yuan on the account {short[0]}"
        self.balances = after
        self.periods.setdefault(month, "open")
        return None

    def post(self, key: str, legs: Legs, month: date, of_program: bool) -> str | None:
        def decide() -> str | None:
            if of_program and sum(amount for code, amount in legs if code.startswith("5")) > 0:
                return "held on its budget line first"
            answer = self.book(legs, month)
            if answer is None:
                self.entries.append(Booked(legs))
            return answer

        return self.under(f"post:{key}", (legs, month, of_program), decide)

    def reverse(self, key: str, number: int, month: date) -> str | None:
        def decide() -> str | None:
            entry = self.entries[number]
            if not entry.is_ours:
                return "runs and allotments"
            if entry.is_reversal:
                return "A reversal is not reversed"
            mirror = [(code, -amount) for code, amount in entry.legs]
            answer = self.book(mirror, month, entry)
            if answer is None:
                entry.is_reversed = True
                self.entries.append(Booked(mirror, is_reversal=True))
                if entry.hold is not None:
                    self.used -= self.holds[entry.hold].settled
            return answer

        return self.under(f"reverse:{key}", (number, month), decide)

    def hold(self, key: str, amount: int, month: date) -> str | None:
        def decide() -> str | None:
            if amount <= 0:
                return "must be more than nothing"
            if amount > self.allotted - self.held - self.used:
                return "The budget does not cover"
            self.held += amount
            self.holds.append(HeldMoney(amount, month))
            return None

        return self.under(f"hold:{key}", amount, decide)

    def settle(self, key: str, number: int, legs: Legs, month: date) -> str | None:
        def decide() -> str | None:
            held, spent = self.holds[number], sum(amount for _code, amount in legs if amount > 0)
            if held.state != "open":
                return {"settled": "settled already", "void": "given back already"}[held.state]
            if spent > held.amount:
                return "No more than"
            answer = self.book(legs, month)
            if answer is None:
                held.state, held.settled = "settled", spent
                self.held, self.used = self.held - held.amount, self.used + spent
                self.entries.append(Booked(legs, hold=number))
            return answer

        return self.under(f"settle:{key}", (number, legs, month), decide)

    def void(self, number: int) -> str | None:
        held = self.holds[number]
        if held.state == "void":
            return AGAIN
        if held.state == "settled":
            return "settled already"
        held.state = "void"
        self.held -= held.amount
        return None

    def _in_state(self, month: date, wanted: str) -> str | None:
        titles: Mapping[str, str] = {
            "open": "open for entries",
            "closing": "being closed",
            "closed": "closed to entries",
            "locked": "locked for good",
        }
        if month not in self.periods and self.state(month) == "closed":
            return "A later period is closed"
        state = self.state(month)
        return None if state == wanted else f"is {titles[state]}, not {titles[wanted]}"

    def start_closing(self, month: date) -> str | None:
        wrong = self._in_state(month, "open")
        if wrong is not None:
            return wrong
        if month >= self.today.replace(day=1):
            return "is not over"
        if any(first < month and state in ("open", "closing") for first, state in self.periods.items()):
            return "comes first"
        if any(held.state == "open" and held.month <= month for held in self.holds):
            return "holds of this period are open"
        self.periods[month] = "closing"
        return None

    def move(self, month: date, state: str, wanted: str) -> str | None:
        """From one state to the next."""
        wrong = self._in_state(month, wanted)
        if wrong is None:
            self.periods[month] = state
        return wrong

    def ask(self, month: date) -> str | None:
        wrong = self._in_state(month, "closed")
        if wrong is None and month in self.asked:
            return "asked for this already"
        if wrong is None:
            self.asked.add(month)
        return wrong

    def reopen(self, month: date) -> str | None:
        wrong = self._in_state(month, "closed")
        if wrong is not None:
            return wrong
        if any(first > month and state != "open" for first, state in self.periods.items()):
            return "A later period is closed; open"
        self.periods[month] = "open"
        self.asked.discard(month)
        return None
