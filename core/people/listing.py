"""The list of the people on file. Files that were merged into others or erased are nobody to be found here."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import case

from core.lists.types import Column, Join, Listing
from core.org.models import Org
from core.people.models import Person
from core.people.queries import search_people

PEOPLE = Listing(
    code="people",
    title=_l("People on file"),
    model=Person,
    columns=(
        Column(name="name", title=_l("Name"), kind="person", sort=True, order=Person.pinyin),
        Column(name="gender", title=_l("Gender"), kind="choice", choices={"M": _l("Male"), "F": _l("Female")}),
        Column(name="born_on", title=_l("Born on"), kind="day", hidden=True),
        Column(name="org", title=_l("Responsible union"), kind="org", sort=True, expression=Org.name,
               order=Person.org_path),
        Column(name="id_number", title=_l("Identity number"), kind="identity", expression=Person.id_number_tail),
        Column(name="phone", title=_l("Phone"), kind="phone", expression=Person.phone_tail),
        Column(name="bank_name", title=_l("Bank"), hidden=True),
        Column(name="bank_account", title=_l("Bank account"), kind="account", expression=Person.bank_account_tail),
        Column(
            name="active",
            title=_l("State"),
            kind="choice",
            choices={"active": _l("Active"), "inactive": _l("Not active")},
            colours={"inactive": "secondary"},
            expression=case((Person.active, "active"), else_="inactive"),
            hidden=True,
        ),
        Column(name="created_at", title=_l("On file since"), kind="moment", hidden=True),
    ),
    org_path=Person.org_path,
    where=(Person.merged_into_id.is_(None), Person.erased_at.is_(None)),
    joins=(Join(Org, Org.id == Person.org_id),),
    person_id=Person.id,
    search=search_people,
    search_title=_l("Beginning of the name, its pinyin or initials"),
)  # fmt: skip
