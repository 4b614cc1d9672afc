"""From the text of a cell to the value that the register takes, through the form's own fields and validators.

Columns come some thousand rows at a time. What a cell's text comes to is kept, as most columns say the same again and
again. A field whose rules look at other fields is asked again in every row, and so is a form with a ``validate`` of its
own.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from flask_babel import force_locale
from flask_babel import gettext as _
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    FloatField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms import Field as FormField
from wtforms.validators import EqualTo, InputRequired, Length, Optional

from core.errors import ZhijiaError
from core.people.numbers import (
    are_bank_accounts,
    are_id_numbers,
    are_phones,
    parse_bank_account,
    parse_id_number,
    parse_phone,
)
from core.users.services import LANGUAGES
from core.web.fields import YuanField, to_json
from core.web.forms import LARGEST_NUMBER, Form

#: Texts of one column that are kept before they are forgotten all at once.
MOST_KEPT = 20_000
_DAY = re.compile(r"(\d{4})(?:年|[-/.])(\d{1,2})(?:月|[-/.])(\d{1,2})日?(?: 00:00:00)?|(\d{4})(\d\d)(\d\d)")
#: What stands between several choices in one cell.
_BETWEEN = re.compile("[、，,;；\n]")
_ABOUT_LENGTH = (InputRequired, Optional, Length)
_YES = frozenset(("是", "有", "√", "y", "yes", "true", "1"))
_NO = frozenset(("", "否", "无", "×", "n", "no", "false", "0"))

#: What finds those of many that are right as they stand, and what reads one as people write it.
NUMBERS: dict[str, tuple[Callable[[Sequence[str]], list[bool]], Callable[[str], str]]] = {
    "id_number": (are_id_numbers, lambda text: parse_id_number(text).number),
    "phone": (are_phones, parse_phone),
    "bank_account": (are_bank_accounts, parse_bank_account),
}
#: Sentences by the position of the cell in its column.
Faults = dict[int, tuple[str, ...]]


class Cell(NamedTuple):
    """What a text comes to: the value as JSON, and sentences on what is wrong with it."""

    json: str
    errors: tuple[str, ...] = ()


class Known(dict[str, str]):
    """Text -> its value as JSON, found out where it is asked for first; ``wrong`` has the sentences on some."""

    def __init__(self, find_out: Callable[[str], Cell]) -> None:
        self._find_out = find_out
        self.wrong: dict[str, tuple[str, ...]] = {}

    def __missing__(self, text: str) -> str:
        self[text], errors = self._find_out(text)
        if errors:
            self.wrong[text] = errors
        return self[text]

    def column(self, texts: Sequence[str]) -> tuple[list[str], Faults]:
        """What the texts come to; when too many were kept, all are forgotten."""
        if len(self) > MOST_KEPT:
            self.clear()
            self.wrong.clear()
        found = list(map(self.__getitem__, texts))
        if not self.wrong or self.wrong.keys().isdisjoint(texts):
            return found, {}
        return found, {at: self.wrong[text] for at, text in enumerate(texts) if text in self.wrong}


class Typed:
    """What a form is filled with: the one text of one field, or the several of one of several choices."""

    def __init__(self, name: str, text: str | list[str]) -> None:
        self._name, self._texts = name, [text] if isinstance(text, str) else text

    def __contains__(self, name: str) -> bool:
        return name == self._name

    def __iter__(self) -> Iterator[str]:
        return iter((self._name,))

    def __len__(self) -> int:
        return 1

    def getlist(self, name: str) -> list[str]:
        """The texts of a field."""
        return self._texts if name == self._name else []


class FormCells:
    """The cells of one field of a form, which is used again for every row."""

    def __init__(self, form: Form, name: str, title: str, unit: str = "") -> None:
        self.form, self.field, self.title, self._unit = form, form[name], title, unit
        self._known = Known(self._read)
        self._plain = plain_text_for(self.field)
        self._required = is_required(self.field)
        self.looks_around = is_asked_in_every_row(form, self.field)
        self._passes = 0 if self.looks_around else passes(self.field)

    def column(self, texts: Sequence[str]) -> tuple[list[str], Faults]:
        """What these cells come to, as JSON."""
        if self._passes and min(map(len, texts)) and max(map(len, texts)) <= self._passes:
            return all_as_json(texts), {}
        return self._known.column(texts)

    def enter(self, text: str) -> list[str]:
        """Fill the field of the form with the text; sentences where it cannot be one."""
        field = self.field
        if not text and self._required:
            field.process(Typed(field.name, ""))
            return [missing(self.title)]
        try:
            plain = self._plain(text + self._unit if self._unit and text[-1:].isdigit() else text)
        except ZhijiaError as error:
            field.process(Typed(field.name, ""))
            return [of_column(self.title, str(error))]
        field.process(Typed(field.name, plain))
        return []

    def faults(self) -> list[str]:
        """What the rules of the field say about what it is filled with."""
        field, inline = self.field, getattr(type(self.form), f"validate_{self.field.name}", None)
        if field.validate(self.form, (inline,) if inline else ()):
            return []
        return [of_column(self.title, str(sentence)) for sentence in field.process_errors or field.errors]

    def _read(self, text: str) -> Cell:
        if 0 < len(text) <= self._passes:
            return Cell(as_json(text))
        try:
            said = self.enter(text)
            if not said and not self.looks_around:
                said = self.faults()
            is_too_large = isinstance(self.field.data, int) and abs(self.field.data) >= LARGEST_NUMBER
        except ArithmeticError:  # a number that not even the field's rules can compare
            said, is_too_large = [], True
        if not said and is_too_large:
            said = [of_column(self.title, _("“%(text)s” is too large a number.", text=text[:40]))]
        if said:
            return Cell(as_json(text), tuple(said))
        return Cell(as_json(self.field.data))


class PersonalCells:
    """The cells of an identity number, a phone or an account: hardly ever twice the same, so nothing is kept."""

    def __init__(self, name: str, title: str, *, required: bool) -> None:
        self._are_right, self._parse = NUMBERS[name]
        self._required, self.name, self.title = required, name, title

    def column(self, texts: Sequence[str]) -> tuple[list[str], Faults]:
        """The normalised numbers; where one is wrong, the text stays as it is."""
        right = self._are_right(texts)
        if all(right):
            return list(texts), {}
        found, faults = list(texts), Faults()
        for at, text in enumerate(texts):
            if not right[at]:
                found[at], said = self._read(text)
                if said:
                    faults[at] = (said,)
        return found, faults

    def _read(self, text: str) -> tuple[str, str]:
        if not text:
            return "", missing(self.title) if self._required else ""
        try:
            return self._parse(text), ""
        except ZhijiaError as error:
            return text, str(error)


class TextCells:
    """The cells of a text that no form checks: the name that is compared with the one on file."""

    def column(self, texts: Sequence[str]) -> tuple[list[str], Faults]:
        """What these cells come to, as JSON."""
        return all_as_json(texts), {}


def is_required(field: FormField) -> bool:
    """Whether a cell of it must not be empty: so the form says, or no choice is empty."""
    if isinstance(field, SelectField) and not isinstance(field, SelectMultipleField):
        return bool(field.flags.required) or "" not in choices_by_title(field)
    return bool(field.flags.required)


def missing(title: str) -> str:
    """The sentence for an empty cell that must not be empty."""
    return str(_("“%(column)s” is missing.", column=title))


def lost_digits(title: str) -> str:
    """The sentence for a number that Excel has rounded."""
    return str(_("Excel has lost the last digits of “%(column)s”; format the column as text.", column=title))


def of_column(title: str, sentence: str) -> str:
    """A sentence of a form's field, which does not say itself where it belongs."""
    return str(_("“%(column)s”: %(sentence)s", column=title, sentence=sentence))


def as_json(value: Any) -> str:
    """A value of a form as PostgreSQL reads it back."""
    if isinstance(value, str):
        return encode_basestring(value)
    return json.dumps(to_json(value), ensure_ascii=False)


def all_as_json(texts: Sequence[str]) -> list[str]:
    """Each text as :func:`as_json` gives it."""
    return list(map(encode_basestring, texts))


def passes(field: FormField) -> int:
    """Up to which length every text that is not empty passes the rules of the field, as far as that is plain to see."""
    if type(field) is not StringField or not all(type(rule) in _ABOUT_LENGTH for rule in field.validators):
        return 0
    lengths = [rule for rule in field.validators if isinstance(rule, Length)]
    return (
        0 if any(rule.min > 1 for rule in lengths) else min((rule.max for rule in lengths if rule.max > 0), default=0)
    )


def is_asked_in_every_row(form: Form, field: FormField) -> bool:
    """Whether a rule of the field may look at other fields: one of the form's own, or one that nobody knows."""
    if hasattr(type(form), f"validate_{field.name}"):
        return True
    return any(
        not type(rule).__module__.startswith("wtforms.") or isinstance(rule, EqualTo) for rule in field.validators
    )


def plain_text_for(field: FormField) -> Callable[[str], str | list[str]]:
    """What brings the text of a cell to what the field of a form takes; it raises :class:`ZhijiaError`."""
    if isinstance(field, SelectMultipleField):
        one = _choice(field)
        return lambda text: [one(part) for part in _BETWEEN.split(text) if part.strip()]
    if isinstance(field, SelectField):
        return _choice(field)
    if isinstance(field, BooleanField):
        return _yes_or_no
    if isinstance(field, DateField):
        return plain_day
    if isinstance(field, IntegerField | DecimalField | FloatField):
        return lambda text: _narrow(text).replace(",", "")
    return _narrow if isinstance(field, YuanField) else lambda text: text


def choices_by_title(field: SelectField) -> dict[str, str]:
    """Every title of a choice, in each language, and every code -> the code."""
    codes: dict[str, str] = {}
    for language in LANGUAGES:
        with force_locale(language):
            codes |= {_narrow(str(label)): str(value) for value, label, *_more in field.iter_choices()}
    return codes | {_narrow(str(value)): str(value) for value, *_more in field.iter_choices()}


def _choice(field: SelectField) -> Callable[[str], str]:
    codes = choices_by_title(field)
    titles: Iterable[str] = [str(label) for _value, label, *_more in field.iter_choices() if str(label)]

    def code(text: str) -> str:
        found = codes.get(_narrow(text))
        if found is None:
            raise ZhijiaError(_("“%(text)s” is none of %(titles)s.", text=text, titles="、".join(titles)))
        return found

    return code


def _yes_or_no(text: str) -> str:
    answer = _narrow(text)
    if answer in _YES:
        return "y"
    if answer in _NO:
        return ""
    raise ZhijiaError(_("“%(text)s” is neither yes nor no.", text=text))


def plain_day(text: str) -> str:
    """A day as people write it in ISO; another text as it is. Whether there is such a day is not looked at."""
    match = _DAY.fullmatch(" ".join(unicodedata.normalize("NFKC", text).split()))
    if not match:
        return text
    year, month, day = match.groups()[:3] if match[1] else match.groups()[3:]
    return f"{year}-{int(month):02d}-{int(day):02d}"


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()
