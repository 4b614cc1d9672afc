"""A plugin that only the tests of runs have: winter aid to everybody on file, by a pool or by a fixed amount."""

from collections.abc import Mapping
from typing import Any

import pluggy
from flask import Blueprint
from sqlalchemy import BigInteger, ColumnElement, Select, Text, case, cast, exists, func, literal, or_, select

from core.disbursements.rules import share_pool
from core.org.models import Org
from core.org.scope import subtree
from core.people.models import Person
from core.plugin.types import EntryKind, Program, Scheme, SchemeContext
from core.programs.forms import ProgramSettingsForm
from core.web.fields import YuanField

hookimpl = pluggy.HookimplMarker("zhijia")


class AidSettings(ProgramSettingsForm):
    """A pool, or so much for each."""

    pool = YuanField("Pool", default=0)
    each = YuanField("Each", default=0)


def everybody(context: SchemeContext) -> Select[Any]:
    """Everybody in the run's part of the tree, on both axes; those without a bank account are excluded."""
    reason = case((Person.bank_account.is_(None), literal("no_account")), else_=cast(None, Text))
    pool = int(context.settings["pool"])
    amount = 1 if pool else int(context.settings["each"])
    people = select(
        Person.id.label("payee_id"),
        Person.org_id,
        Person.org_path,
        cast(literal(amount), BigInteger).label("amount_fen"),
        literal("everybody").label("basis"),
        reason.label("exclude_reason"),
    ).where(or_(subtree(Person.org_path, context.org_path), exists().where(_unit_of(context))))
    return share_pool(context, people, pool) if pool else people


def _unit_of(context: SchemeContext) -> ColumnElement[bool]:
    """Whether the person is of a unit that belongs to the run's industry union, wherever it lies."""
    return subtree(Org.industry_path, context.org_path) & func.starts_with(Person.org_path, Org.path)


def slowly(context: SchemeContext) -> Select[Any]:
    """The same, but the database takes a while over it, so that a test can step in."""
    named = everybody(context).subquery()
    return select(*named.c).where(func.pg_sleep(0.002).is_not(None))


def here(context: SchemeContext) -> Select[Any]:
    """Those on file right at the union of the run, and nobody below it."""
    named = everybody(context).subquery()
    return select(named).where(named.c.org_path == context.org_path)


def unions(context: SchemeContext) -> Select[int, int, str, int, str, str]:
    """Every county union in the run's part of the tree, by a fixed amount."""
    return select(
        Org.id.label("payee_id"),
        Org.id.label("org_id"),
        Org.path.label("org_path"),
        cast(literal(int(context.settings["each"])), BigInteger).label("amount_fen"),
        literal("union").label("basis"),
        cast(None, Text).label("exclude_reason"),
    ).where(subtree(Org.path, context.org_path), Org.level == "county")


def bags(context: SchemeContext) -> Select[Any]:
    """Two bags of rice for everybody, whatever account they have."""
    named = everybody(context).subquery()
    columns = [column for column in named.c if column.name != "exclude_reason"]
    return select(*columns, cast(None, Text).label("exclude_reason"), cast(literal(2), BigInteger).label("quantity"))


def twice(context: SchemeContext) -> Select[Any]:
    """A scheme that names everybody two times, by mistake."""
    named = everybody(context).subquery()
    return select(named).union_all(select(named)).subquery().select()


def scheme(code: str, select_: Any, **more: Any) -> Scheme:
    """A scheme of this plugin."""
    values = {"program": "aid", "title": code, "item": "aid", "entry_kind": "aid.paid", "select": select_}
    return Scheme(code=f"aid.{code}", reasons={"no_account": "No bank account"}, **values | more)


@hookimpl
def programs() -> list[Program]:
    """Two programs that may give the same for the same purpose."""
    form = AidSettings
    return [
        Program(code="aid", title="Aid", title_zh="冬季补助", title_en="Winter aid", settings_form=form),
        Program(code="aid_again", title="Aid again", title_zh="补助", title_en="Aid again", settings_form=form),
    ]


@hookimpl
def blueprints() -> Mapping[str, Blueprint]:
    """No pages of its own."""
    return {}


@hookimpl
def schemes() -> list[Scheme]:
    """Everybody, everybody slowly, in cash, in goods, unions, and for a purpose by each of the two programs."""
    study = {"purpose": "study", "period": lambda context: f"{context.year}-autumn"}
    return [
        scheme("everybody", everybody),
        scheme("slowly", slowly),
        scheme("twice", twice),
        scheme("cash", everybody, form="cash"),
        scheme("here", here, item="here"),
        scheme("here_in_cash", here, form="cash", item="cash"),
        scheme("bags", bags, form="goods", item="rice"),
        scheme("unions", unions, payees="orgs", item="unions"),
        scheme("study", everybody, item="study", **study),
        scheme("study_again", everybody, program="aid_again", **study),
    ]


@hookimpl
def entry_kinds() -> list[EntryKind]:
    """What a run posts."""
    return [EntryKind(code="aid.paid", title_zh="发放补助", debit="50205", credit="102")]
