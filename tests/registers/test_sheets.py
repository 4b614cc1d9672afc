import io
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter
from flask import Flask
from flask_babel import Babel
from python_calamine import CalamineWorkbook

from core.errors import ZhijiaError
from core.registers import unpacking
from core.registers.sheets import Row, harmless, read_rows, write_xlsx


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """A context for the sentences; no database is needed."""
    app = Flask("test")
    Babel(app, default_locale="en")
    with app.test_request_context():
        yield


def excel(path: Path, rows: Sequence[Sequence[object]], start: int = 0) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        for line, row in enumerate(rows, start=start):
            page.write_row(line, 0, row)
    return path


def test_another_kind_of_file_is_refused() -> None:
    with pytest.raises(ZhijiaError, match="“list"):
        list(read_rows(io.BytesIO(), "list.pdf"))


def test_a_text_that_says_it_is_excel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_text("姓名\n王芳\n")
    with pytest.raises(ZhijiaError, match="cannot be read"):
        list(read_rows(path))


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    with pytest.raises(ZhijiaError, match="cannot be read"):
        list(read_rows(path))


def test_an_xlsx_that_unpacks_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = excel(tmp_path / "a.xlsx", [["姓名"]])
    monkeypatch.setattr(unpacking, "LARGEST_UNPACKED", 100)
    with pytest.raises(ZhijiaError, match="too large"):
        list(read_rows(path))


def test_a_csv_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xff\x00\x01\xff")
    with pytest.raises(ZhijiaError, match="GB18030"):
        list(read_rows(path))


def test_an_excel_file_renamed_to_csv_is_refused(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.csv", [["姓名"], ["王芳"]])
    with pytest.raises(ZhijiaError, match="GB18030"):
        list(read_rows(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_the_encodings_that_excel_writes(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("姓名,说明\n\n王芳,'=1+1\n", encoding=encoding)
    assert list(read_rows(path)) == [Row(1, ("姓名", "说明")), Row(3, ("王芳", "=1+1"))]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_csv_is_read_whatever_divides_it(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"姓名{sign}说明\n王芳{sign}“x”\n", encoding="utf-8")
    assert [row.values for row in read_rows(path)] == [("姓名", "说明"), ("王芳", "“x”")]


def test_numbers_and_days_of_excel_become_the_text_that_people_see(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.write_row(1, 0, ["61", 61, 1.5])
        page.write_datetime(1, 3, date(2014, 1, 24), book.add_format({"num_format": "yyyy-mm-dd"}))
    assert list(read_rows(path)) == [Row(2, ("61", "61", "1.5", "2014-01-24"))]


@pytest.mark.parametrize(("number", "rounded"), [(999_999_999_999_999, False), (1_000_000_000_000_000, True)])
def test_a_number_of_more_than_15_digits_is_marked(tmp_path: Path, number: int, rounded: bool) -> None:
    (row,) = read_rows(excel(tmp_path / "a.xlsx", [[number]]))
    assert (0 in row.rounded) is rounded


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1"])
def test_what_looks_like_a_formula_is_made_harmless(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless(f"x{text}") == f"x{text}"


def test_a_written_table_comes_back_as_it_was(tmp_path: Path) -> None:
    target = io.BytesIO()
    write_xlsx(target, ["姓名", "编号"], [["=HYPERLINK(1)", "610102199001011234"]], "名单")
    path = tmp_path / "a.xlsx"
    path.write_bytes(target.getvalue())
    assert list(read_rows(path)) == [Row(1, ("姓名", "编号")), Row(2, ("=HYPERLINK(1)", "610102199001011234"))]


def test_numbers_stay_numbers_and_a_title_that_no_sheet_can_have_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "numbers.xlsx"
    with path.open("wb") as target:
        write_xlsx(
            target, ["people", "yuan"], [[1200, Decimal("15000.50")], ["", ""]], "'台账 [2014/2015]: " + "长" * 40
        )
    sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    assert sheet.to_python() == [["people", "yuan"], [1200, 15000.5], ["", ""]]
    assert (len(sheet.name), sheet.name[:4]) == (30, "台账  ")
