"""What personal data is asked for in full: the purpose goes into the audit line (个人信息保护法, art. 6)."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.errors import ZhijiaError
from core.people.numbers import refuse_numbers

OTHER = "other"
#: Code -> title, in the order in which people read them.
PURPOSES: Mapping[str, LazyString] = {
    "identity": _l("Check who somebody is"),
    "payment": _l("Check a payment"),
    "contact": _l("Reach the person"),
    "answer": _l("Answer a question of the person"),
    "report": _l("Report to the union above or to an authority"),
    OTHER: _l("Something else"),
}


@dataclass(frozen=True, slots=True)
class Purpose:
    """One of :data:`PURPOSES`, and a note, without which :data:`OTHER` says nothing."""

    code: str
    note: str = ""

    def said(self) -> dict[str, str]:
        """As the audit line keeps it. Raises :class:`ZhijiaError` at ``purpose`` or ``note``."""
        if self.code not in PURPOSES:
            raise ZhijiaError(_("Choose what it is for."), field="purpose")
        note = self.note.strip()
        if self.code == OTHER and not note:
            raise ZhijiaError(_("Say what it is for."), field="note")
        refuse_numbers(note, "note")
        return {"purpose": self.code, "note": note} if note else {"purpose": self.code}


def purpose_title(data: Mapping[str, object]) -> str:
    """What an audit line says of the purpose, for a page; lines from before purposes were asked for say nothing."""
    title = str(PURPOSES.get(str(data.get("purpose")), "—"))
    return f"{title}: {data['note']}" if data.get("note") else title
