from pathlib import Path

from wtforms import IntegerField

from core.api import Permission, Program, ProgramSettingsForm, Register, hookimpl
from tests.plugins_for_tests.meals.bids import BIDS
from tests.plugins_for_tests.meals.guests import GUESTS
from tests.plugins_for_tests.meals.kitchens import KITCHENS


class MealSettings(ProgramSettingsForm):
    """How long a review may take."""

    review_days = IntegerField("Working days of a review", default=5)


@hookimpl
def programs() -> list[Program]:
    return [
        Program(code="meals", title="Hot meals", title_zh="职工热餐", title_en="Hot meals", settings_form=MealSettings)
    ]


@hookimpl
def permissions() -> list[Permission]:
    return [
        Permission(code="meals.edit", title="Edit meals", roles=("clerk",)),
        Permission(code="meals.review", title="Review meals", roles=("reviewer",)),
        Permission(code="meals.pay", title="Pay meals", roles=("finance",)),
    ]


@hookimpl
def registers() -> list[Register]:
    return [BIDS, GUESTS, KITCHENS]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
