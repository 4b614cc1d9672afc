"""What the columns of a register's file are: whose row it is, then the fields of its form, by what they are called.

A heading is taken in either language, with or without blanks, a star or a unit of money behind it. A module beside the
layers of the area, as all of them speak of fields.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.errors import ZhijiaError
from core.imports.cells import is_required
from core.plugin.types import Register
from core.users.services import LANGUAGES
from core.web.fields import YuanField

#: Kept encrypted, and never among the plain values of a row.
PERSONAL = ("id_number", "phone", "bank_account")
#: What people write above these columns besides what the form calls them.
ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "id_number": ("身份证号", "身份证号码", "公民身份号码", "公民身份证号码", "居民身份证号码", "身份证", "证件号码"),
    "name": ("姓名", "职工姓名", "会员姓名"),
    "org_code": ("工会代码", "所属工会代码", "工会组织代码"),
    "phone": ("手机", "手机号", "手机号码", "电话", "电话号码", "联系电话"),
    "bank_account": ("银行卡号", "银行账号", "银行帐号", "银行卡", "账号"),
    "bank_name": ("开户行", "开户银行"),
}
_UNIT = re.compile(r"[(\[](元|万元|亿元|yuan)[)\]]$")


@dataclass(frozen=True, slots=True)
class Field:
    """A column that a file may have; ``title`` in the reader's language, ``called`` as headings are compared."""

    name: str
    title: str
    called: frozenset[str]
    required: bool
    is_money: bool = False

    @property
    def heading(self) -> str:
        """What stands above it in the template: with the unit of money, once."""
        lacks_unit = self.is_money and not _UNIT.search(_narrow(self.title))
        return str(_("%(title)s (yuan)", title=self.title)) if lacks_unit else self.title


def plain(heading: str) -> str:
    """A heading as it is compared: full-width signs as plain ones, no blanks, no star, no unit of money."""
    return _UNIT.sub("", _narrow(heading))


def unit_of(heading: str) -> str:
    """The unit of money that a heading names, as it is written behind an amount; empty for none, and for yuan."""
    match = _UNIT.search(_narrow(heading))
    return match[1] if match and match[1] in ("万元", "亿元") else ""


def fields_of(register: Register) -> list[Field]:
    """The columns of the register's files: first whose row it is, then the others in the order of the form.

    A register of people who must be on file takes their names as well, to compare them, if it has no ``name`` itself.
    """
    form = register.form()
    own = [field for field in form if field.name not in register.form.whose]
    found = [field_of(name, form[name].label.text, is_required(form[name])) for name in register.form.whose]
    if register.names_person and not register.takes_on_file:
        found.append(field_of("name", _l("Name"), False))
    found += [field_of(field.name, field.label.text, is_required(field), isinstance(field, YuanField)) for field in own]
    return found


def matched(headings: Sequence[str], fields: Sequence[Field], remembered: Mapping[str, str]) -> list[str | None]:
    """The field of each heading: what the user said of it before, else whose name it is; empty for one left out,
    none where nobody knows.
    """
    names = {field.name for field in fields}
    by_name = {called: field.name for field in reversed(fields) for called in field.called}
    found: list[str | None] = []
    for heading in headings:
        text = plain(heading)
        said = remembered.get(text)
        known = said if said == "" or said in names else by_name.get(text)
        found.append(known if text else "")
    return found


def check_columns(columns: Sequence[str | None], fields: Sequence[Field]) -> None:
    """Raises :class:`ZhijiaError` where a field stands above two columns, or one that must be there above none."""
    for field in fields:
        count = sum(name == field.name for name in columns)
        if count > 1:
            raise ZhijiaError(_("The file has the column “%(name)s” twice.", name=field.title))
    missing = [field.title for field in fields if field.required and field.name not in columns]
    if missing:
        raise ZhijiaError(_("The file lacks the column %(names)s.", names="、".join(missing)))


def field_of(name: str, label: object, required: bool, is_money: bool = False) -> Field:
    """A column that is called ``label`` in each language, and as :data:`ALSO_CALLED` says of its name."""
    called = {plain(name), *map(plain, ALSO_CALLED.get(name, ()))}
    for language in LANGUAGES:
        with force_locale(language):
            called.add(plain(str(label)))
    return Field(name, str(label), frozenset(called), required, is_money)


def _narrow(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).rstrip("*").lower()
