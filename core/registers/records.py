"""The bases of the forms of registers. A module beside the layers of the area, as every register names one of them."""

from typing import ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from core.people.forms import IdNumberForm, bank_account_field, bank_name_field, phone_field
from core.web.forms import Form


class PersonRecordForm(IdNumberForm):
    """Base of the form of a register of people. The other fields are named as the attributes of the model.

    ``id_number`` is asked for on adding only; whose it is must be on file. The model gets ``person_id``, and with it
    ``org_id`` and ``org_path`` of the union that is responsible for the person.
    """

    #: The fields that say whose entry it is: asked for once, and no attributes of the model.
    whose: ClassVar[tuple[str, ...]] = ("id_number",)


class NewPersonRecordForm(PersonRecordForm):
    """Base of the form of a register that takes people on file: somebody unknown first, by what these fields say.

    They are asked for on adding only. Nothing of somebody known is changed by them; the name must be the one on file.
    """

    whose: ClassVar[tuple[str, ...]] = ("id_number", "name", "org_code", "phone", "bank_account", "bank_name")

    name = StringField(
        _l("Name"),
        validators=[InputRequired(_l("Please enter the name.")), Length(max=60)],
        render_kw={"autocomplete": "off"},
    )
    org_code = StringField(
        _l("Code of the union"),
        description=_l("The union that answers for the person."),
        validators=[InputRequired(_l("Please enter the code of the union.")), Length(max=64)],
        render_kw={"autocomplete": "off"},
    )
    phone = phone_field()
    bank_account = bank_account_field()
    bank_name = bank_name_field()


class OrgRecordForm(Form):
    """Base of the form of a register of unions. The other fields are named as the attributes of the model.

    ``org_code`` is asked for on adding only; the model gets ``org_id`` and ``org_path`` of that union.
    """

    whose: ClassVar[tuple[str, ...]] = ("org_code",)

    org_code = StringField(
        _l("Code of the union"),
        validators=[InputRequired(_l("Please enter the code of the union.")), Length(max=64)],
        render_kw={"autocomplete": "off"},
    )
