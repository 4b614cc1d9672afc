"""What is asked of the columns of a register: names of their own, and an index where a list is sorted by them."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Index, literal

from core.errors import ConfigError
from core.lists.columns import shown
from core.lists.types import Column
from core.plugin.checks import OF_EVERY_LIST, check_plugin
from core.plugin.examine import unindexed
from core.plugin.types import Plugin, Program
from tests.plugins_for_tests.reading_club.registers import CORNERS, READERS, Corner


def plugin_with(*columns: Column) -> Plugin:
    program = Program(code="reading_club", title="Clubs", title_zh="读书会", title_en="Clubs")
    register = replace(CORNERS, columns=columns, edit_permission="program.view")
    return Plugin(
        name="reading_club", programs=[program], blueprints={}, permissions=[], registers=[register], jobs=[],
        schemes=[], entry_kinds=[], reports=[], bank_formats=[], offers=[], commands=[], migrations=None,
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(OF_EVERY_LIST))
def test_a_column_that_every_list_has_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="which every list has by itself"):
        check_plugin(plugin_with(Column(name=name, title="x", expression=literal(1))))


def test_a_computed_column_needs_no_attribute_and_any_other_does() -> None:
    check_plugin(plugin_with(Column(name="half", title="x", expression=Corner.volumes / 2)))
    with pytest.raises(ConfigError, match="which its model lacks"):
        check_plugin(plugin_with(Column(name="half", title="x")))


def test_a_column_to_sort_by_without_an_index_is_named() -> None:
    assert [note.split("'")[3] for note in unindexed(CORNERS)] == ["volumes", "cost_fen", "opened_on"]
    assert '"program_year_id", "volumes", "id"' in unindexed(CORNERS)[0]
    assert unindexed(READERS) == []
    index = Index("ix_for_a_test", Corner.program_year_id, Corner.volumes, Corner.id)
    try:
        assert len(unindexed(CORNERS)) == 2
    finally:
        Corner.__table__.indexes.remove(index)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("identity", "0027", "*" * 14 + "0027"),
        ("phone", "1234", "*******1234"),
        ("account", "0123", "**** 0123"),
        ("phone", None, "—"),
        ("moment", datetime(2014, 1, 1, 16, 30, tzinfo=UTC), "2014-01-02 00:30"),
        ("day", date(2014, 1, 2), "2014-01-02"),
        ("yuan", 123456, "1,234.56"),
        ("choice", "gone", "gone"),
    ],
)
def test_values_read_as_their_kind_says(kind: str, value: object, expected: str) -> None:
    assert shown(Column(name="x", title="x", kind=kind), value) == expected  # type: ignore[arg-type]
