"""Files that are read in several blocks: every row keeps its line, its sentences and its text, wherever it stands."""

import csv
import io
from collections.abc import Sequence

import pytest
from sqlalchemy import select
from wtforms import IntegerField

from core.errors import ZhijiaError
from core.extensions import db
from core.imports import cells, staging
from core.imports.merging import secrets_of
from core.imports.models import ImportRow
from core.programs.models import ProgramYear
from core.registers import sheets
from core.users.models import User
from core.web.forms import Form
from tests.imports.conftest import HEADINGS, RunJobs, Upload, errors_of, good_row, merge, xlsx
from tests.plugins_for_tests.reading_club.registers import CORNERS, Member, MemberForm
from tests.registers.conftest import id_number

pytestmark = pytest.mark.services
WIDTH = len(HEADINGS)


def written(rows: Sequence[Sequence[object]]) -> bytes:
    """A CSV of the headings and these rows."""
    target = io.StringIO()
    csv.writer(target).writerows([HEADINGS, *rows])
    return target.getvalue().encode()


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three full rows at a time, and no more than some texts kept."""
    monkeypatch.setattr(sheets, "BLOCK", 3 * WIDTH)
    monkeypatch.setattr(cells, "MOST_KEPT", 2)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_row_keeps_its_line_and_its_sentences(upload: Upload, kind: str) -> None:
    rows = [good_row(number, **({"kind": f"k{number}"} if number % 4 == 1 else {})) for number in range(20)]
    content = written(rows) if kind == "csv" else xlsx(rows)
    one = upload(content, f"list.{kind}")
    assert (one.good, one.bad) == (15, 5)
    assert {line: sentences[0][:14] for line, sentences in errors_of(one).items()} == {
        number + 2: f"“Kind”: “k{number}” is"[:14] for number in range(1, 20, 4)
    }
    found = db.session.scalars(select(ImportRow).order_by(ImportRow.line)).all()
    assert [row.line for row in found] == list(range(2, 22))
    assert [secrets_of(row)["id_number"] for row in found] == [id_number(number) for number in range(20)]
    assert {row.id_number_tail for row in found} == {id_number(number)[-4:] for number in range(20)}
    assert len({row.id_number_digest for row in found}) == 20


@pytest.mark.usefixtures("small_blocks")
def test_empty_lines_are_passed_over_and_short_ones_are_filled_up(upload: Upload) -> None:
    empty: list[list[object]] = [[], [""] * WIDTH, ["  "] * WIDTH, [""] * 40]
    beyond = [*[""] * WIDTH, "x"]
    one = upload(written([*empty, good_row(1), good_row(2)[:6], *empty, *empty, beyond, good_row(3)]), "list.csv")
    assert (one.good, one.bad) == (2, 2)
    errors = errors_of(one)
    assert list(errors) == [7, 16]
    assert len(errors[7]) == 1
    assert "“Kind” is missing" in errors[7][0]
    assert len(errors[16]) == 4


def test_nothing_but_empty_lines_is_a_file_without_rows(upload: Upload) -> None:
    with pytest.raises(ZhijiaError, match="no rows"):
        upload(written([["  "] * WIDTH]), "list.csv")


@pytest.mark.parametrize("note", ["a\\b", "\\N", "\\.", "a\tb", "a\nb", "\\\\", '"\\"', "%s {0}", "\\x41", "a\0b\\"])
def test_signs_that_mean_something_to_a_copy_stay_what_they_are(
    upload: Upload, clerk: User, clubs: ProgramYear, run_jobs: RunJobs, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "_encoding_of", lambda _content: "utf-8")  # it would refuse the sign NUL
    rows = [good_row(number, note=note, name=note) for number in range(18)]
    rows += [good_row(18, note=note, kind=note), good_row(19, note=note, id_number=note)]
    one = upload(written(rows), "list.csv")
    clean = note.replace("\0", "")
    found = db.session.scalars(select(ImportRow).order_by(ImportRow.line)).all()
    assert [row.values["note"] for row in found] == [clean] * 20
    assert found[0].values["name"] == clean
    assert (found[18].values["kind"], bool(found[18].errors)) == (clean, True)
    assert (found[19].id_number_tail, found[19].id_number_digest) == (clean[-4:], None)
    assert secrets_of(found[19])["id_number"] == clean
    merge(one, clerk, clubs, run_jobs, only_good=True)
    assert {member.note for member in db.session.query(Member)} == {clean}


def test_a_form_is_asked_as_a_whole_only_where_it_has_a_rule_for_that(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def look(_reader: object, texts: Sequence[str]) -> list[str]:
        asked.append(texts)
        return []

    monkeypatch.setattr(staging._Reader, "_look_around", look)
    headings = ("工会代码", "Name", "Kind", "Volumes")
    upload(xlsx([("610102001", f"n{number}", "Library", "3") for number in range(5)], headings), register=CORNERS)
    assert not asked
    monkeypatch.delattr(MemberForm, "validate_left_on")
    upload(xlsx([good_row(1)]))
    assert not asked
    monkeypatch.setattr(MemberForm, "validate", Form.validate)
    upload(xlsx([good_row(2)]))
    assert not asked
    monkeypatch.setattr(MemberForm, "validate", lambda self: Form.validate(self))
    upload(xlsx([good_row(number) for number in range(3)]))
    assert len(asked) == 3


class Bare(Form):
    """A number without any rule."""

    number = IntegerField("Number")


@pytest.mark.usefixtures("english")
def test_a_number_that_the_page_would_refuse_as_too_large_is_refused() -> None:
    found, faults = cells.FormCells(Bare(), "number", "Number").column(["9" * 18, f"1{'0' * 18}", f"-1{'0' * 18}"])
    assert found[0] == "9" * 18
    assert [faults[at][0][-22:] for at in sorted(faults)] == ["is too large a number."] * 2
