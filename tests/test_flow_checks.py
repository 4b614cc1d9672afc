"""Flows that are refused when their plugin is loaded, with the sentence that says why."""

import ast
from typing import Any

import pytest
from sqlalchemy import true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from wtforms import IntegerField

from core.config import ROOT
from core.database import TYPES, metadata
from core.flows.models import FlowColumns
from core.plugin.flow import Flow, Transition, review
from core.plugin.registry import given
from core.plugin.types import Register
from core.registers.records import OrgRecordForm
from core.web.forms import Form
from tests.plugins_for_tests.made import loaded, plugin, program, reason


class Settings(Form):
    days = IntegerField()


class Base(DeclarativeBase):
    """Of models that are never made tables of."""

    metadata = type(metadata)(naming_convention=metadata.naming_convention)
    type_annotation_map = TYPES


class Plain(Base):
    __tablename__ = "books_plain"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    org_path: Mapped[str]
    program_year_id: Mapped[int]


class Moving(FlowColumns, Base):
    __tablename__ = "books_moving"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    org_path: Mapped[str]
    program_year_id: Mapped[int]


class New(FlowColumns, Base):
    __tablename__ = "books_new"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    org_path: Mapped[str]
    program_year_id: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="new")


def step(**more: Any) -> Transition:
    values: dict[str, Any] = {
        "code": "go", "title": "Go", "source": "draft", "target": "done", "permission": "people.view"
    }  # fmt: skip
    return Transition(**values | more)


def flow(*steps: Transition, **more: Any) -> Flow:
    values: dict[str, Any] = {"states": {"draft": "Draft", "done": "Done"}, "transitions": steps or (step(),)}
    return Flow(**values | more)


def books(one: Any, model: type[Any] = Moving) -> object:
    register = Register(
        code="books.rows", program="books", title="r", model=model, form=OrgRecordForm, columns=(),
        view_permission="people.view", edit_permission="people.view", flow=one,
    )  # fmt: skip
    return plugin(programs=[program("books", settings_form=Settings)], registers=[register])


WAIT = {"draft": "Draft", "wait": "Wait", "done": "Done"}
SEND = step(code="send", target="wait")


@pytest.mark.parametrize(
    "good",
    [
        flow(),
        flow(step(working_days=1)),
        flow(step(provided=true, provided_because="No.")),
        flow(step(working_days="days")),
        flow(SEND, step(source="wait", level="county", votes="all"), states=WAIT),
        flow(SEND, step(source="wait", votes=2), states=WAIT),
        flow(
            step(target="review"),
            *review("review", permission="people.view", levels=("county", "city"), working_days=5),
            states={code: code for code in ("draft", "review", "approved", "returned", "refused")},
        ),
    ],
)
def test_good_flows_are_taken(good: Flow) -> None:
    assert "books" in loaded(*given({"books": books(good)})).plugins


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ("draft", "must be a Flow"),
        (flow(step(), step()), "has the step 'go' twice"),
        (flow(step(target="gone")), "names the state 'gone', which it does not have"),
        (flow(step(source=("draft", "gone"))), "names the state 'gone'"),
        (flow(initial="gone"), "names the state 'gone'"),
        (flow(editable=("gone",)), "names the state 'gone'"),
        (flow(states=WAIT), "has the state 'wait', which no step leads to"),
        (flow(step(source="done", target="draft")), "has the state 'done', which no step leads to"),
        (flow(step(permission="books.gone")), "the step 'go' asks for 'books.gone', which nobody defines"),
        (flow(step(code="Go on")), "cannot be called so"),
        (flow(step(), step(code="no", source=())), "leads out of no state"),
        (flow(SEND, step(source="wait", level="town"), states=WAIT), "names the level 'town'"),
        (flow(SEND, step(source="wait", level=("city", "county")), states=WAIT), "from the lowest up"),
        (flow(SEND, step(source="wait", level=("city", "city")), states=WAIT), "once each"),
        (
            flow(
                SEND,
                step(source="wait", level="city"),
                step(code="no", source="wait", target="draft", level="county"),
                states=WAIT,
            ),
            "has steps out of 'wait' that name different levels",
        ),
        (flow(step(level="city")), "begins in 'draft', which waits at no level yet"),
        (flow(step(climbs=True)), "goes from level to level, and names none"),
        (flow(SEND, step(source="wait", level="city", goes_down=True), states=WAIT), "must stay in its state"),
        (flow(step(votes="all")), "asks everybody of a union, and names no level"),
        (flow(step(votes=0)), "needs at least one vote"),
        (flow(step(working_days=0)), "allows no working day"),
        (flow(step(provided=true)), "needs both 'provided' and 'provided_because', or neither"),
        (flow(step(provided_because="No.")), "needs both 'provided' and 'provided_because', or neither"),
        (flow(step(working_days="weeks")), "names the setting 'weeks', which the program does not have"),
    ],
)
def test_flows_that_cannot_be_are_refused(bad: Any, sentence: str) -> None:
    assert sentence in reason("books", books(bad))


def test_a_model_without_the_columns_is_refused() -> None:
    assert "lacks the column 'state' of a flow; let it inherit FlowColumns" in reason("books", books(flow(), Plain))


def test_entries_begin_where_the_flow_begins() -> None:
    sentence = "puts new entries into 'new', but its flow begins in 'draft'"
    assert sentence in reason("books", books(flow(), New))
    renamed = flow(step(source="new"), states={"new": "New", "done": "Done"}, initial="new")
    assert "books" in loaded(*given({"books": books(renamed, New)})).plugins


def test_a_register_with_a_flow_takes_at_most_forty_lines() -> None:
    source = (ROOT / "tests/plugins_for_tests/meals/bids.py").read_text()
    first = next(node.lineno for node in ast.parse(source).body if not isinstance(node, ast.ImportFrom))
    assert len([line for line in source.splitlines()[first - 1 :] if line.strip()]) <= 40


def test_the_flow_in_the_document_is_the_one_that_is_tested() -> None:
    document = (ROOT / "docs" / "writing-a-plugin.md").read_text()
    parts = (part.removeprefix("python\n") for part in document.split("~~~"))
    listing = next(part for part in parts if part.startswith("FLOW = "))
    assert listing in (ROOT / "tests/plugins_for_tests/meals/bids.py").read_text()
